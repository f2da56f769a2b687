/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  The life of a client's secrets: add, rotate, revoke.
 *
 * Owns the setting mogocred.max_live_secrets. The hash of a live secret stands
 * in its client's row and nowhere else, so there is one truth about what is
 * alive; when a secret ends, its hash and its end move to mogo_secret, whose row
 * it had from the start. Each function's first act on a client is an UPDATE of
 * its row: whoever comes second waits for it, a stale REPEATABLE READ snapshot
 * gets 40001, and all of them lock the client before its secrets, so they do not
 * deadlock. Every time, secrets that have expired meanwhile are moved too.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

static int	max_live_secrets = 5;

/* Defines this module's setting. */
void
mogo_secret_init(void)
{
	DefineCustomIntVariable("mogocred.max_live_secrets",
							"Most secrets that a client may have alive at a time.",
							"A rotation with an overlap needs room for one more.",
							&max_live_secrets,
							5, 1, MOGO_MAX_LIVE,
							PGC_SUSET, 0,
							NULL, NULL, NULL);
}

/* Raises 42704 for a client that is not there. */
static void
no_such_client(const pg_uuid_t *client_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("client \"%s\" does not exist",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(client_id))))));
}

/* The same for a secret. */
static void
no_such_secret(const pg_uuid_t *secret_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("secret \"%s\" does not exist",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(secret_id))))));
}

/*
 * Takes hold of a client's row, by an UPDATE that changes nothing, and reads it.
 * Raises 42704, or 40001 where PostgreSQL does.
 */
void
mogo_lock_client(const pg_uuid_t *client_id, MogoLocked *client)
{
	static MogoStatement lock = {
		.sql = "UPDATE @extschema@.mogo_client SET enabled = enabled"
		" WHERE client_id OPERATOR(pg_catalog.=) $1"
		" RETURNING client_name, enabled, salt",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	Datum		values[1] = {UUIDPGetDatum(client_id)};

	if (mogo_execute(&lock, values, NULL) == 0)
		no_such_client(client_id);
	client->client_id = *client_id;
	client->name = DatumGetTextPCopy(mogo_result(1, TEXTOID, NULL));
	client->enabled = DatumGetBool(mogo_result(2, BOOLOID, NULL));
	memcpy(client->salt, mogo_salt(mogo_result(3, BYTEAOID, NULL)), MOGO_SALT_LEN);
	client->now = GetCurrentTimestamp();
}

/* The row that a secret keeps from now on, through all its life. */
void
mogo_insert_secret(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
				   TimestampTz created_at)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	/* in the order of mogo_secret's columns; of its end nothing is known yet */
	values[0] = UUIDPGetDatum(secret_id);
	values[1] = UUIDPGetDatum(client_id);
	values[2] = TimestampTzGetDatum(created_at);
	values[3] = CStringGetTextDatum(mogo_actor());
	mogo_insert("mogo_secret", lengthof(values), values, nulls);
}

/*
 * Ends a client's live secrets: those that have expired, and as revoked the one
 * named by revoke (may be NULL) or, with revoke_all, every one. They move to
 * mogo_secret. The others live on, until cutoff at the latest (DT_NOEND: as long
 * as they had). Returns how many are left.
 */
static int
end_secrets(const MogoLocked *client, bool revoke_all, const pg_uuid_t *revoke,
			TimestampTz cutoff)
{
	static MogoStatement move = {
		.sql = "UPDATE @extschema@.mogo_secret AS s"
		" SET hash = l.hash,"
		" expires_at = CASE WHEN pg_catalog.isfinite(l.expires_at) THEN l.expires_at END,"
		" revoked_at = CASE WHEN l.expires_at OPERATOR(pg_catalog.>) $2 THEN $2 END"
		" FROM @extschema@.mogo_client AS c, LATERAL pg_catalog.unnest(c.live) AS l"
		" WHERE c.client_id OPERATOR(pg_catalog.=) $1"
		" AND s.secret_id OPERATOR(pg_catalog.=) l.secret_id"
		" AND (l.expires_at OPERATOR(pg_catalog.<=) $2 OR $3"
		" OR l.secret_id OPERATOR(pg_catalog.=) $4)",
		.nargs = 4,
		.argtypes = {UUIDOID, TIMESTAMPTZOID, BOOLOID, UUIDOID}
	};
	static MogoStatement keep = {
		.sql = "UPDATE @extschema@.mogo_client SET live = ARRAY("
		"SELECT ROW(l.secret_id, LEAST(l.expires_at, $5), l.hash)::@extschema@.mogo_live_secret"
		" FROM pg_catalog.unnest(live) AS l"
		" WHERE l.expires_at OPERATOR(pg_catalog.>) $2 AND NOT $3"
		" AND ($4 IS NULL OR l.secret_id OPERATOR(pg_catalog.<>) $4))"
		" WHERE client_id OPERATOR(pg_catalog.=) $1"
		" RETURNING pg_catalog.cardinality(live)",
		.nargs = 5,
		.argtypes = {UUIDOID, TIMESTAMPTZOID, BOOLOID, UUIDOID, TIMESTAMPTZOID}
	};
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = UUIDPGetDatum(&client->client_id);
	values[1] = TimestampTzGetDatum(client->now);
	values[2] = BoolGetDatum(revoke_all);
	values[3] = UUIDPGetDatum(revoke);
	nulls[3] = revoke == NULL;
	values[4] = TimestampTzGetDatum(cutoff);
	mogo_execute(&move, values, nulls);
	mogo_change_row(&keep, values, nulls);
	return DatumGetInt32(mogo_result(1, INT4OID, NULL));
}

/*
 * Is this the row type mogo_credentials as the script made it? We fill in and read
 * its attributes by number, and whoever owns the type (no superuser, perhaps) can
 * alter it. Raises 42P16 before a number is taken for a pointer.
 */
void
mogo_check_credentials(TupleDesc desc)
{
	static const Oid types[] = {
		TEXTOID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID
	};
	bool		same = desc->natts == lengthof(types);

	for (int i = 0; same && i < lengthof(types); i++)
		same = TupleDescAttr(desc, i)->atttypid == types[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("type \"mogo_credentials\" of extension mogocred is not as it was made")));
}

/*
 * A row of type mogo_credentials. It holds the secret in clear and is the
 * caller's; called after mogo_end, so that it is the caller's memory too.
 */
Datum
mogo_credentials(FunctionCallInfo fcinfo, text *name, const pg_uuid_t *client_id,
				 const MogoNewSecret *secret, TimestampTz issued_at,
				 TimestampTz expires_at)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "unexpected result type");
	mogo_check_credentials(desc);
	values[0] = PointerGetDatum(name);
	values[1] = UUIDPGetDatum(client_id);
	values[2] = PointerGetDatum(&secret->clear.datum);
	values[3] = UUIDPGetDatum(&secret->id);
	values[4] = TimestampTzGetDatum(issued_at);
	values[5] = TimestampTzGetDatum(expires_at);
	nulls[5] = expires_at == DT_NOEND;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * Gives a locked client, which has n live secrets, one more. Raises 54000 where
 * it would be too many, and 22023 where its expiry passed while we waited for the
 * client. Ends the change (mogo_end).
 */
static Datum
add_secret(FunctionCallInfo fcinfo, const MogoLocked *client, int n,
		   TimestampTz expires_at, const char *action, Datum detail)
{
	static MogoStatement append = {
		.sql = "UPDATE @extschema@.mogo_client SET live = pg_catalog.array_append(live,"
		" ROW($2, $3, $4)::@extschema@.mogo_live_secret)"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 4,
		.argtypes = {UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID}
	};
	MogoNewSecret secret;
	Datum		values[4];
	volatile Datum result = (Datum) 0;

	if (expires_at != DT_NOEND)
		mogo_check_expiry(expires_at, client->now);
	if (n >= max_live_secrets)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("client \"%s\" has too many live secrets", text_to_cstring(client->name)),
				 errdetail("The limit is %d at a time.", max_live_secrets),
				 errhint("Revoke one with mogo_revoke_secret, or raise mogocred.max_live_secrets.")));

	PG_TRY();
	{
		mogo_new_secret(&secret, client->salt);
		values[0] = UUIDPGetDatum(&client->client_id);
		values[1] = UUIDPGetDatum(&secret.id);
		values[2] = TimestampTzGetDatum(expires_at);
		values[3] = PointerGetDatum(cstring_to_text_with_len(secret.hash, MOGO_HASH_TEXT_LEN));
		mogo_change_row(&append, values, NULL);
		mogo_insert_secret(&client->client_id, &secret.id, client->now);
		mogo_record(action, &client->client_id, PointerGetDatum(client->name), &secret.id, detail);
		mogo_end();
		result = mogo_credentials(fcinfo, client->name, &client->client_id, &secret,
								  client->now, expires_at);
	}
	PG_FINALLY();
	{
		explicit_bzero(&secret, sizeof(secret));
	}
	PG_END_TRY();
	return result;
}

/* An expiry that may be NULL: DT_NOEND then. Raises 22023. */
static TimestampTz
expiry_arg(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		return DT_NOEND;
	mogo_check_expiry(PG_GETARG_TIMESTAMPTZ(argno), GetCurrentTimestamp());
	return PG_GETARG_TIMESTAMPTZ(argno);
}

PG_FUNCTION_INFO_V1(mogo_add_secret);
PG_FUNCTION_INFO_V1(mogo_rotate_secret);
PG_FUNCTION_INFO_V1(mogo_revoke_secret);

/*
 * mogo_add_secret(client_id uuid, expires_at timestamptz) returns
 * mogo_credentials: one more live secret, the others untouched.
 */
Datum
mogo_add_secret(PG_FUNCTION_ARGS)
{
	MogoLocked	client;
	TimestampTz expires_at;
	int			n;

	mogo_begin(fcinfo, "mogo_add_secret()");
	mogo_require(fcinfo, 0, "client_id");
	expires_at = expiry_arg(fcinfo, 1);
	mogo_lock_client(PG_GETARG_UUID_P(0), &client);
	n = end_secrets(&client, false, NULL, DT_NOEND);
	return add_secret(fcinfo, &client, n, expires_at, "secret_added", (Datum) 0);
}

/*
 * mogo_rotate_secret(client_id uuid, overlap interval, expires_at timestamptz)
 * returns mogo_credentials: a new secret; the others end after overlap at the
 * latest, or now, as revoked, where it is zero.
 */
Datum
mogo_rotate_secret(PG_FUNCTION_ARGS)
{
	MogoLocked	client;
	TimestampTz expires_at;
	TimestampTz cutoff;
	Interval   *overlap;
	char	   *detail;
	int			n;

	mogo_begin(fcinfo, "mogo_rotate_secret()");
	mogo_require(fcinfo, 0, "client_id");
	mogo_require(fcinfo, 1, "overlap");
	overlap = PG_GETARG_INTERVAL_P(1);
	expires_at = expiry_arg(fcinfo, 2);
	(void) mogo_add_interval("overlap", overlap, GetCurrentTimestamp(), 1);
	mogo_lock_client(PG_GETARG_UUID_P(0), &client);
	/* the overlap starts when the others can no longer change: after any wait */
	cutoff = mogo_add_interval("overlap", overlap, client.now, 1);
	n = end_secrets(&client, cutoff == client.now, NULL, cutoff);
	detail = psprintf("{\"others_end_at\": \"%s\"}",
					  timestamptz_to_str(cutoff));
	return add_secret(fcinfo, &client, n, expires_at, "secret_rotated",
					  DirectFunctionCall1(jsonb_in, CStringGetDatum(detail)));
}

/*
 * mogo_revoke_secret(secret_id uuid) returns void: the secret ends at commit.
 * One that has expired counts as revoked from now on; one that was revoked
 * before stays as it was, and nothing is recorded.
 */
Datum
mogo_revoke_secret(PG_FUNCTION_ARGS)
{
	static MogoStatement find = {
		.sql = "SELECT client_id, revoked_at IS NOT NULL FROM @extschema@.mogo_secret"
		" WHERE secret_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement mark = {
		.sql = "UPDATE @extschema@.mogo_secret SET revoked_at = $2"
		" WHERE secret_id OPERATOR(pg_catalog.=) $1 AND revoked_at IS NULL",
		.nargs = 2,
		.argtypes = {UUIDOID, TIMESTAMPTZOID}
	};
	pg_uuid_t  *secret_id;
	MogoLocked	client;
	Datum		values[2];

	mogo_begin(fcinfo, "mogo_revoke_secret()");
	mogo_require(fcinfo, 0, "secret_id");
	secret_id = PG_GETARG_UUID_P(0);
	values[0] = UUIDPGetDatum(secret_id);
	if (mogo_execute(&find, values, NULL) == 0)
		no_such_secret(secret_id);
	mogo_lock_client(DatumGetUUIDP(mogo_result(1, UUIDOID, NULL)), &client);

	/* what was read before the lock may have changed while we waited */
	if (mogo_execute(&find, values, NULL) == 0)
		no_such_secret(secret_id);
	if (DatumGetBool(mogo_result(2, BOOLOID, NULL)))
	{
		mogo_end();
		PG_RETURN_VOID();
	}
	(void) end_secrets(&client, false, secret_id, DT_NOEND);

	/* live ones have been marked by now; this is for one that had expired */
	values[1] = TimestampTzGetDatum(client.now);
	(void) mogo_execute(&mark, values, NULL);
	mogo_record("secret_revoked", &client.client_id, PointerGetDatum(client.name), secret_id, (Datum) 0);
	mogo_end();
	PG_RETURN_VOID();
}
