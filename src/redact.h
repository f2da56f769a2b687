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
	int			after_do;		/* 1: a DO block's body may follow; 2: a name */
	size_t		body_len;		/* of the tag of the DO block at open; 0: none */
	const char *open;			/* what the text ended in the middle of */
} MogoScan;

extern bool mogo_mentions(const char *sql, size_t len);
extern bool mogo_calls(MogoScan s, bool (*prepared) (const char *name, size_t len, bool quoted));
extern char *mogo_redact(char *out, MogoScan s);
extern bool mogo_hide(char *part, MogoScan s);

#endif							/* MOGO_REDACT_H */
