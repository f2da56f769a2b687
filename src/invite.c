/*-------------------------------------------------------------------------
 *
 * invite.c
 *	  Invitations: a code, to be accepted once, in place of a secret.
 *
 * An administrator makes an invitation and sends its code; the owner of the client
 * presents the code (portal.c) and gets a secret that nobody else has seen. The secret is
 * made at that moment, so nothing that is stored can be turned into it. Of the code we
 * keep the SHA-256, which is enough for 256 random bits (hash.c says why).
 *
 * Every change of an invitation locks the client's row first, so a code is accepted once,
 * and never after its revocation.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

/* The type mogo_invitation, in the script's order */
#define Natts_mogo_invitation	5

/*
 * Makes a row of type mogo_invitation. It holds the code in clear and is the caller's.
 * Raises 42P16.
 */
static Datum
make_invitation(FunctionCallInfo fcinfo, const MogoLocked *client, const MogoNewCode *code,
				TimestampTz expires_at)
{
	static const Oid types[Natts_mogo_invitation] = {
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID
	};
	TupleDesc	desc;
	Datum		values[Natts_mogo_invitation];
	bool		nulls[Natts_mogo_invitation] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "unexpected result type");
	mogo_check_row_type(desc, "mogo_invitation", types, lengthof(types));
	values[0] = UUIDPGetDatum(&code->id);
	values[1] = UUIDPGetDatum(&client->client_id);
	values[2] = PointerGetDatum(client->name);
	values[3] = PointerGetDatum(&code->clear.datum);
	values[4] = TimestampTzGetDatum(expires_at);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Adds the row of an invitation. overlap, secret_expires_at and label may be absent. */
static void
insert_invitation(FunctionCallInfo fcinfo, const MogoChange *change,
				  const MogoLocked *client, const MogoNewCode *code, TimestampTz expires_at)
{
	Datum		values[Natts_mogo_invitation_code] = {0};
	bool		nulls[Natts_mogo_invitation_code] = {false};

#define PUT(column, value, absent) \
	(values[Anum_mogo_invitation_code_##column - 1] = (value), \
	 nulls[Anum_mogo_invitation_code_##column - 1] = (absent))

	PUT(invitation_id, UUIDPGetDatum(&code->id), false);
	PUT(client_id, UUIDPGetDatum(&client->client_id), false);
	PUT(code_hash, PointerGetDatum(cstring_to_text_with_len((const char *) code->digest,
															MOGO_DIGEST_LEN)), false);
	PUT(created_at, TimestampTzGetDatum(client->now), false);
	PUT(created_by, CStringGetTextDatum(mogo_actor()), false);
	PUT(expires_at, TimestampTzGetDatum(expires_at), false);
	PUT(overlap, PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	PUT(secret_expires_at, PG_GETARG_DATUM(3), PG_ARGISNULL(3));
	PUT(secret_label, PG_GETARG_DATUM(4), PG_ARGISNULL(4));
	PUT(accepted_at, (Datum) 0, true);
	PUT(accepted_from, (Datum) 0, true);
	PUT(revoked_at, (Datum) 0, true);
#undef PUT
	mogo_insert(change, MOGO_INVITATION_CODE, values, nulls);
}

/* Returns the record's detail of an invitation, as JSON text. */
static char *
invitation_detail(const pg_uuid_t *invitation_id, TimestampTz expires_at)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"invitation_id\": ");
	mogo_append_uuid(&detail, invitation_id);
	if (expires_at != DT_NOEND)
		appendStringInfo(&detail, ", \"expires_at\": \"%s\"", timestamptz_to_str(expires_at));
	appendStringInfoChar(&detail, '}');
	return detail.data;
}

PG_FUNCTION_INFO_V1(mogo_invite);
PG_FUNCTION_INFO_V1(mogo_revoke_invitation);

/*
 * mogo_invite(client_id uuid, valid_for interval, overlap interval, expires_at
 * timestamptz, label text) returns mogo_invitation. The last three are about the secret
 * that the code is good for: with an overlap it comes by rotation, else beside the others.
 * Its end has to be later than the invitation's, so that no code leads to a dead secret.
 */
Datum
mogo_invite(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoLocked	client;
	MogoNewCode code;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz asked_expiry;
	TimestampTz expires_at;
	volatile Datum result = (Datum) 0;

	mogo_begin(&change, fcinfo, 5, "mogo_invite()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	mogo_require(fcinfo, 1, "valid_for");
	if (mogo_add_interval("valid_for", PG_GETARG_INTERVAL_P(1), now, 1) <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("valid_for must be greater than zero")));
	if (!PG_ARGISNULL(2))
		(void) mogo_add_interval("overlap", PG_GETARG_INTERVAL_P(2), now, 1);
	asked_expiry = mogo_expiry_arg(fcinfo, 3);
	if (asked_expiry != DT_NOEND)
		mogo_check_expiry(asked_expiry, now);
	if (!PG_ARGISNULL(4))
		mogo_check_label(PG_GETARG_TEXT_PP(4));

	mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
	mogo_one_call(fcinfo, &client.client_id);
	expires_at = mogo_add_interval("valid_for", PG_GETARG_INTERVAL_P(1), client.now, 1);
	if (asked_expiry <= expires_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry of the secret must be later than that of the invitation")));

	/*
	 * the longest lifetime counts from the acceptance, which may be as late
	 * as that
	 */
	(void) mogo_secret_expiry(asked_expiry, expires_at);

	PG_TRY();
	{
		mogo_new_code(&code);
		insert_invitation(fcinfo, &change, &client, &code, expires_at);
		mogo_record(&change, "client_invited", &client.client_id, client.name, NULL,
					invitation_detail(&code.id, expires_at));
		result = make_invitation(fcinfo, &client, &code, expires_at);
	}
	PG_FINALLY();
	{
		explicit_bzero(&code, sizeof(code));
	}
	PG_END_TRY();
	mogo_end(&change);
	PG_RETURN_DATUM(result);
}

/* Raises 42704 for an invitation that does not exist. */
static void
no_such_invitation(const pg_uuid_t *invitation_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("invitation \"%s\" does not exist", mogo_uuid_text(invitation_id))));
}

/*
 * mogo_revoke_invitation(invitation_id uuid) returns void: the code is good for nothing
 * from now on. One that was revoked before stays as it was, and nothing is recorded.
 * Raises 42704 for an unknown invitation, and 55000 for an accepted one, because its
 * secret would live on.
 */
Datum
mogo_revoke_invitation(PG_FUNCTION_ARGS)
{
	static MogoStatement find = {
		.sql = "SELECT client_id, accepted_at IS NOT NULL, revoked_at IS NOT NULL"
		" FROM @extschema@.mogo_invitation_code"
		" WHERE invitation_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement mark = {
		.sql = "UPDATE @extschema@.mogo_invitation_code SET revoked_at = $2"
		" WHERE invitation_id OPERATOR(pg_catalog.=) $1",
		.nargs = 2,
		.argtypes = {UUIDOID, TIMESTAMPTZOID}
	};
	MogoChange	change;
	MogoLocked	client;
	pg_uuid_t  *invitation_id;
	Datum		values[2];

	mogo_begin(&change, fcinfo, 1, "mogo_revoke_invitation()");
	mogo_require(fcinfo, 0, "invitation_id");
	invitation_id = PG_GETARG_UUID_P(0);
	values[0] = UUIDPGetDatum(invitation_id);

	/*
	 * once without a lock, because there may be nothing to do, and once with
	 * it
	 */
	if (mogo_read_latest(&change, &find, values, NULL) == 0)
		no_such_invitation(invitation_id);
	if (DatumGetBool(mogo_result(3, BOOLOID, NULL)))
	{
		mogo_end(&change);
		PG_RETURN_VOID();
	}
	if (!mogo_try_lock_client(&change, DatumGetUUIDP(mogo_result(1, UUIDOID, NULL)), &client) ||
		mogo_execute(&change, &find, values, NULL) == 0)
	{
		/* it exists, or did a moment ago: an older snapshot may not show it */
		if (IsolationUsesXactSnapshot())
			mogo_stale_snapshot();
		no_such_invitation(invitation_id);
	}
	if (DatumGetBool(mogo_result(2, BOOLOID, NULL)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("invitation \"%s\" was accepted already", mogo_uuid_text(invitation_id)),
				 errhint("Revoke the secret that it led to with mogo_revoke_secret.")));
	if (!DatumGetBool(mogo_result(3, BOOLOID, NULL)))
	{
		values[1] = TimestampTzGetDatum(client.now);
		mogo_change_row(&change, &mark, values, NULL);
		mogo_record(&change, "invitation_revoked", &client.client_id, client.name, NULL,
					invitation_detail(invitation_id, DT_NOEND));
	}
	mogo_end(&change);
	PG_RETURN_VOID();
}
