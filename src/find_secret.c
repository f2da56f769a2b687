/*-------------------------------------------------------------------------
 *
 * find_secret.c
 *	  Whose is this secret? mogo_find_secret.
 *
 * For a secret that leaked without its client's id, as a secret scanner reports it. Each
 * client has a salt of its own, so there is no index to look in: we go through all
 * clients and all ended secrets once, with the secret's SHA-256 computed once, and one
 * more hash a client. Both tables are read with the same snapshot, taken when the
 * function is called, so a secret that is revoked meanwhile is found in one of them.
 *
 * Only native hashes are compared. A slow one would take a tenth of a second, for each
 * of perhaps many clients; the function says how many others there are.
 *
 * Reads the tables as a check does, without rights on them: who may call it is what
 * counts. Nothing is written or counted, so it runs on a standby too.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/table.h"
#include "access/tableam.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

/* The columns of its rows, in SQL's order */
#define FOUND_CLIENT_ID		0
#define FOUND_CLIENT_NAME	1
#define FOUND_EXTERNAL_ID	2
#define FOUND_SECRET_ID		3
#define FOUND_STATUS		4
#define FOUND_COLUMNS		5

typedef struct FindSecret
{
	Oid			function;
	ReturnSetInfo *result;		/* the rows go into its tuplestore */
	MogoPresented presented;	/* the secret, and its hash with the last salt */
	TimestampTz now;
	int64		others;			/* secrets whose hash is not native */
} FindSecret;

/* Adds a row to the result. external_id may be absent. */
static void
add_row(FindSecret *find, const pg_uuid_t *client_id, Datum client_name, Datum external_id,
		bool no_external_id, const pg_uuid_t *secret_id, const char *status)
{
	Datum		values[FOUND_COLUMNS];
	bool		nulls[FOUND_COLUMNS] = {false};

	values[FOUND_CLIENT_ID] = UUIDPGetDatum(client_id);
	values[FOUND_CLIENT_NAME] = client_name;
	values[FOUND_EXTERNAL_ID] = external_id;
	nulls[FOUND_EXTERNAL_ID] = no_external_id;
	values[FOUND_SECRET_ID] = UUIDPGetDatum(secret_id);
	values[FOUND_STATUS] = CStringGetTextDatum(status);
	tuplestore_putvalues(find->result->setResult, find->result->setDesc, values, nulls);
}

/* Computes the stored form that the secret would have with this salt. */
static void
hash_with(FindSecret *find, const uint8 *salt)
{
	if (!mogo_hash_text(salt, find->presented.digest, find->presented.hash))
		mogo_hash_failed();
}

/*
 * Compares the secret with a client's live ones. Those that have expired meanwhile stand
 * there too.
 */
static void
search_client(FindSecret *find, TupleTableSlot *slot)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	bool		hashed = false;
	int			n;

	slot_getsomeattrs(slot, Anum_mogo_client_live);
	if (slot->tts_isnull[Anum_mogo_client_client_id - 1] ||
		slot->tts_isnull[Anum_mogo_client_salt - 1] ||
		slot->tts_isnull[Anum_mogo_client_live - 1])
		elog(ERROR, "unexpected null in a client's row");
	n = mogo_live_secrets(DatumGetArrayTypeP(slot->tts_values[Anum_mogo_client_live - 1]),
						  secrets);
	for (int i = 0; i < n; i++)
	{
		Datum		name;
		Datum		external_id;
		bool		none;

		if (!mogo_is_native(secrets[i].hash, secrets[i].hash_len))
		{
			find->others++;
			continue;
		}
		if (!hashed)
			hash_with(find, mogo_salt(slot->tts_values[Anum_mogo_client_salt - 1]));
		hashed = true;
		if (!mogo_equal(secrets[i].hash, find->presented.hash, MOGO_HASH_TEXT_LEN))
			continue;
		name = slot_getattr(slot, Anum_mogo_client_client_name, &none);
		external_id = slot_getattr(slot, Anum_mogo_client_external_id, &none);
		add_row(find, DatumGetUUIDP(slot->tts_values[Anum_mogo_client_client_id - 1]), name,
				external_id, none, &secrets[i].secret_id,
				secrets[i].expires_at > find->now ? "active" : "expired");
	}
}

/* Adds a row for an ended secret, if its client still exists. */
static void
add_ended(FindSecret *find, const pg_uuid_t *client_id, const pg_uuid_t *secret_id, bool revoked)
{
	MogoPresented presented;
	MogoLookup	lookup;

	mogo_present_nothing(&presented);
	presented.has_id = true;
	presented.id = *client_id;
	mogo_lookup_begin(&lookup, find->function, &presented);
	if (lookup.found)
	{
		bool		none;
		Datum		name = mogo_lookup_column(&lookup, Anum_mogo_client_client_name, &none);
		Datum		external_id = mogo_lookup_column(&lookup, Anum_mogo_client_external_id, &none);

		add_row(find, client_id, name, external_id, none, secret_id,
				revoked ? "revoked" : "expired");
	}
	mogo_lookup_end(&lookup);
}

/*
 * Compares the secret with an ended one. Its hash names the salt; that of a live secret
 * is not here.
 */
static void
search_ended(FindSecret *find, TupleTableSlot *slot)
{
	uint8		salt[MOGO_SALT_LEN];
	text	   *stored;
	const char *hash;

	slot_getsomeattrs(slot, Anum_mogo_secret_hash);
	if (slot->tts_isnull[Anum_mogo_secret_hash - 1])
		return;
	stored = DatumGetTextPP(slot->tts_values[Anum_mogo_secret_hash - 1]);
	hash = VARDATA_ANY(stored);
	if (!mogo_is_native(hash, VARSIZE_ANY_EXHDR(stored)))
	{
		find->others++;
		return;
	}
	hex_decode(hash + strlen("sha256$"), 2 * MOGO_SALT_LEN, (char *) salt);
	hash_with(find, salt);
	if (mogo_equal(hash, find->presented.hash, MOGO_HASH_TEXT_LEN))
		add_ended(find, DatumGetUUIDP(slot->tts_values[Anum_mogo_secret_client_id - 1]),
				  DatumGetUUIDP(slot->tts_values[Anum_mogo_secret_secret_id - 1]),
				  !slot->tts_isnull[Anum_mogo_secret_revoked_at - 1]);
}

/*
 * Goes through a table's rows. What fetching a row's columns may have to allocate goes
 * with the row.
 */
static void
search_table(FindSecret *find, Relation rel, Snapshot snapshot,
			 void (*search) (FindSecret *find, TupleTableSlot *slot))
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "mogocred row", ALLOCSET_SMALL_SIZES);
	TableScanDesc scan = mogo_table_beginscan(rel, snapshot);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext context = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		search(find, slot);
		MemoryContextSwitchTo(context);
		MemoryContextReset(row_context);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	MemoryContextDelete(row_context);
}

/* Goes through both tables, with one snapshot of what is committed now. */
static void
search_all(FindSecret *find)
{
	Relation	clients = table_open(mogo_table(find->function, MOGO_CLIENT), AccessShareLock);
	Relation	secrets = table_open(mogo_table(find->function, MOGO_SECRET), AccessShareLock);
	Snapshot	snapshot;

	mogo_check_table(clients, MOGO_CLIENT);
	mogo_check_table(secrets, MOGO_SECRET);
	snapshot = RegisterSnapshot(GetCatalogSnapshot(RelationGetRelid(clients)));
	search_table(find, clients, snapshot, search_client);
	search_table(find, secrets, snapshot, search_ended);
	UnregisterSnapshot(snapshot);
	table_close(secrets, AccessShareLock);
	table_close(clients, AccessShareLock);
}

PG_FUNCTION_INFO_V1(mogo_find_secret);

/*
 * mogo_find_secret(client_secret text) returns a row for each client that has or had this
 * secret: usually one or none. Raises 22004 for NULL.
 */
Datum
mogo_find_secret(PG_FUNCTION_ARGS)
{
	FindSecret	find;

	InitMaterializedSRF(fcinfo, 0);
	find.result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (find.result->setDesc->natts != FOUND_COLUMNS)
		elog(ERROR, "unexpected result type");
	mogo_require(fcinfo, 0, "client_secret");
	find.function = fcinfo->flinfo->fn_oid;
	find.now = GetCurrentTimestamp();
	find.others = 0;
	mogo_present_nothing(&find.presented);
	PG_TRY();
	{
		mogo_present_secret(fcinfo, 0, &find.presented);
		if (find.presented.has_secret)
		{
			if (!mogo_sha256(find.presented.secret, find.presented.secret_len, NULL, 0,
							 find.presented.digest))
				mogo_hash_failed();
			search_all(&find);
		}
	}
	PG_FINALLY();
	{
		mogo_wipe(&find.presented);
	}
	PG_END_TRY();
	if (find.others > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld secret with a hash of another kind was not compared",
							   "%lld secrets with a hash of another kind were not compared",
							   (unsigned long) find.others, (long long) find.others),
				 errhint("They were imported. If the secret may be one of theirs, ask mogo_verify_status for each of their clients.")));
	return (Datum) 0;
}
