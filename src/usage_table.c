/*-------------------------------------------------------------------------
 *
 * usage_table.c
 *	  The table in shared memory that use counts stand in.
 *
 * A hash table in chains, of a fixed number of entries. The counts in an entry are
 * atomic, so that a check needs no more than a shared lock. Rules:
 *
 * - A chain, and an entry's key, is changed only with the LWLock of its partition
 *   held exclusively, and followed with it held at least shared.
 * - count and last_at are raised with the lock held at least shared. All else in
 *   an entry is changed with it held exclusively, and count lowered.
 * - The list of free entries is the mutex's, with which nothing else is taken.
 * - No lock is held for longer than one chain takes, and never two. So a check
 *   waits for a handful of instructions at most, whatever else goes on.
 *
 * A flush moves an entry's count to flush_count, noting its transaction, before it
 * commits. A reader adds flush_count as long as its snapshot does not see that
 * transaction, so nothing is seen twice or not at all, at any moment. One flush at
 * a time holds an entry (in_flight).
 *
 * What does not fit is counted as not_counted and otherwise forgotten. flusher and
 * unfinished are single words, which need no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/transam.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/snapmgr.h"

#include "usage.h"

#define TRANCHE		"mogocred"
#define PARTITIONS	64			/* a power of two */
#define NONE		(-1)

typedef struct Key
{
	Oid			database;		/* InvalidOid: the entry is free */
	MogoUsageKind kind;
	pg_uuid_t	id;
} Key;

/* One cache line, so that a check touches no more. */
typedef struct Entry
{
	Key			key;
	int			next;			/* in its chain, or in the free list */
	TransactionId flush_xid;	/* took flush_count along; invalid: none did */
	uint64		flush_count;
	pg_atomic_uint64 count;		/* waits for a flush */
	pg_atomic_uint64 last_at;	/* a TimestampTz; 0: none */
	bool		in_flight;		/* flush_xid has not ended */
} Entry;

StaticAssertDecl(sizeof(Key) == 24, "Key has padding, which would be hashed");
StaticAssertDecl(sizeof(Entry) == 64, "an entry is not one cache line");

typedef struct Shared
{
	slock_t		mutex;
	int			free;			/* first of the free list */
	int			used;			/* read without the mutex as a hint */
	int			max;
	uint32		nbuckets;		/* a power of two */
	pg_atomic_uint64 not_counted;
	Latch	   *volatile flusher;	/* whom to wake when it gets crowded, or NULL */
	bool		unfinished;		/* a flush ran out of time */
	LWLockPadded *locks;
	Entry	   *entries;
	int			heads[FLEXIBLE_ARRAY_MEMBER];
} Shared;

static Shared *shared = NULL;

/* The next power of two after max: a chain is one entry long or two. */
static uint32
bucket_count(int max)
{
	uint32		n = PARTITIONS;

	while (n <= (uint32) max)
		n *= 2;
	return n;
}

/* Where the entries start in the shared memory, in bytes. */
static Size
entries_offset(int max)
{
	return CACHELINEALIGN(add_size(offsetof(Shared, heads),
								   mul_size(bucket_count(max), sizeof(int))));
}

/* Bytes of all of it. */
static Size
table_size(int max)
{
	return add_size(entries_offset(max), mul_size(max, sizeof(Entry)));
}

/* Asks for a table of max entries. For the shmem_request hook. */
void
mogo_usage_request(int max)
{
	RequestAddinShmemSpace(table_size(max));
	RequestNamedLWLockTranche(TRANCHE, PARTITIONS);
}

/* Makes the table, or attaches to it; is it new? For the shmem_startup hook. */
bool
mogo_usage_attach(int max)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct(TRANCHE, table_size(max), &found);
	if (!found)
	{
		SpinLockInit(&shared->mutex);
		shared->free = 0;
		shared->used = 0;
		shared->max = max;
		shared->nbuckets = bucket_count(max);
		pg_atomic_init_u64(&shared->not_counted, 0);
		shared->flusher = NULL;
		shared->unfinished = false;
		shared->locks = GetNamedLWLockTranche(TRANCHE);
		shared->entries = (Entry *) ((char *) shared + entries_offset(max));
		for (uint32 i = 0; i < shared->nbuckets; i++)
			shared->heads[i] = NONE;
		for (int i = 0; i < max; i++)
		{
			Entry	   *entry = &shared->entries[i];

			memset(entry, 0, sizeof(Entry));
			pg_atomic_init_u64(&entry->count, 0);
			pg_atomic_init_u64(&entry->last_at, 0);
			entry->next = i + 1 < max ? i + 1 : NONE;
		}
	}
	LWLockRelease(AddinShmemInitLock);
	return !found;
}

/* Fills in a key and returns its chain's number. */
static uint32
make_key(Key *key, Oid database, MogoUsageKind kind, const pg_uuid_t *id)
{
	key->database = database;
	key->kind = kind;
	key->id = *id;
	return hash_bytes((const unsigned char *) key, sizeof(Key)) & (shared->nbuckets - 1);
}

static LWLock *
lock_of(uint32 bucket)
{
	return &shared->locks[bucket % PARTITIONS].lock;
}

/*
 * What points to a key's entry in its chain, or to NONE at the chain's end. The
 * caller holds the chain's lock.
 */
static int *
find_link(const Key *key, uint32 bucket)
{
	int		   *link = &shared->heads[bucket];

	while (*link != NONE &&
		   memcmp(&shared->entries[*link].key, key, sizeof(Key)) != 0)
		link = &shared->entries[*link].next;
	return link;
}

/* The same as an entry, or NULL. */
static Entry *
find(const Key *key, uint32 bucket)
{
	int			i = *find_link(key, bucket);

	return i == NONE ? NULL : &shared->entries[i];
}

/*
 * A new entry for a key, or NULL where there is no room. The caller holds the
 * chain's lock exclusively. Half full, it calls for a flush, which makes room.
 */
static Entry *
add(const Key *key, uint32 bucket)
{
	Entry	   *entry;
	Latch	   *flusher;
	int			used;
	int			i;

	SpinLockAcquire(&shared->mutex);
	i = shared->free;
	if (i != NONE)
	{
		shared->free = shared->entries[i].next;
		shared->used++;
	}
	used = shared->used;
	SpinLockRelease(&shared->mutex);
	if (i == NONE)
		return NULL;

	entry = &shared->entries[i];
	entry->key = *key;
	entry->flush_xid = InvalidTransactionId;
	entry->flush_count = 0;
	entry->in_flight = false;
	pg_atomic_write_u64(&entry->count, 0);
	pg_atomic_write_u64(&entry->last_at, 0);
	entry->next = shared->heads[bucket];
	shared->heads[bucket] = i;
	flusher = shared->flusher;	/* once: it may be gone the next time one looks */
	if (used == shared->max / 2 && flusher != NULL)
		SetLatch(flusher);
	return entry;
}

/*
 * Takes an entry out of its chain; link is what points to it there. The caller
 * holds the chain's lock exclusively.
 */
static void
drop(int *link)
{
	int			i = *link;
	Entry	   *entry = &shared->entries[i];

	*link = entry->next;
	entry->key.database = InvalidOid;
	SpinLockAcquire(&shared->mutex);
	entry->next = shared->free;
	shared->free = i;
	shared->used--;
	SpinLockRelease(&shared->mutex);
}

/* Raises an entry's count. The caller holds the chain's lock. */
static void
bump(Entry *entry, uint64 count, TimestampTz at)
{
	uint64		last_at = pg_atomic_read_u64(&entry->last_at);

	pg_atomic_fetch_add_u64(&entry->count, count);
	/* one that was interrupted on its way here must not set it back */
	while (at > (TimestampTz) last_at &&
		   !pg_atomic_compare_exchange_u64(&entry->last_at, &last_at, at))
		;
}

/* Counts for a key, in an entry that is there or, if there is room, in a new one. */
void
mogo_usage_add(Oid database, MogoUsageKind kind, const pg_uuid_t *id, uint64 count,
			   TimestampTz at)
{
	Key			key;
	uint32		bucket = make_key(&key, database, kind, id);
	Entry	   *entry = NULL;
	int			i;

	LWLockAcquire(lock_of(bucket), LW_SHARED);
	i = *find_link(&key, bucket);
	if (i != NONE)
		bump(&shared->entries[i], count, at);
	LWLockRelease(lock_of(bucket));
	if (i != NONE)
		return;

	/* a full table is not worth an exclusive lock at every check */
	if (shared->used < shared->max)
	{
		LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
		i = *find_link(&key, bucket);
		entry = i != NONE ? &shared->entries[i] : add(&key, bucket);
		if (entry != NULL)
			bump(entry, count, at);
		LWLockRelease(lock_of(bucket));
	}
	if (entry == NULL)
		pg_atomic_fetch_add_u64(&shared->not_counted, count);
}

/*
 * What was counted in this database for an id and is not in the table as the
 * active snapshot sees it. *last_at is 0 where it is not known.
 */
uint64
mogo_usage_waiting(MogoUsageKind kind, const pg_uuid_t *id, TimestampTz *last_at)
{
	Key			key;
	uint32		bucket = make_key(&key, MyDatabaseId, kind, id);
	Entry	   *entry;
	uint64		count = 0;
	uint64		flush_count = 0;
	TransactionId flush_xid = InvalidTransactionId;
	bool		in_flight = false;

	*last_at = 0;
	LWLockAcquire(lock_of(bucket), LW_SHARED);
	entry = find(&key, bucket);
	if (entry != NULL)
	{
		count = pg_atomic_read_u64(&entry->count);
		*last_at = pg_atomic_read_u64(&entry->last_at);
		flush_xid = entry->flush_xid;
		flush_count = entry->flush_count;
		in_flight = entry->in_flight;
	}
	LWLockRelease(lock_of(bucket));

	/* one that is settled did commit, and may be too old to ask about */
	if (TransactionIdIsValid(flush_xid) &&
		(XidInMVCCSnapshot(flush_xid, GetActiveSnapshot()) ||
		 (in_flight && !TransactionIdDidCommit(flush_xid))))
		count += flush_count;
	return count;
}

/* How full the table is; returns what did not fit since the server started. */
uint64
mogo_usage_fill(int *used, int *max)
{
	*used = shared->used;
	*max = shared->max;
	return pg_atomic_read_u64(&shared->not_counted);
}

/* Whom to wake when the table is half full. NULL: nobody. */
void
mogo_usage_set_flusher(Latch *latch)
{
	shared->flusher = latch;
}

/* A flush leaves word that it did not come to its end. Returns the word before. */
bool
mogo_usage_set_unfinished(bool unfinished)
{
	bool		before = shared->unfinished;

	shared->unfinished = unfinished;
	return before;
}

/*
 * Copies entries to items, from chain *bucket on, which is moved on; returns how
 * many, 0 after the last. With a database, those of it whose counts wait; with
 * InvalidOid, all there are.
 */
int
mogo_usage_collect(Oid database, uint32 *bucket, MogoUsage *items, int max)
{
	int			n = 0;

	for (; *bucket < shared->nbuckets; (*bucket)++)
	{
		int			start = n;

		if (shared->heads[*bucket] == NONE)
			continue;			/* what comes this very moment can wait */
		LWLockAcquire(lock_of(*bucket), LW_SHARED);
		for (int i = shared->heads[*bucket]; i != NONE && n < max; i = shared->entries[i].next)
		{
			Entry	   *entry = &shared->entries[i];

			if (OidIsValid(database) &&
				(entry->key.database != database || entry->in_flight ||
				 pg_atomic_read_u64(&entry->count) == 0))
				continue;
			items[n].database = entry->key.database;
			items[n].kind = entry->key.kind;
			items[n].id = entry->key.id;
			n++;
		}
		LWLockRelease(lock_of(*bucket));
		/* a chain that may not have fitted is looked at again, if it can fit */
		if (n == max && start > 0)
			return start;
	}
	return n;
}

/*
 * Takes the items' counts out of what waits, for transaction xid to write them.
 * Returns for how many there were any: they stand first, in the same order, and
 * the others, which are gone or held by another flush, are forgotten.
 */
int
mogo_usage_claim(MogoUsage *items, int n, TransactionId xid)
{
	int			claimed = 0;

	for (int i = 0; i < n; i++)
	{
		Key			key;
		uint32		bucket = make_key(&key, items[i].database, items[i].kind, &items[i].id);
		Entry	   *entry;
		uint64		count = 0;

		LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
		entry = find(&key, bucket);
		if (entry != NULL && !entry->in_flight)
			count = pg_atomic_exchange_u64(&entry->count, 0);
		if (count > 0)
		{
			entry->flush_count = count;
			entry->flush_xid = xid;
			entry->in_flight = true;
			items[claimed] = items[i];
			items[claimed].count = count;
			items[claimed].last_at = pg_atomic_read_u64(&entry->last_at);
			claimed++;
		}
		LWLockRelease(lock_of(bucket));
	}
	return claimed;
}

/*
 * Ends the claim on an item. Written: after the commit. Kept or gone: before it,
 * or after an abort.
 */
void
mogo_usage_settle(const MogoUsage *item, MogoUsageOutcome outcome)
{
	Key			key;
	uint32		bucket = make_key(&key, item->database, item->kind, &item->id);
	int		   *link;

	LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
	link = find_link(&key, bucket);
	if (*link != NONE)
	{
		Entry	   *entry = &shared->entries[*link];

		entry->in_flight = false;
		if (outcome == MOGO_GONE)
			drop(link);
		else if (outcome == MOGO_KEPT)
		{
			pg_atomic_fetch_add_u64(&entry->count, entry->flush_count);
			entry->flush_count = 0;
			entry->flush_xid = InvalidTransactionId;
		}
	}
	LWLockRelease(lock_of(bucket));
}

/* Frees the entries for which nothing waits, and those of databases that are gone. */
void
mogo_usage_sweep(const Oid *gone, int ngone)
{
	for (uint32 bucket = 0; bucket < shared->nbuckets; bucket++)
	{
		int		   *link = &shared->heads[bucket];

		if (*link == NONE)
			continue;
		LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
		while (*link != NONE)
		{
			Entry	   *entry = &shared->entries[*link];
			bool		unwanted = pg_atomic_read_u64(&entry->count) == 0;

			for (int i = 0; !unwanted && i < ngone; i++)
				unwanted = entry->key.database == gone[i];
			if (unwanted && !entry->in_flight)
				drop(link);
			else
				link = &entry->next;
		}
		LWLockRelease(lock_of(bucket));
	}
}

/*
 * Reads entry i, counted from 0. Returns false for one that is free. For a
 * postmaster that has no children any more: no flush holds anything, and it takes
 * no lock, which one of them could have left behind.
 */
bool
mogo_usage_read(int i, MogoUsage *item)
{
	Entry	   *entry = &shared->entries[i];

	item->database = entry->key.database;
	item->kind = entry->key.kind;
	item->id = entry->key.id;
	item->count = pg_atomic_read_u64(&entry->count);
	item->last_at = pg_atomic_read_u64(&entry->last_at);
	return OidIsValid(item->database);
}
