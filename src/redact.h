/*
 * redact.h
 *	  What redact_scan.c offers redact.c, and the fuzzer.
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
	bool		wrapped;		/* SQL is in "...", CSV or JSON: " is no quote */
	bool		values;			/* a message: "..." is a value, not a name */
	int			after_do;		/* 1: a DO block's body may follow; 2: a name */
	const char *body;			/* the tag of the DO block that we are in */
	size_t		body_len;		/* and its length; 0: in none */
	const char *open;			/* what the text ended in the middle of */
} MogoScan;

/* Tells whether the prepared statement of that name calls one of our functions. */
typedef bool (*MogoPrepared) (const char *name, size_t len, bool quoted);

extern bool mogo_mentions(const char *sql, size_t len);
extern bool mogo_calls(MogoScan s, MogoPrepared prepared);
extern bool mogo_is_open(MogoScan s);
extern char *mogo_redact(char *out, MogoScan s);
extern void mogo_hide(char *part, MogoScan s);

#endif							/* MOGO_REDACT_H */
