/*-------------------------------------------------------------------------
 *
 * usage_table.c
 *	  The table in shared memory that counts uses and failed checks.
 *
 * A hash table in chains, with a fixed number of entries. All entries of a client
 * are in one chain, so that one look tells when the client was last used. Rules:
 *
 * - A chain, and an entry's key, change only with the LWLock of the chain's
 *   partition held exclusively, and are followed with it held at least shared.
 * - An entry's count and last_at are atomic. They are raised with the lock held at
 *   least shared, and lowered with it held exclusively.
 * - The mutex protects the list of free entries, used and limit. Nothing else is taken
 *   with it. used and limit may be read without it.
 * - No lock is held for longer than one chain takes, and never two locks. So a check
 *   waits for a handful of instructions at most.
 *
 * A flush reads a count, writes it to a table, commits, and subtracts it here. Between
 * its commit and the subtraction the views show that count twice, and a snapshot from
 * before the commit misses it later. In return, a flush that fails has nothing to undo.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/shmem.h"

#include "usage.h"

#define TRANCHE		"mogocred"
#define PARTITIONS	64
#define NONE		(-1)

/* One cache line, so that a check touches no more than its chain's head and its own. */
typedef struct UsageEntry
{
	MogoUsageKey key;			/* database InvalidOid: the entry is free */
	int			next;			/* in its chain, or in the free list */
	int			head;			/* of the chain that has this entry's number */
	pg_atomic_uint64 count;		/* waits for a flush */
	pg_atomic_uint64 last_at;	/* a TimestampTz */
} UsageEntry;

StaticAssertDecl(sizeof(MogoUsageKey) == 36, "MogoUsageKey has padding");
StaticAssertDecl(sizeof(UsageEntry) == 64, "an entry is not one cache line");

#define STATE_SIZE		CACHELINEALIGN(sizeof(MogoUsageState))
#define TABLE_SIZE(max)	add_size(STATE_SIZE, mul_size(max, sizeof(UsageEntry)))

MogoUsageState *mogo_usage = NULL;
const pg_uuid_t mogo_no_secret = {{0}};

static UsageEntry *entries;
static LWLockPadded *locks;

/* Requests shared memory for max entries. For the shmem_request hook. */
void
mogo_usage_request(int max)
{
	RequestAddinShmemSpace(TABLE_SIZE(max));
	RequestNamedLWLockTranche(TRANCHE, PARTITIONS);
}

/* Makes the table and returns true, or attaches to it. For the shmem_startup hook. */
bool
mogo_usage_attach(int max)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	mogo_usage = ShmemInitStruct(TRANCHE, TABLE_SIZE(max), &found);
	entries = (UsageEntry *) ((char *) mogo_usage + STATE_SIZE);
	locks = GetNamedLWLockTranche(TRANCHE);
	if (!found)
	{
		memset(mogo_usage, 0, TABLE_SIZE(max));
		SpinLockInit(&mogo_usage->mutex);
		mogo_usage->max = max;
		pg_atomic_init_u64(&mogo_usage->not_counted, 0);
		for (int i = 0; i < max; i++)
		{
			pg_atomic_init_u64(&entries[i].count, 0);
			pg_atomic_init_u64(&entries[i].last_at, 0);
			entries[i].head = NONE;
			entries[i].next = i + 1 < max ? i + 1 : NONE;
		}
	}
	LWLockRelease(AddinShmemInitLock);
	return !found;
}

/* Locks a client's chain. Returns the lock, and in *head what points to the chain. */
static LWLock *
usage_chain_lock(const MogoUsageKey *key, LWLockMode mode, int **head)
{
	uint32		hash = hash_bytes((const unsigned char *) key, offsetof(MogoUsageKey, secret_id));
	uint32		chain = hash % mogo_usage->max;
	LWLock	   *lock = &locks[chain % PARTITIONS].lock;

	LWLockAcquire(lock, mode);
	*head = &entries[chain].head;
	return lock;
}

/* Returns what has a key's number in its chain, or has NONE at the chain's end. */
static int *
usage_entry_find(const MogoUsageKey *key, int *link)
{
	while (*link != NONE && memcmp(&entries[*link].key, key, sizeof(MogoUsageKey)) != 0)
		link = &entries[*link].next;
	return link;
}

/* Puts a new entry into a chain, if there is room. Wakes the launcher at half of it. */
static void
usage_entry_add(const MogoUsageKey *key, int *head)
{
	int			used;
	int			i;

	SpinLockAcquire(&mogo_usage->mutex);
	i = mogo_usage->free;
	if (i != NONE)
	{
		mogo_usage->free = entries[i].next;
		mogo_usage->used++;
		mogo_usage->limit = Max(mogo_usage->limit, i + 1);
	}
	used = mogo_usage->used;
	SpinLockRelease(&mogo_usage->mutex);
	if (i == NONE)
		return;

	entries[i].key = *key;
	pg_atomic_write_u64(&entries[i].count, 0);
	pg_atomic_write_u64(&entries[i].last_at, 0);
	entries[i].next = *head;
	*head = i;
	if (used == mogo_usage->max / 2 && mogo_usage->launcher != NULL)
		SetLatch(mogo_usage->launcher);
}

/* Raises the count of a key, in its entry or, if there is room, in a new one. */
void
mogo_usage_add(const MogoUsage *item)
{
	int		   *head;
	LWLock	   *lock = usage_chain_lock(&item->key, LW_SHARED, &head);
	int			i = *usage_entry_find(&item->key, head);

	/* a full table is not worth an exclusive lock at every check */
	if (i == NONE && mogo_usage->used < mogo_usage->max)
	{
		LWLockRelease(lock);
		lock = usage_chain_lock(&item->key, LW_EXCLUSIVE, &head);
		if (*usage_entry_find(&item->key, head) == NONE)
			usage_entry_add(&item->key, head);
		i = *usage_entry_find(&item->key, head);
	}
	if (i == NONE)
		pg_atomic_fetch_add_u64(&mogo_usage->not_counted, item->count);
	else
	{
		pg_atomic_fetch_add_u64(&entries[i].count, item->count);
		/* of two checks at the same moment either may win */
		if (item->last_at > (TimestampTz) pg_atomic_read_u64(&entries[i].last_at))
			pg_atomic_write_u64(&entries[i].last_at, item->last_at);
	}
	LWLockRelease(lock);
}

/*
 * Returns what was counted in this database and has not been flushed: the uses of a
 * secret, of all secrets of the client if secret_id is NULL, or the client's failed
 * checks for mogo_no_secret. *last_at is 0 if nothing was counted.
 */
uint64
mogo_usage_waiting(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
				   TimestampTz *last_at)
{
	MogoUsageKey key = {.database = MyDatabaseId, .client_id = *client_id};
	int		   *head;
	LWLock	   *lock = usage_chain_lock(&key, LW_SHARED, &head);
	uint64		count = 0;

	*last_at = 0;
	for (int i = *head; i != NONE; i = entries[i].next)
	{
		const MogoUsageKey *found = &entries[i].key;

		if (memcmp(found, &key, offsetof(MogoUsageKey, secret_id)) != 0 ||
			(secret_id == NULL ? mogo_same_id(&found->secret_id, &mogo_no_secret) :
			 !mogo_same_id(&found->secret_id, secret_id)))
			continue;
		count += pg_atomic_read_u64(&entries[i].count);
		*last_at = Max(*last_at, (TimestampTz) pg_atomic_read_u64(&entries[i].last_at));
	}
	LWLockRelease(lock);
	return count;
}

/*
 * Copies entry i, counted from 0. Returns false if it is free. The key says which lock
 * to take, so we read it without, and compare it with the lock held.
 */
bool
mogo_usage_read(int i, MogoUsage *item)
{
	LWLock	   *lock;
	int		   *head;
	bool		same;

	memset(item, 0, sizeof(MogoUsage));
	item->key = entries[i].key;
	if (!OidIsValid(item->key.database))
		return false;
	lock = usage_chain_lock(&item->key, LW_SHARED, &head);
	same = memcmp(&entries[i].key, &item->key, sizeof(MogoUsageKey)) == 0;
	item->count = pg_atomic_read_u64(&entries[i].count);
	item->last_at = pg_atomic_read_u64(&entries[i].last_at);
	LWLockRelease(lock);
	return same;
}

/* Takes what was flushed out of what waits. An entry for which nothing waits is freed. */
void
mogo_usage_subtract(const MogoUsage *item)
{
	int		   *head;
	LWLock	   *lock = usage_chain_lock(&item->key, LW_EXCLUSIVE, &head);
	int		   *link = usage_entry_find(&item->key, head);

	if (*link != NONE && pg_atomic_read_u64(&entries[*link].count) > item->count)
		pg_atomic_fetch_sub_u64(&entries[*link].count, item->count);
	else if (*link != NONE)
	{
		int			i = *link;

		*link = entries[i].next;
		entries[i].key.database = InvalidOid;
		SpinLockAcquire(&mogo_usage->mutex);
		entries[i].next = mogo_usage->free;
		mogo_usage->free = i;
		mogo_usage->used--;
		SpinLockRelease(&mogo_usage->mutex);
	}
	LWLockRelease(lock);
}

/*
 * Frees a database's entries as long as more than room are used by all databases. If
 * room is not 0, the database is still there, and its counts become "not counted".
 */
void
mogo_usage_forget(Oid database, int room)
{
	MogoUsage	item;

	for (int i = 0; i < mogo_usage->limit && mogo_usage->used > room; i++)
	{
		if (!mogo_usage_read(i, &item) || item.key.database != database)
			continue;
		if (room > 0)
			pg_atomic_fetch_add_u64(&mogo_usage->not_counted, item.count);
		item.count = PG_UINT64_MAX;
		mogo_usage_subtract(&item);
	}
}
