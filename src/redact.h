/*-------------------------------------------------------------------------
 *
 * redact.h
 *	  What the three files of redaction offer each other; see redact.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGO_REDACT_H
#define MOGO_REDACT_H

#include "mogocred.h"

/* A set of our functions, one bit each; 0 is "none of ours". */
typedef uint32 MogoNames;

/* What a text is to us. A harmless one names functions, but holds no value. */
typedef struct MogoVerdict
{
	MogoNames	names;
	bool		harmless;
} MogoVerdict;

/* Room for the longest mask; below the least track_activity_query_size. */
#define MOGO_MASK_SIZE	100

/* redact_text.c: texts */
extern MogoVerdict mogo_judge_text(const char *text);
extern MogoNames mogo_names_in(const char *text);
extern bool mogo_context_is_harmless(const char *context);
extern void mogo_make_mask(char *mask, MogoNames names);

/* redact.c: the statement that runs */
extern bool mogo_redact_statements;
extern const char *mogo_statement_text(void);
extern MogoVerdict mogo_judge_statement(void);
extern MogoNames mogo_names_running(bool forget);
extern void mogo_mask_statement(MogoNames names);

/* redact_log.c: the records */
extern void mogo_redact_log_init(void);

#endif							/* MOGO_REDACT_H */
