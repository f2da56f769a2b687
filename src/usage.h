/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What the modules of the use counts share with each other alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGO_USAGE_H
#define MOGO_USAGE_H

#include "storage/latch.h"

typedef enum MogoUsageKind
{
	MOGO_USES,					/* of a secret */
	MOGO_FAILURES				/* of checks on a client */
} MogoUsageKind;

/* A copy of an entry */
typedef struct MogoUsage
{
	Oid			database;
	MogoUsageKind kind;
	pg_uuid_t	id;				/* the secret's or the client's */
	uint64		count;
	TimestampTz last_at;		/* 0: not known */
} MogoUsage;

/* What became of a claim */
typedef enum MogoUsageOutcome
{
	MOGO_WRITTEN,				/* and committed */
	MOGO_KEPT,					/* not written: it waits again */
	MOGO_GONE					/* there is no such secret or client any more */
} MogoUsageOutcome;

/* usage_table.c */
extern void mogo_usage_request(int max);
extern bool mogo_usage_attach(int max);
extern void mogo_usage_add(Oid database, MogoUsageKind kind, const pg_uuid_t *id,
						   uint64 count, TimestampTz at);
extern uint64 mogo_usage_waiting(MogoUsageKind kind, const pg_uuid_t *id,
								 TimestampTz *last_at);
extern uint64 mogo_usage_fill(int *used, int *max);
extern void mogo_usage_set_flusher(Latch *latch);
extern bool mogo_usage_set_unfinished(bool unfinished);
extern int	mogo_usage_collect(Oid database, uint32 *bucket, MogoUsage *items, int max);
extern int	mogo_usage_claim(MogoUsage *items, int n, TransactionId xid);
extern void mogo_usage_settle(const MogoUsage *item, MogoUsageOutcome outcome);
extern void mogo_usage_sweep(const Oid *gone, int ngone);
extern bool mogo_usage_read(int i, MogoUsage *item);

#endif							/* MOGO_USAGE_H */
