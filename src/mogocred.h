/*-------------------------------------------------------------------------
 *
 * mogocred.h
 *	  What the modules of mogocred offer each other.
 *
 * Each module's head says what it owns and which rules hold in it; here is
 * only the list. Everything that is not in this list is static.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGOCRED_H
#define MOGOCRED_H

#include "postgres.h"

#include "compat.h"

/*
 * Marks the records that we raise. Ours hold no secret, so redaction leaves
 * them as they are; see redact_log.c.
 */
#undef TEXTDOMAIN
#define TEXTDOMAIN PG_TEXTDOMAIN("mogocred")

/* redact.c */
extern void mogo_redact_init(void);

#endif							/* MOGOCRED_H */
