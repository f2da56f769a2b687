/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Reading the rows that a check needs, straight from C.
 *
 * A check is one descent of mogo_client's primary key and one heap row: no SPI,
 * no executor, nothing written, and only the AccessShareLocks that any SELECT
 * takes, given back at once or, outside BEGIN and COMMIT, with the statement or the
 * pipeline (mogo_lookup_begin). No page is held while bcrypt computes. Each scan is
 * made with a new snapshot, so a revocation that was committed a moment ago is seen
 * even in a REPEATABLE READ transaction that is older.
 *
 * No rights are looked at here: who may call is said by EXECUTE on the SQL
 * functions. Triggers, rules and row-level security of the tables play no part.
 *
 * Owns what is cached of the tables: the oids of mogo_client and its primary key, and
 * whether tables are as they were made. They are found by name in the schema of the
 * function that was called, and all that is forgotten whenever PostgreSQL says that the
 * table changed; so an extension that is dropped and made again is found, and an index
 * that was rebuilt under another oid too.
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

/* Columns of mogo_secret */
#define SECRET_CLIENT_ID	2
#define SECRET_REVOKED_AT	6
#define SECRET_HASH			7

static Oid	client_relid = InvalidOid;
static bool client_checked = false; /* its shape and its primary key were looked at */
static Oid	client_index;		/* that key where it can be used, else InvalidOid */

/*
 * The types of our tables' columns. InvalidOid: the array of mogo_live_secret,
 * whose oid differs.
 */
static const struct
{
	const char *name;
	int			ncolumns;
	Oid			types[10];
}			tables[] =
{
	{"mogo_client", CLIENT_COLUMNS, {
			UUIDOID, BOOLOID, BYTEAOID, InvalidOid, CIDRARRAYOID, TEXTOID,
			TEXTARRAYOID, JSONBOID, TIMESTAMPTZOID, TEXTOID
	}},
	{"mogo_secret", 7, {
			UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID,
			TIMESTAMPTZOID, TEXTOID
	}},
	{"mogo_audit_log", 10, {
			TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, UUIDOID,
			INETOID, TEXTOID, JSONBOID
	}}
};

/* Those of them that mogo_check_table has found as they were made, by their oids. */
static Oid	as_made[lengthof(tables)];

/* PostgreSQL's word that a relation changed; InvalidOid stands for all of them. */
static void
forget_relid(Datum arg, Oid relid)
{
	if (relid == client_relid || !OidIsValid(relid))
	{
		client_relid = InvalidOid;
		client_checked = false;
	}
	for (int i = 0; i < lengthof(as_made); i++)
	{
		if (relid == as_made[i] || !OidIsValid(relid))
			as_made[i] = InvalidOid;
	}
}

/* Registers the callback, once a process. */
void
mogo_lookup_init(void)
{
	CacheRegisterRelcacheCallback(forget_relid, (Datum) 0);
}

/*
 * Oid of one of our tables: the one of this name in the schema of the function
 * that was called. Raises 42P01 where there is none, as happens to a function
 * that was still running while the extension was dropped.
 */
Oid
mogo_table(Oid function, const char *name)
{
	Oid			schema = get_func_namespace(function);
	Oid			relid = InvalidOid;

	if (OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of extension mogocred does not exist", name)));
	return relid;
}

/* The type mogo_live_secret in our schema. Raises XX000 where it is not as made. */
static Oid
live_secret_type(Oid schema)
{
	static const Oid types[] = {UUIDOID, TIMESTAMPTZOID, TEXTOID};
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum("mogo_live_secret"),
									   ObjectIdGetDatum(schema));
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	bool		same = desc->natts == lengthof(types);

	for (int i = 0; same && i < lengthof(types); i++)
		same = TupleDescAttr(desc, i)->atttypid == types[i];
	ReleaseTupleDesc(desc);
	if (!same)
		elog(ERROR, "unexpected attributes of type mogo_live_secret");
	return type;
}

/*
 * Is this table, of ours by its name, as the script made it? What we read and
 * write goes by the columns' numbers and types, past the executor, which would
 * look; and whoever owns the tables (no superuser, perhaps) can alter them, or put
 * others in their place. Raises 42P16 before a number is taken for a pointer.
 */
void
mogo_check_table(Relation rel, const char *name)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			t = 0;
	bool		same;

	while (strcmp(tables[t].name, name) != 0)
		t++;
	if (as_made[t] == RelationGetRelid(rel))
		return;
	same = rel->rd_rel->relkind == RELKIND_RELATION && desc->natts >= tables[t].ncolumns;
	for (int i = 0; same && i < tables[t].ncolumns; i++)
	{
		Oid			type = tables[t].types[i];

		if (!OidIsValid(type))
			type = get_array_type(live_secret_type(RelationGetNamespace(rel)));
		same = TupleDescAttr(desc, i)->atttypid == type;
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("table \"%s\" of extension mogocred is not as it was made", name)));
	as_made[t] = RelationGetRelid(rel);
}

/*
 * Is this index, if any, rel's, on these columns and built to its end? Returns it, or
 * InvalidOid: then the table is read through. Whoever owns it may have made another.
 */
static Oid
usable_index(Oid index, Relation rel, int nkeys, const AttrNumber *keys)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_index) GETSTRUCT(tuple);
	usable = form->indrelid == RelationGetRelid(rel) && form->indisvalid &&
		form->indnkeyatts == nkeys;
	for (int i = 0; usable && i < nkeys; i++)
		usable = form->indkey.values[i] == keys[i];
	ReleaseSysCache(tuple);
	return usable ? index : InvalidOid;
}

/*
 * Opens mogo_client. Taking the lock brings pending news of changes in, so what was
 * cached is believed only if it is still there afterwards; else the name is looked up
 * again, until it is that of the table which was locked. So the table is there, and
 * there is no need to ask the catalog.
 */
static Relation
open_clients(Oid function)
{
	static const AttrNumber key[] = {CLIENT_ID};
	Oid			relid = client_relid;
	Relation	rel;

	if (!OidIsValid(relid))
		relid = mogo_table(function, "mogo_client");
	LockRelationOid(relid, AccessShareLock);
	while (relid != client_relid)
	{
		Oid			now = mogo_table(function, "mogo_client");

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
	{
		mogo_check_table(rel, "mogo_client");
		client_index = usable_index(mogo_primary_key(rel), rel, lengthof(key), key);
		client_checked = true;
	}
	return rel;
}

/* A client's salt, MOGO_SALT_LEN bytes, where it stands. */
const uint8 *
mogo_salt(Datum column)
{
	bytea	   *salt = DatumGetByteaPP(column);

	if (VARSIZE_ANY_EXHDR(salt) != MOGO_SALT_LEN)
		elog(ERROR, "unexpected length of a salt");
	return (const uint8 *) VARDATA_ANY(salt);
}

/*
 * Did the transaction make its first check between BEGIN and COMMIT? (In a pipeline,
 * PostgreSQL calls that a block too from the second statement on. A transaction's
 * number comes back after 2^32 others, and then does no harm.)
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

/* Reads the columns of a check from the row that was found, in one walk over it. */
static void
read_row(MogoLookup *lookup)
{
	Datum	   *values = lookup->slot->tts_values;

	slot_getsomeattrs(lookup->slot, CLIENT_CIDRS);
	for (int i = 0; i < CLIENT_CIDRS; i++)
	{
		if (lookup->slot->tts_isnull[i])
			elog(ERROR, "unexpected null in a client's row");
	}
	lookup->enabled = DatumGetBool(values[CLIENT_ENABLED - 1]);
	lookup->salt = mogo_salt(values[CLIENT_SALT - 1]);
	lookup->live = DatumGetArrayTypeP(values[CLIENT_LIVE - 1]);
	lookup->allowed_cidrs = DatumGetArrayTypeP(values[CLIENT_CIDRS - 1]);
}

/*
 * Looks for the row in the open table. This is what systable_beginscan does with no
 * snapshot given, but for the index's lock, which that gives back each time.
 */
static void
begin_scan(MogoLookup *lookup, const pg_uuid_t *id)
{
	ScanKeyData key;

	/* column 1 of the table and of its key */
	ScanKeyInit(&key, CLIENT_ID, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	if (OidIsValid(client_index))
	{
		lookup->whole = NULL;
		lookup->snapshot = RegisterSnapshot(GetCatalogSnapshot(RelationGetRelid(lookup->rel)));
		lookup->index = index_open(client_index, AccessShareLock);
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
 * Finds a client's row. What lookup points to stays valid until
 * mogo_lookup_end, which the caller owes also where nothing was found.
 *
 * Between BEGIN and COMMIT a check gives its two locks back, for that may take long,
 * and whoever alters the tables must not wait. Otherwise the transaction ends with its
 * statement, or its pipeline, and the locks are kept until then, as those of a SELECT
 * are: to give back and take again is a tenth of a check's cost.
 */
void
mogo_lookup_begin(MogoLookup *lookup, Oid function, const pg_uuid_t *id)
{
	lookup->lock = in_block() ? AccessShareLock : NoLock;
	lookup->copied = false;
	lookup->rel = open_clients(function);
	begin_scan(lookup, id);
	if (lookup->found)
		read_row(lookup);
}

/*
 * Copies the row that was found and gives its page back: for a caller who will take
 * long, because VACUUM may wait for whoever holds on to a page. The columns stand
 * elsewhere afterwards.
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

/* Gives back what mogo_lookup_begin took. */
void
mogo_lookup_end(MogoLookup *lookup)
{
	if (lookup->copied)
		ExecDropSingleTupleTableSlot(lookup->slot);
	else
		end_scan(lookup);
	table_close(lookup->rel, lookup->lock);
}

/* Any column of the row that was found. */
Datum
mogo_lookup_column(MogoLookup *lookup, int attno, bool *isnull)
{
	return slot_getattr(lookup->slot, attno, isnull);
}

/*
 * Reads a row's array of live secrets (mogo_live_secret[]) into secrets, which
 * has room for MOGO_MAX_LIVE, and returns how many there are. The hashes point
 * into the array. None of the three attributes is ever null and the first two
 * are of fixed size, so they stand where they stand: asking the type cache for
 * the row type and deforming by it costs more than the rest of the comparison.
 */
int
mogo_live_secrets(ArrayType *live, MogoLiveSecret *secrets)
{
	int			n = ArrayGetNItems(ARR_NDIM(live), ARR_DIMS(live));
	char	   *element = ARR_DATA_PTR(live);

	if (n > MOGO_MAX_LIVE || (n > 0 && ARR_HASNULL(live)))
		elog(ERROR, "unexpected number of live secrets");
	for (int i = 0; i < n; i++)
	{
		HeapTupleHeader header;
		char	   *attributes;
		char	   *hash;

		element = (char *) att_align_nominal(element, TYPALIGN_DOUBLE);
		header = (HeapTupleHeader) element;
		if ((header->t_infomask & HEAP_HASNULL) || HeapTupleHeaderGetNatts(header) < 3)
			elog(ERROR, "unexpected null in a live secret");

		attributes = element + header->t_hoff;
		memcpy(&secrets[i].secret_id, attributes, UUID_LEN);
		memcpy(&secrets[i].expires_at, attributes + UUID_LEN, sizeof(TimestampTz));
		hash = attributes + UUID_LEN + sizeof(TimestampTz);
		secrets[i].hash = VARDATA_ANY(hash);
		secrets[i].hash_len = VARSIZE_ANY_EXHDR(hash);
		element += HeapTupleHeaderGetDatumLength(header);
	}
	return n;
}

/* A new client's array of live secrets, with one in it. */
Datum
mogo_one_live_secret(Oid function, const MogoLiveSecret *secret)
{
	Oid			type = live_secret_type(get_func_namespace(function));
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	Datum		values[3];
	bool		nulls[3] = {false};
	Datum		element;

	values[0] = UUIDPGetDatum(&secret->secret_id);
	values[1] = TimestampTzGetDatum(secret->expires_at);
	values[2] = PointerGetDatum(cstring_to_text_with_len(secret->hash, secret->hash_len));
	element = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	ReleaseTupleDesc(desc);
	return PointerGetDatum(construct_array(&element, 1, type, -1, false, TYPALIGN_DOUBLE));
}

/*
 * Looks for an ended secret of a client: by its stored form where hash is given
 * (of MOGO_HASH_TEXT_LEN characters), else for the one with a bcrypt hash, which
 * is then copied to bcrypt (MOGO_BCRYPT_LEN characters; a client has one at the
 * most, from its import). Returns false where there is none.
 */
bool
mogo_ended_secret(Oid function, const pg_uuid_t *id, const char *hash,
				  char *bcrypt, bool *revoked)
{
	Relation	rel = table_open(mogo_table(function, "mogo_secret"), AccessShareLock);
	static const AttrNumber columns[] = {SECRET_CLIENT_ID, SECRET_HASH};
	Oid			index;
	ScanKeyData keys[3];
	int			nkeys = 2;
	SysScanDesc scan;
	HeapTuple	tuple;

	mogo_check_table(rel, "mogo_secret");
	index = usable_index(get_relname_relid("mogo_secret_client_id_hash_idx", RelationGetNamespace(rel)),
						 rel, lengthof(columns), columns);

	ScanKeyInit(&keys[0], SECRET_CLIENT_ID, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(id));
	if (hash != NULL)
		ScanKeyInit(&keys[1], SECRET_HASH, BTEqualStrategyNumber, F_TEXTEQ,
					PointerGetDatum(cstring_to_text_with_len(hash, MOGO_HASH_TEXT_LEN)));
	else
	{
		/* every label of bcrypt sorts between these, in the column's collation */
		ScanKeyInit(&keys[1], SECRET_HASH, BTGreaterEqualStrategyNumber, F_TEXT_GE,
					CStringGetTextDatum("$2"));
		ScanKeyInit(&keys[2], SECRET_HASH, BTLessStrategyNumber, F_TEXT_LT,
					CStringGetTextDatum("$3"));
		nkeys = 3;
	}

	scan = systable_beginscan(rel, index, OidIsValid(index), NULL, nkeys, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value;

		value = heap_getattr(tuple, SECRET_HASH, RelationGetDescr(rel), &isnull);
		if (bcrypt != NULL)
		{
			text	   *stored = DatumGetTextPP(value);

			if (VARSIZE_ANY_EXHDR(stored) != MOGO_BCRYPT_LEN)
				elog(ERROR, "unexpected length of a bcrypt hash");
			memcpy(bcrypt, VARDATA_ANY(stored), MOGO_BCRYPT_LEN);
		}
		(void) heap_getattr(tuple, SECRET_REVOKED_AT, RelationGetDescr(rel), &isnull);
		*revoked = !isnull;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}
