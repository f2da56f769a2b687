/*
 * redact.h
 *	  What the files of redaction offer each other; see redact.c.
 */
#ifndef MOGO_REDACT_H
#define MOGO_REDACT_H

#include "mogocred.h"

#define MOGO_MASK	"***"
#define MOGO_MASK_LEN	3

/* Room for a redacted copy of so many bytes: '' becomes '***' at worst. */
#define MOGO_ROOM(len)	(3 * (size_t) (len) + 2 * MOGO_MASK_LEN)

/* A pass over the quotes of a text, and where it is. */
typedef struct MogoScan
{
	const char *p;
	const char *end;
	bool		backslashes;	/* standard_conforming_strings is off */
	bool		wrapped;		/* SQL is inside "...", CSV or JSON: " means nothing */
	bool		body;			/* the text is the body of a DO block */
	bool		after_do;		/* a literal here is such a body */
	const char *open;			/* what the text ended in the middle of */
} MogoScan;

/* Tells whether the prepared statement of that name calls a function of ours. */
typedef bool (*MogoPrepared) (const char *name, size_t len, bool quoted);

/* redact_scan.c: what calls us, and where its literals are */
extern bool mogo_mentions(const char *text, size_t len);
extern bool mogo_calls(MogoScan s, MogoPrepared prepared);
extern char *mogo_redact(char *out, MogoScan s);
extern void mogo_hide(char *part, MogoScan s);

/* redact.c: the statement that runs */
extern bool mogo_redact_literals;
extern MogoScan mogo_scan(const char *text, size_t len);
extern bool mogo_text_calls(MogoScan s);
extern const char *mogo_statement(void);
extern void mogo_show_redacted(void);

/* redact_log.c: the records */
extern void mogo_redact_log_init(void);

#endif							/* MOGO_REDACT_H */
