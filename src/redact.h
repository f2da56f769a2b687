/*-------------------------------------------------------------------------
 *
 * redact.h
 *	  What the files of redaction offer each other; see redact.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGO_REDACT_H
#define MOGO_REDACT_H

#include "mogocred.h"

/* A set of our functions, one bit each; 0 is "none of ours". */
typedef uint32 MogoNames;

/* Anything else that is called mogo_...: a name mistyped, or a wrapper's */
#define MOGO_OTHER_FUNCTION	((MogoNames) 1 << 31)

/* What a text is to us. A harmless one names functions, but holds no value. */
typedef struct MogoVerdict
{
	MogoNames	names;
	bool		harmless;
} MogoVerdict;

/* Room for the longest mask; below the least track_activity_query_size. */
#define MOGO_MASK_SIZE	100

/* redact_names.c: what a text names, and its mask */
extern bool mogo_is_word_start(unsigned char c);
extern bool mogo_is_word(unsigned char c);
extern bool mogo_is_space(unsigned char c);
extern bool mogo_begins(const char *text, const char *word);
extern MogoNames mogo_function_at(const char *p, int *len);
extern MogoNames mogo_names_in(const char *text);
extern const char *mogo_skip_mask(const char *p);
extern void mogo_make_mask(char *mask, MogoNames names);

/* redact_text.c: whether a text can hold a secret */
extern MogoVerdict mogo_judge_text(const char *text);
extern bool mogo_context_is_harmless(const char *context);

/* redact.c: the statement that runs */
extern bool mogo_redact_statements;
extern bool mogo_watchful;
extern const char *mogo_statement_text(void);
extern MogoVerdict mogo_judge_statement(void);
extern MogoNames mogo_names_running(bool forget);
extern void mogo_mask_statement(MogoNames names);

/* redact_log.c: the records */
extern void mogo_redact_log_init(void);

#endif							/* MOGO_REDACT_H */
