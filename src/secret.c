/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  The life of a client's secrets: add, rotate, revoke.
 *
 * Owns the setting mogocred.max_live_secrets. The hash of a live secret stands in its
 * client's row and nowhere else, so there is one truth about what is alive. When a secret
 * ends, its hash and its end move to mogo_secret, where it has had a row from the start.
 *
 * Each function locks its client's row first (mogo_lock_client): a session that comes
 * second waits, a stale REPEATABLE READ snapshot gets 40001, and all of them lock the
 * client before its secrets, so they do not deadlock. Then the row is written once, with
 * all that the change makes of its live secrets. Every time, secrets that have expired
 * meanwhile move to mogo_secret too.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

static int	max_live_secrets = 5;

/* Defines this module's setting. */
void
mogo_secret_init(void)
{
	DefineCustomIntVariable("mogocred.max_live_secrets",
							"Sets the maximum number of live secrets per client.",
							"A rotation with an overlap needs room for one more.",
							&max_live_secrets,
							5, 1, MOGO_MAX_LIVE,
							PGC_SUSET, 0,
							NULL, NULL, NULL);
}

/* Raises 42704 for a client that does not exist. */
void
mogo_no_such_client(const pg_uuid_t *client_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("client \"%s\" does not exist", mogo_uuid_text(client_id))));
}

/* Raises 42704 for a secret that does not exist. */
void
mogo_no_such_secret(const pg_uuid_t *secret_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("secret \"%s\" does not exist", mogo_uuid_text(secret_id))));
}

/*
 * Locks a client's row until the transaction ends, and reads it. The lock writes no new
 * version of the row, and checks do not wait for it. Errors from here on name the client.
 * Returns false if there is no such client. Raises 40001 if PostgreSQL does.
 */
bool
mogo_try_lock_client(MogoChange *change, const pg_uuid_t *client_id, MogoLocked *client)
{
	static MogoStatement lock = {
		.sql = "SELECT client_name, enabled, salt, live, external_id"
		" FROM @extschema@.mogo_client WHERE client_id OPERATOR(pg_catalog.=) $1"
		" FOR NO KEY UPDATE",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	Datum		values[1] = {UUIDPGetDatum(client_id)};
	Datum		external_id;
	bool		none;

	if (mogo_execute(change, &lock, values, NULL) == 0)
		return false;
	client->client_id = *client_id;
	client->name = DatumGetTextPCopy(mogo_result(1, TEXTOID, NULL));
	client->enabled = DatumGetBool(mogo_result(2, BOOLOID, NULL));
	memcpy(client->salt, mogo_salt(mogo_result(3, BYTEAOID, NULL)), MOGO_SALT_LEN);
	client->live = DatumGetArrayTypePCopy(mogo_result(4, mogo_live_type(change->schema), NULL));
	external_id = mogo_result(5, TEXTOID, &none);
	client->external_id = none ? NULL : DatumGetTextPCopy(external_id);
	client->now = GetCurrentTimestamp();
	change->client_name = client->name;
	return true;
}

/* Locks and reads a client's row as above. Raises 42704 if there is no such client. */
void
mogo_lock_client(MogoChange *change, const pg_uuid_t *client_id, MogoLocked *client)
{
	if (!mogo_try_lock_client(change, client_id, client))
		mogo_no_such_client(client_id);
}

/* Adds the row that a secret keeps from now on, through all its life. label may be NULL. */
void
mogo_insert_secret(const MogoChange *change, const pg_uuid_t *client_id,
				   const pg_uuid_t *secret_id, TimestampTz created_at, const text *label)
{
	Datum		values[Natts_mogo_secret] = {0};
	bool		nulls[Natts_mogo_secret] = {false};

	values[Anum_mogo_secret_secret_id - 1] = UUIDPGetDatum(secret_id);
	values[Anum_mogo_secret_client_id - 1] = UUIDPGetDatum(client_id);
	values[Anum_mogo_secret_created_at - 1] = TimestampTzGetDatum(created_at);
	values[Anum_mogo_secret_created_by - 1] = CStringGetTextDatum(mogo_actor());
	/* its end and its hash are not known here before it has ended */
	nulls[Anum_mogo_secret_expires_at - 1] = true;
	nulls[Anum_mogo_secret_revoked_at - 1] = true;
	nulls[Anum_mogo_secret_hash - 1] = true;
	values[Anum_mogo_secret_label - 1] = PointerGetDatum(label);
	nulls[Anum_mogo_secret_label - 1] = label == NULL;
	mogo_insert(change, MOGO_SECRET, values, nulls);
}

/*
 * Moves a secret that has ended to mogo_secret. It is revoked if it would have lived on,
 * else expired.
 */
static void
end_secret(const MogoChange *change, const MogoLiveSecret *secret, TimestampTz now)
{
	static MogoStatement move = {
		.sql = "UPDATE @extschema@.mogo_secret SET hash = $2, expires_at = $3, revoked_at = $4"
		" WHERE secret_id OPERATOR(pg_catalog.=) $1",
		.nargs = 4,
		.argtypes = {UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
	};
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = UUIDPGetDatum(&secret->secret_id);
	values[1] = PointerGetDatum(cstring_to_text_with_len(secret->hash, secret->hash_len));
	values[2] = TimestampTzGetDatum(secret->expires_at);
	nulls[2] = secret->expires_at == DT_NOEND;
	values[3] = TimestampTzGetDatum(now);
	nulls[3] = secret->expires_at <= now;
	(void) mogo_execute(change, &move, values, nulls);
}

/*
 * Ends those of a locked client's live secrets that have expired, and revokes the one
 * that revoke names (may be NULL) or, with revoke_all, every one. The others live on,
 * until cutoff at the latest (DT_NOEND: as long as they had). Returns how many are left,
 * in secrets, which has room for MOGO_MAX_LIVE. The client's row is not written yet:
 * mogo_save_live does that.
 */
int
mogo_end_secrets(const MogoChange *change, const MogoLocked *client, bool revoke_all,
				 const pg_uuid_t *revoke, TimestampTz cutoff, MogoLiveSecret *secrets)
{
	int			n = mogo_live_secrets(client->live, secrets);
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		MogoLiveSecret secret = secrets[i];

		if (revoke_all || secret.expires_at <= client->now ||
			(revoke != NULL && mogo_same_id(&secret.secret_id, revoke)))
			end_secret(change, &secret, client->now);
		else
		{
			secret.expires_at = Min(secret.expires_at, cutoff);
			secrets[left++] = secret;
		}
	}
	return left;
}

/* Writes a locked client's row with these live secrets. */
void
mogo_save_live(const MogoChange *change, const MogoLocked *client,
			   const MogoLiveSecret *secrets, int n)
{
	static MogoStatement save = {
		.sql = "UPDATE @extschema@.mogo_client SET live = $2::@extschema@.mogo_live_secret[]"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 2,
		.argtypes = {UUIDOID, InvalidOid}
	};
	Oid			type = mogo_live_type(change->schema);
	Datum		values[2];

	/*
	 * another type since the extension was made anew: the old plan has the
	 * old one
	 */
	if (save.argtypes[1] != type)
	{
		save.argtypes[1] = type;
		save.plan = NULL;
	}
	values[0] = UUIDPGetDatum(&client->client_id);
	values[1] = mogo_live_array(change->schema, secrets, n);
	mogo_change_row(change, &save, values, NULL);
}

/* Raises 54000 if a client with n live secrets may have no more. */
void
mogo_check_room(const MogoLocked *client, int n)
{
	if (n < max_live_secrets)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("client \"%s\" has too many live secrets", text_to_cstring(client->name)),
			 errdetail("The limit is %d at a time.", max_live_secrets),
			 max_live_secrets < MOGO_MAX_LIVE ?
			 errhint("Revoke one with mogo_revoke_secret, or raise \"mogocred.max_live_secrets\".") :
			 errhint("Revoke one with mogo_revoke_secret.")));
}

/*
 * Returns the record's detail: what a new secret was given, and members (NULL: no more).
 */
static const char *
new_secret_detail(const char *members, TimestampTz expires_at, const text *label)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	if (members != NULL)
		appendStringInfo(&detail, "%s, ", members);
	mogo_append_secret(&detail, expires_at, label);
	appendStringInfoChar(&detail, '}');
	return detail.data;
}

/*
 * Writes the row of a locked client, of whose live secrets n are left, with one more in
 * secrets[n], and that one's own row and record. members are further JSON members of the
 * record's detail, or NULL.
 */
void
mogo_add_live(const MogoChange *change, const MogoLocked *client, const MogoLiveSecret *secrets,
			  int n, const text *label, const char *action, const char *members)
{
	const pg_uuid_t *secret_id = &secrets[n].secret_id;

	mogo_save_live(change, client, secrets, n + 1);
	mogo_insert_secret(change, &client->client_id, secret_id, client->now, label);
	mogo_record(change, action, &client->client_id, client->name, secret_id,
				new_secret_detail(members, secrets[n].expires_at, label));
}

/*
 * Gives a locked client, of whose live secrets n are left, one more, and writes its row.
 * Returns its mogo_credentials, and ends the change. members are as above. Raises 54000
 * if it would be too many, 22023 if the expiry that was asked for passed while we waited
 * for the lock, and 0A000 for a second one in the same query.
 */
Datum
mogo_issue_secret(FunctionCallInfo fcinfo, MogoChange *change, const MogoLocked *client,
				  MogoLiveSecret *secrets, int n, TimestampTz asked_expiry, const text *label,
				  const char *action, const char *members)
{
	TimestampTz expires_at = mogo_secret_expiry(asked_expiry, client->now);
	MogoNewSecret secret;
	volatile Datum result = (Datum) 0;

	mogo_check_room(client, n);
	mogo_one_call(fcinfo, &client->client_id);

	PG_TRY();
	{
		mogo_new_secret(&secret, client->salt);
		secrets[n].secret_id = secret.id;
		secrets[n].expires_at = expires_at;
		secrets[n].generated = true;
		secrets[n].hash = secret.hash;
		secrets[n].hash_len = MOGO_HASH_TEXT_LEN;
		mogo_add_live(change, client, secrets, n, label, action, members);
		result = mogo_credentials(fcinfo, client->name, &client->client_id,
								  client->external_id, &secret, client->now, expires_at);
	}
	PG_FINALLY();
	{
		secrets[n].hash = NULL;
		explicit_bzero(&secret, sizeof(secret));
	}
	PG_END_TRY();
	mogo_end(change);
	return result;
}

/* Returns the expiry that is asked for, or DT_NOEND for NULL. Raises 22023. */
static TimestampTz
expiry_arg(FunctionCallInfo fcinfo, int argno)
{
	TimestampTz asked = mogo_expiry_arg(fcinfo, argno);

	(void) mogo_secret_expiry(asked, GetCurrentTimestamp());
	return asked;
}

/* Returns a label that may be NULL. Raises 22023. */
const text *
mogo_label_arg(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		return NULL;
	mogo_check_label(PG_GETARG_TEXT_PP(argno));
	return PG_GETARG_TEXT_PP(argno);
}

PG_FUNCTION_INFO_V1(mogo_add_secret);
PG_FUNCTION_INFO_V1(mogo_rotate_secret);
PG_FUNCTION_INFO_V1(mogo_revoke_secret);

/*
 * mogo_add_secret(client_id uuid, expires_at timestamptz, label text) returns
 * mogo_credentials: one more live secret, the others untouched.
 */
Datum
mogo_add_secret(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoLocked	client;
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	TimestampTz expires_at;
	const text *label;
	int			n;

	mogo_begin(&change, fcinfo, 3, "mogo_add_secret()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	expires_at = expiry_arg(fcinfo, 1);
	label = mogo_label_arg(fcinfo, 2);
	mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
	n = mogo_end_secrets(&change, &client, false, NULL, DT_NOEND, secrets);
	return mogo_issue_secret(fcinfo, &change, &client, secrets, n, expires_at, label,
							 "secret_added", NULL);
}

/*
 * mogo_rotate_secret(client_id uuid, overlap interval, expires_at timestamptz, label
 * text) returns mogo_credentials: a new secret. The others end after overlap at the
 * latest, or now, as revoked, if it is zero.
 */
Datum
mogo_rotate_secret(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoLocked	client;
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	TimestampTz expires_at;
	TimestampTz cutoff;
	Interval   *overlap;
	const text *label;
	int			n;

	mogo_begin(&change, fcinfo, 4, "mogo_rotate_secret()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	mogo_require(fcinfo, 1, "overlap");
	overlap = PG_GETARG_INTERVAL_P(1);
	expires_at = expiry_arg(fcinfo, 2);
	label = mogo_label_arg(fcinfo, 3);
	(void) mogo_add_interval("overlap", overlap, GetCurrentTimestamp(), 1);
	mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
	/* the overlap starts when the others can no longer change: after any wait */
	cutoff = mogo_add_interval("overlap", overlap, client.now, 1);
	n = mogo_end_secrets(&change, &client, cutoff == client.now, NULL, cutoff, secrets);
	return mogo_issue_secret(fcinfo, &change, &client, secrets, n, expires_at, label,
							 "secret_rotated",
							 psprintf("\"others_end_at\": \"%s\"", timestamptz_to_str(cutoff)));
}

/*
 * mogo_revoke_secret(secret_id uuid) returns void: the secret ends at commit. One that
 * has expired counts as revoked from now on. One that was revoked before stays as it was,
 * and nothing is locked or recorded.
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
	MogoChange	change;
	MogoLocked	client;
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	pg_uuid_t  *secret_id;
	Datum		values[2];
	int			before;
	int			n;

	mogo_begin(&change, fcinfo, 1, "mogo_revoke_secret()");
	mogo_require(fcinfo, 0, "secret_id");
	secret_id = PG_GETARG_UUID_P(0);
	values[0] = UUIDPGetDatum(secret_id);
	if (mogo_read_latest(&change, &find, values, NULL) == 0)
		mogo_no_such_secret(secret_id);
	if (DatumGetBool(mogo_result(2, BOOLOID, NULL)))
	{
		mogo_end(&change);
		PG_RETURN_VOID();
	}
	mogo_lock_client(&change, DatumGetUUIDP(mogo_result(1, UUIDOID, NULL)), &client);

	/* what was read before the lock may have changed while we waited */
	if (mogo_execute(&change, &find, values, NULL) == 0)
		mogo_no_such_secret(secret_id);
	if (!DatumGetBool(mogo_result(2, BOOLOID, NULL)))
	{
		before = ArrayGetNItems(ARR_NDIM(client.live), ARR_DIMS(client.live));
		n = mogo_end_secrets(&change, &client, false, secret_id, DT_NOEND, secrets);
		if (n < before)
			mogo_save_live(&change, &client, secrets, n);

		/* a live one has been marked by now; this is for one that had expired */
		values[1] = TimestampTzGetDatum(client.now);
		(void) mogo_execute(&change, &mark, values, NULL);
		mogo_record(&change, "secret_revoked", &client.client_id, client.name, secret_id, NULL);
	}
	mogo_end(&change);
	PG_RETURN_VOID();
}
