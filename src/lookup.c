/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Reads the rows that a check needs, straight from C.
 *
 * A check is one descent of an index of mogo_client (of its primary key by a client id,
 * of mogo_client_external_id_key by an external id) and one heap row: no SPI, no
 * executor, nothing written, and only the AccessShareLocks that any SELECT takes.
 * mogo_lookup_begin says when they are released. No page is held while bcrypt computes.
 * Each scan has a new snapshot, so it sees a revocation that was committed a moment ago
 * even in a REPEATABLE READ transaction that is older.
 *
 * No rights are looked at here: EXECUTE on the SQL functions says who may call. Triggers,
 * rules and row-level security of the tables play no part.
 *
 * Owns the cached oids of mogo_client and of these indexes. They are found in the schema
 * of the function that was called, and forgotten whenever PostgreSQL reports that the
 * table changed. So we find an extension that was dropped and made again, and
 * an index that was rebuilt under another oid.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static Oid	client_relid = InvalidOid;
static bool client_checked = false; /* its shape and its indexes were looked
									 * at */
static Oid	client_id_index;	/* these where they can be used, else
								 * InvalidOid */
static Oid	external_id_index;

/* Forgets what is cached of a relation that changed; InvalidOid stands for all. */
static void
forget_relid(Datum arg, Oid relid)
{
	if (relid == client_relid || !OidIsValid(relid))
	{
		client_relid = InvalidOid;
		client_checked = false;
	}
}

/* Registers the callback, once a process. */
void
mogo_lookup_init(void)
{
	CacheRegisterRelcacheCallback(forget_relid, (Datum) 0);
}

/* Looks at the shape and the indexes of mogo_client, once it changed. */
static void
check_clients(Relation rel)
{
	static const AttrNumber client_id[] = {Anum_mogo_client_client_id};
	static const AttrNumber external_id[] = {Anum_mogo_client_external_id};
	Oid			index;

	mogo_check_table(rel, MOGO_CLIENT);
	client_id_index = mogo_usable_index(mogo_primary_key(rel), rel, lengthof(client_id), client_id);
	index = get_relname_relid("mogo_client_external_id_key", RelationGetNamespace(rel));
	external_id_index = mogo_usable_index(index, rel, lengthof(external_id), external_id);
	client_checked = true;
}

/*
 * Opens mogo_client. Taking the lock processes pending invalidations, so we believe what
 * was cached only if it is still there afterwards; else we look the name up again, until
 * it is that of the table which we have locked. Then the table exists, and there is no
 * need to ask the catalog.
 */
static Relation
open_clients(Oid function)
{
	Oid			relid = client_relid;
	Relation	rel;

	if (!OidIsValid(relid))
		relid = mogo_table(function, MOGO_CLIENT);
	LockRelationOid(relid, AccessShareLock);
	while (relid != client_relid)
	{
		Oid			now = mogo_table(function, MOGO_CLIENT);

		client_checked = false;
		client_relid = now;
		if (now != relid)
		{
			UnlockRelationOid(relid, AccessShareLock);
			relid = now;
			LockRelationOid(relid, AccessShareLock);
		}
	}
	rel = table_open(relid, NoLock);
	if (!client_checked)
		check_clients(rel);
	return rel;
}

/*
 * Returns whether the transaction made its first check between BEGIN and COMMIT. (In a
 * pipeline, PostgreSQL calls that a block too from the second statement on.) We tell
 * transactions apart by the local transaction id, as PL/pgSQL does with its
 * expr_simple_lxid; the number comes back after 2^32 others, and does no harm then.
 */
static bool
in_block(void)
{
	static LocalTransactionId transaction = InvalidLocalTransactionId;
	static bool block;

	if (transaction != mogo_my_lxid)
	{
		transaction = mogo_my_lxid;
		block = IsTransactionBlock();
	}
	return block;
}

/*
 * Reads the columns of a check from the row that was found, in one walk over it. All the
 * others wait until a secret has matched: a wrong secret must not pay for a client's
 * networks or metadata. Raises XX000 for a null.
 */
static void
read_row(MogoLookup *lookup)
{
	Datum	   *values = lookup->slot->tts_values;

	slot_getsomeattrs(lookup->slot, Anum_mogo_client_live);
	for (int i = 0; i < Anum_mogo_client_live; i++)
	{
		if (lookup->slot->tts_isnull[i])
			elog(ERROR, "unexpected null in a client's row");
	}
	lookup->client_id = *DatumGetUUIDP(values[Anum_mogo_client_client_id - 1]);
	lookup->enabled = DatumGetBool(values[Anum_mogo_client_enabled - 1]);
	lookup->salt = mogo_salt(values[Anum_mogo_client_salt - 1]);
	lookup->live = DatumGetArrayTypeP(values[Anum_mogo_client_live - 1]);
}

/*
 * Looks for the row in the open table, as systable_beginscan does without a snapshot.
 * The difference is the index's lock, which systable_endscan releases each time.
 */
static void
begin_scan(MogoLookup *lookup, const MogoPresented *presented)
{
	const text *external_id = presented->external_id;
	Oid			index = external_id != NULL ? external_id_index : client_id_index;
	AttrNumber	column = external_id != NULL ? Anum_mogo_client_external_id : Anum_mogo_client_client_id;
	ScanKeyData key;

	/* a key for an index names the index's column */
	if (OidIsValid(index))
		column = 1;
	/* compares bytes: ScanKeyInit takes collation "C" */
	if (external_id != NULL)
		ScanKeyInit(&key, column, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(external_id));
	else
		ScanKeyInit(&key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&presented->id));
	if (OidIsValid(index))
	{
		lookup->whole = NULL;
		lookup->snapshot = RegisterSnapshot(GetCatalogSnapshot(RelationGetRelid(lookup->rel)));
		lookup->index = index_open(index, AccessShareLock);
		lookup->scan = mogo_index_beginscan(lookup->rel, lookup->index, lookup->snapshot, 1);
		index_rescan(lookup->scan, &key, 1, NULL, 0);
		lookup->slot = table_slot_create(lookup->rel, NULL);
		lookup->found = index_getnext_slot(lookup->scan, ForwardScanDirection, lookup->slot);
	}
	else
	{
		lookup->whole = systable_beginscan(lookup->rel, InvalidOid, false, NULL, 1, &key);
		lookup->found = HeapTupleIsValid(systable_getnext(lookup->whole));
		lookup->slot = lookup->whole->slot;
	}
}

/* Ends the scan; the slot goes with it. */
static void
end_scan(MogoLookup *lookup)
{
	if (lookup->whole != NULL)
		systable_endscan(lookup->whole);
	else
	{
		ExecDropSingleTupleTableSlot(lookup->slot);
		index_endscan(lookup->scan);
		index_close(lookup->index, lookup->lock);
		UnregisterSnapshot(lookup->snapshot);
	}
}

/*
 * Finds the row of the client whose id was sent; presented must have one. What lookup
 * points to stays valid until mogo_lookup_end, which the caller must call even if nothing
 * was found.
 *
 * Inside an explicit transaction block we release both locks at once: the block may stay
 * open for long, and a session that wants to alter the tables must not wait for it.
 * Otherwise the transaction ends with its statement or pipeline, and we keep the locks
 * until then, as a SELECT does: to release and take them again is a tenth of a check's
 * cost.
 */
void
mogo_lookup_begin(MogoLookup *lookup, Oid function, const MogoPresented *presented)
{
	lookup->lock = in_block() ? AccessShareLock : NoLock;
	lookup->copied = false;
	lookup->rel = open_clients(function);
	begin_scan(lookup, presented);
	if (lookup->found)
		read_row(lookup);
}

/*
 * Copies the row that was found and releases its page. A caller that will take long
 * needs this, because VACUUM may wait for a pinned page. The columns stand elsewhere
 * afterwards.
 */
void
mogo_lookup_copy(MogoLookup *lookup)
{
	TupleTableSlot *copy;

	if (lookup->copied)
		return;
	copy = MakeSingleTupleTableSlot(RelationGetDescr(lookup->rel), &TTSOpsHeapTuple);
	ExecCopySlot(copy, lookup->slot);
	end_scan(lookup);
	lookup->copied = true;
	lookup->slot = copy;
	read_row(lookup);
}

/* Releases what mogo_lookup_begin took. */
void
mogo_lookup_end(MogoLookup *lookup)
{
	if (lookup->copied)
		ExecDropSingleTupleTableSlot(lookup->slot);
	else
		end_scan(lookup);
	table_close(lookup->rel, lookup->lock);
}

/* Returns any column of the row that was found. */
Datum
mogo_lookup_column(MogoLookup *lookup, int attno, bool *isnull)
{
	return slot_getattr(lookup->slot, attno, isnull);
}

/* Opens mogo_secret, and finds out which index has its ended secrets, if one does. */
static Relation
open_secrets(Oid function, Oid *index)
{
	static const AttrNumber columns[] = {Anum_mogo_secret_client_id, Anum_mogo_secret_hash};
	Relation	rel = table_open(mogo_table(function, MOGO_SECRET), AccessShareLock);

	mogo_check_table(rel, MOGO_SECRET);
	*index = mogo_usable_index(get_relname_relid("mogo_secret_client_id_hash_idx", RelationGetNamespace(rel)),
							   rel, lengthof(columns), columns);
	return rel;
}

/*
 * Looks for an ended secret of a client by its stored form, of MOGO_HASH_TEXT_LEN
 * characters. Returns false if there is none.
 */
bool
mogo_ended_secret(Oid function, const pg_uuid_t *id, const char *hash, bool *revoked)
{
	Oid			index;
	Relation	rel = open_secrets(function, &index);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_mogo_secret_client_id, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(id));
	ScanKeyInit(&keys[1], Anum_mogo_secret_hash, BTEqualStrategyNumber, F_TEXTEQ,
				PointerGetDatum(cstring_to_text_with_len(hash, MOGO_HASH_TEXT_LEN)));
	scan = systable_beginscan(rel, index, OidIsValid(index), NULL, lengthof(keys), keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		*revoked = !heap_attisnull(tuple, Anum_mogo_secret_revoked_at, NULL);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Reads an ended secret's row. Raises XX000 for a hash that is too long. */
static void
read_ended(HeapTuple tuple, TupleDesc desc, MogoEndedSecret *secret)
{
	bool		isnull;
	Datum		at;
	text	   *hash = DatumGetTextPP(heap_getattr(tuple, Anum_mogo_secret_hash, desc, &isnull));

	secret->hash_len = VARSIZE_ANY_EXHDR(hash);
	if (secret->hash_len > sizeof(secret->hash))
		elog(ERROR, "unexpected length of a hash");
	memcpy(secret->hash, VARDATA_ANY(hash), secret->hash_len);
	at = heap_getattr(tuple, Anum_mogo_secret_revoked_at, desc, &isnull);
	secret->revoked = !isnull;
	if (isnull)
		at = heap_getattr(tuple, Anum_mogo_secret_expires_at, desc, &isnull);
	secret->ended_at = DatumGetTimestampTz(at);
}

/*
 * Finds those of a client's ended secrets that have a slow hash; of more than
 * MOGO_MAX_SLOW those that ended last, because comparing each of them takes long.
 * Returns how many, in secrets, which has room for so many.
 */
int
mogo_ended_slow_secrets(Oid function, const pg_uuid_t *id, MogoEndedSecret *secrets)
{
	Oid			index;
	Relation	rel = open_secrets(function, &index);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	int			n = 0;

	/*
	 * all but "sha256$" and "sha512$" sort between these, in the column's
	 * collation
	 */
	ScanKeyInit(&keys[0], Anum_mogo_secret_client_id, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(id));
	ScanKeyInit(&keys[1], Anum_mogo_secret_hash, BTGreaterEqualStrategyNumber, F_TEXT_GE,
				CStringGetTextDatum("$"));
	ScanKeyInit(&keys[2], Anum_mogo_secret_hash, BTLessStrategyNumber, F_TEXT_LT,
				CStringGetTextDatum("s"));
	scan = systable_beginscan(rel, index, OidIsValid(index), NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MogoEndedSecret ended;
		int			oldest = 0;

		read_ended(tuple, RelationGetDescr(rel), &ended);
		for (int i = 1; i < n; i++)
		{
			if (secrets[i].ended_at < secrets[oldest].ended_at)
				oldest = i;
		}
		if (n < MOGO_MAX_SLOW)
			secrets[n++] = ended;
		else if (ended.ended_at > secrets[oldest].ended_at)
			secrets[oldest] = ended;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return n;
}
