/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  The shape of our tables, and what stands in a client's row.
 *
 * We read and write rows by their columns' numbers and types, past the executor,
 * which would look at both. The owner of the tables (perhaps no superuser) can alter
 * them or put others in their place, so mogo_check_table compares a table with the
 * lists below before a number can be taken for a pointer.
 *
 * Owns the cache of tables that were found to have the shape of the script. We forget
 * a table whenever PostgreSQL reports that it changed. No locks are taken here, and no
 * rights are looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Stands for the array of mogo_live_secret, whose oid differs in each database. */
#define LIVE_SECRETS	InvalidOid

/* The types of the columns that we go by; the usage tables are read by SQL alone. */
static const struct
{
	const char *name;
	int			ncolumns;
	Oid			types[Natts_mogo_invitation_code];
}			shapes[MOGO_TABLES] =

{
	[MOGO_CLIENT] = {"mogo_client", Natts_mogo_client, {
			UUIDOID, BOOLOID, BYTEAOID, LIVE_SECRETS, CIDRARRAYOID, TEXTOID,
			TEXTARRAYOID, JSONBOID, TIMESTAMPTZOID, TEXTOID, TEXTOID
	}},
	[MOGO_SECRET] = {"mogo_secret", Natts_mogo_secret, {
			UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID,
			TIMESTAMPTZOID, TEXTOID, TEXTOID
	}},
	[MOGO_AUDIT_LOG] = {"mogo_audit_log", Natts_mogo_audit_log, {
			TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, UUIDOID,
			INETOID, TEXTOID, JSONBOID
	}},
	[MOGO_INVITATION_CODE] = {"mogo_invitation_code", Natts_mogo_invitation_code, {
			UUIDOID, UUIDOID, BYTEAOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID,
			INTERVALOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, INETOID, TIMESTAMPTZOID
	}},
	[MOGO_SECRET_USAGE] = {"mogo_secret_usage", 0, {0}},
	[MOGO_CLIENT_USAGE] = {"mogo_client_usage", 0, {0}}
};

/* The tables that mogo_check_table has found in shape, by their oids. */
static Oid	in_shape[MOGO_TABLES];

/*
 * The fixed part of a mogo_live_secret as it stands in a client's row, behind the
 * tuple's header, in the way of core's FormData_pg_* structs. The hash, which is of
 * variable length, follows.
 */
typedef struct FormData_mogo_live_secret
{
	pg_uuid_t	secret_id;
	TimestampTz expires_at;
	bool		generated;
} FormData_mogo_live_secret;

#define Natts_mogo_live_secret	4

/* where heap_form_tuple puts the columns: each behind the other, suitably aligned */
StaticAssertDecl(offsetof(FormData_mogo_live_secret, secret_id) == 0,
				 "a live secret's id has to stand first");
StaticAssertDecl(offsetof(FormData_mogo_live_secret, expires_at) == UUID_LEN,
				 "a live secret's expiry has to stand behind its id");
StaticAssertDecl(offsetof(FormData_mogo_live_secret, generated) == UUID_LEN + sizeof(TimestampTz),
				 "a live secret's flag has to stand behind its expiry");

/* Forgets what is cached of a relation that changed; InvalidOid stands for all. */
static void
forget_relid(Datum arg, Oid relid)
{
	for (int i = 0; i < MOGO_TABLES; i++)
	{
		if (relid == in_shape[i] || !OidIsValid(relid))
			in_shape[i] = InvalidOid;
	}
}

/* Registers the callback, once a process. */
void
mogo_tables_init(void)
{
	CacheRegisterRelcacheCallback(forget_relid, (Datum) 0);
}

/* Returns a table's name without its schema. */
const char *
mogo_table_name(MogoTable table)
{
	return shapes[table].name;
}

/* Returns how many of a table's columns we go by; all of them stand first. */
int
mogo_table_columns(MogoTable table)
{
	return shapes[table].ncolumns;
}

/*
 * Returns the oid of one of our tables in this schema. Raises 42P01 if there is none:
 * a function may still be running while the extension is dropped.
 */
Oid
mogo_table_in(Oid schema, MogoTable table)
{
	Oid			relid = InvalidOid;

	if (OidIsValid(schema))
		relid = get_relname_relid(shapes[table].name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of extension mogocred does not exist",
						shapes[table].name)));
	return relid;
}

/* Returns the oid of one of our tables in the schema of this function. Raises 42P01. */
Oid
mogo_table(Oid function, MogoTable table)
{
	return mogo_table_in(get_func_namespace(function), table);
}

/*
 * Compares one of our row types with its columns in the script. We fill in and read them
 * by number, and the owner of the type (perhaps no superuser) can alter it. Raises 42P16
 * before a number can be taken for a pointer.
 */
void
mogo_check_row_type(TupleDesc desc, const char *name, const Oid *types, int ncolumns)
{
	bool		same = desc->natts == ncolumns;

	for (int i = 0; same && i < ncolumns; i++)
		same = TupleDescAttr(desc, i)->atttypid == types[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("type \"%s\" of extension mogocred has an unexpected definition", name)));
}

/* Compares a type that is taken for mogo_live_secret with it. Raises 42P16. */
void
mogo_check_live_type(Oid type)
{
	static const Oid types[Natts_mogo_live_secret] = {UUIDOID, TIMESTAMPTZOID, BOOLOID, TEXTOID};
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);

	/* after an error the resource owner releases it */
	mogo_check_row_type(desc, "mogo_live_secret", types, lengthof(types));
	ReleaseTupleDesc(desc);
}

/* Returns the type mogo_live_secret in our schema. Raises 42P16. */
static Oid
live_secret_type(Oid schema)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum("mogo_live_secret"),
									   ObjectIdGetDatum(schema));

	mogo_check_live_type(type);
	return type;
}

/* Returns the type of a client's list of live secrets. Raises 42P16. */
Oid
mogo_live_type(Oid schema)
{
	return get_array_type(live_secret_type(schema));
}

/*
 * Compares an open table with the shape that we go by. Raises 42P16 if it has another.
 */
void
mogo_check_table(Relation rel, MogoTable table)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			ncolumns = shapes[table].ncolumns;
	bool		same;

	if (in_shape[table] == RelationGetRelid(rel))
		return;
	same = rel->rd_rel->relkind == RELKIND_RELATION && desc->natts >= ncolumns;
	for (int i = 0; same && i < ncolumns; i++)
	{
		Oid			type = shapes[table].types[i];

		if (type == LIVE_SECRETS)
			type = mogo_live_type(RelationGetNamespace(rel));
		same = TupleDescAttr(desc, i)->atttypid == type;
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("table \"%s\" of extension mogocred has an unexpected definition",
						shapes[table].name)));
	in_shape[table] = RelationGetRelid(rel);
}

/* Returns whether this is a B-tree. */
static bool
is_btree(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool		result;

	result = HeapTupleIsValid(tuple) && ((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* Returns whether an index compares texts bytewise, as our keys do (see ScanKeyInit). */
static bool
compares_bytes(HeapTuple tuple, int nkeys)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indcollation, &isnull);
	bool		bytes = !isnull;

	for (int i = 0; bytes && i < nkeys; i++)
	{
		Oid			collation = ((oidvector *) DatumGetPointer(value))->values[i];

		bytes = !OidIsValid(collation) || collation == C_COLLATION_OID;
	}
	return bytes;
}

/*
 * Returns the index if it is a valid B-tree of all rows of rel on exactly these columns,
 * else InvalidOid: then the caller reads the table through. The owner may have made
 * another index of that name.
 */
Oid
mogo_usable_index(Oid index, Relation rel, int nkeys, const AttrNumber *keys)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_index) GETSTRUCT(tuple);
	usable = form->indrelid == RelationGetRelid(rel) && form->indisvalid &&
		form->indnkeyatts == nkeys && is_btree(index) &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	for (int i = 0; usable && i < nkeys; i++)
		usable = form->indkey.values[i] == keys[i];
	usable = usable && compares_bytes(tuple, nkeys);
	ReleaseSysCache(tuple);
	return usable ? index : InvalidOid;
}

/*
 * Returns a client's salt, MOGO_SALT_LEN bytes, where it stands in the row. Raises
 * XX000 for another length.
 */
const uint8 *
mogo_salt(Datum column)
{
	bytea	   *salt = DatumGetByteaPP(column);

	if (VARSIZE_ANY_EXHDR(salt) != MOGO_SALT_LEN)
		elog(ERROR, "unexpected length of a salt");
	return (const uint8 *) VARDATA_ANY(salt);
}

/*
 * Reads a row's array of live secrets (mogo_live_secret[]) into secrets, which has room
 * for MOGO_MAX_LIVE, and returns how many there are. The hashes point into the array.
 * No attribute is ever null, so we read them where they stand: asking the type cache for
 * the row type and deforming by it costs more than the rest of the comparison. Raises
 * XX000 for a null or for too many.
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
		const size_t fixed = offsetof(FormData_mogo_live_secret, generated) + sizeof(bool);
		HeapTupleHeader header;
		FormData_mogo_live_secret *form;
		char	   *hash;

		element = (char *) att_align_nominal(element, TYPALIGN_DOUBLE);
		header = (HeapTupleHeader) element;
		if ((header->t_infomask & HEAP_HASNULL) ||
			HeapTupleHeaderGetNatts(header) < Natts_mogo_live_secret)
			elog(ERROR, "unexpected null in a live secret");

		form = (FormData_mogo_live_secret *) (element + header->t_hoff);
		secrets[i].secret_id = form->secret_id;
		secrets[i].expires_at = form->expires_at;
		secrets[i].generated = form->generated;
		hash = (char *) form + att_align_pointer(fixed, TYPALIGN_INT, -1, (char *) form + fixed);
		secrets[i].hash = VARDATA_ANY(hash);
		secrets[i].hash_len = VARSIZE_ANY_EXHDR(hash);
		element += HeapTupleHeaderGetDatumLength(header);
	}
	return n;
}

/* Returns the one of n live secrets that has this id, or NULL. */
MogoLiveSecret *
mogo_find_live(MogoLiveSecret *secrets, int n, const pg_uuid_t *secret_id)
{
	for (int i = 0; i < n; i++)
	{
		if (mogo_same_id(&secrets[i].secret_id, secret_id))
			return &secrets[i];
	}
	return NULL;
}

/* Makes an array of at most MOGO_MAX_LIVE live secrets, as a client's row has it. */
Datum
mogo_live_array(Oid schema, const MogoLiveSecret *secrets, int n)
{
	Oid			type = live_secret_type(schema);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	Datum		elements[MOGO_MAX_LIVE];

	for (int i = 0; i < n; i++)
	{
		Datum		values[Natts_mogo_live_secret];
		bool		nulls[Natts_mogo_live_secret] = {false};

		values[0] = UUIDPGetDatum(&secrets[i].secret_id);
		values[1] = TimestampTzGetDatum(secrets[i].expires_at);
		values[2] = BoolGetDatum(secrets[i].generated);
		values[3] = PointerGetDatum(cstring_to_text_with_len(secrets[i].hash,
															 secrets[i].hash_len));
		elements[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	ReleaseTupleDesc(desc);
	return PointerGetDatum(construct_array(elements, n, type, -1, false, TYPALIGN_DOUBLE));
}
