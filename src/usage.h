/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What the modules of the use counts share with each other alone.
 *
 * Layers: usage_table, then usage, then usage_flush and usage_worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGO_USAGE_H
#define MOGO_USAGE_H

#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/spin.h"

/* What is counted. There is no padding in it, because it is hashed and compared. */
typedef struct MogoUsageKey
{
	Oid			database;
	pg_uuid_t	client_id;
	pg_uuid_t	secret_id;		/* mogo_no_secret: the client's failed checks */
} MogoUsageKey;

/* A copy of an entry */
typedef struct MogoUsage
{
	MogoUsageKey key;
	uint64		count;
	TimestampTz last_at;
} MogoUsage;

/* What is in shared memory beside the entries; usage_table.c has the rules */
typedef struct MogoUsageState
{
	slock_t		mutex;
	int			free;			/* first of the free entries */
	int			used;			/* entries */
	int			limit;			/* no entry from this one on was ever used */
	int			max;			/* entries */
	pg_atomic_uint64 not_counted;	/* checks that found no free entry */
	Latch	   *launcher;		/* wake it when half of the entries are used */
	/* of the flush that is at work, or the last one */
	int			position;		/* the entry to look at next */
	bool		finished;		/* it had the time to look at all entries */
	bool		failed;			/* it could not write some counts */
	bool		written;		/* it wrote some counts */
} MogoUsageState;

/* usage_table.c */
extern MogoUsageState *mogo_usage;
extern const pg_uuid_t mogo_no_secret;
extern void mogo_usage_request(int max);
extern bool mogo_usage_attach(int max);
extern void mogo_usage_add(const MogoUsage *item);
extern uint64 mogo_usage_waiting(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
								 TimestampTz *last_at);
extern bool mogo_usage_read(int i, MogoUsage *item);
extern void mogo_usage_subtract(const MogoUsage *item);
extern void mogo_usage_forget(Oid database, int room);

/* usage.c */
extern void mogo_usage_remove_file(void);

#endif							/* MOGO_USAGE_H */
