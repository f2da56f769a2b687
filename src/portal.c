/*-------------------------------------------------------------------------
 *
 * portal.c
 *	  What a client's owner may do without an administrator: accept an invitation,
 *	  rotate a secret that they prove.
 *
 * What is sent comes from a network, so the answer to anything unknown, used, expired
 * or revoked is no row, and never an error. Errors are raised only for what the sender
 * did not cause: a standby, a client that has no room for one more secret, a caller's
 * overlap.
 *
 * The secret is made once the client's row is locked and all was looked at again, so two
 * sessions that present the same code or the same secret cannot both get one.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

/* What an invitation says about the secret that it is good for. */
typedef struct Invitation
{
	pg_uuid_t	invitation_id;
	pg_uuid_t	client_id;
	bool		open;			/* not accepted, revoked or expired */
	Interval   *overlap;		/* NULL: beside the other secrets */
	TimestampTz expires_at;		/* the secret's; DT_NOEND: never */
	text	   *label;			/* the secret's; NULL: none */
} Invitation;

/*
 * Computes the SHA-256 of the code in argument 0. Returns false for text that cannot be
 * a code. The code needs no conversion: one that is not ASCII matches nothing.
 */
static bool
hash_code(FunctionCallInfo fcinfo, uint8 *digest)
{
	text	   *code;
	bool		ok;

	if (PG_ARGISNULL(0) ||
		toast_raw_datum_size(PG_GETARG_DATUM(0)) != VARHDRSZ + MOGO_CODE_LEN)
		return false;
	code = PG_GETARG_TEXT_PP(0);
	ok = mogo_sha256(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code), NULL, 0, digest);
	mogo_wipe_copy(code, PG_GETARG_DATUM(0));
	if (!ok)
		mogo_hash_failed();
	return true;
}

/*
 * Finds the invitation whose code has this hash, in any state, and copies it. Returns
 * false if there is none.
 */
static bool
find_invitation(const MogoChange *change, const uint8 *digest, Invitation *invitation)
{
	static MogoStatement find = {
		.sql = "SELECT invitation_id, client_id, accepted_at IS NULL AND revoked_at IS NULL"
		" AND expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp(),"
		" overlap, secret_expires_at, secret_label FROM @extschema@.mogo_invitation_code"
		" WHERE code_hash OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {BYTEAOID}
	};
	Datum		values[1];
	Datum		value;
	bool		none;

	values[0] = PointerGetDatum(cstring_to_text_with_len((const char *) digest, MOGO_DIGEST_LEN));
	if (mogo_execute(change, &find, values, NULL) == 0)
		return false;
	invitation->invitation_id = *DatumGetUUIDP(mogo_result(1, UUIDOID, NULL));
	invitation->client_id = *DatumGetUUIDP(mogo_result(2, UUIDOID, NULL));
	invitation->open = DatumGetBool(mogo_result(3, BOOLOID, NULL));
	value = mogo_result(4, INTERVALOID, &none);
	invitation->overlap = none ? NULL : memcpy(palloc(sizeof(Interval)),
											   DatumGetIntervalP(value), sizeof(Interval));
	value = mogo_result(5, TIMESTAMPTZOID, &none);
	invitation->expires_at = none ? DT_NOEND : DatumGetTimestampTz(value);
	value = mogo_result(6, TEXTOID, &none);
	invitation->label = none ? NULL : DatumGetTextPCopy(value);
	return true;
}

/* Returns whether a locked client may be used from the address that was sent, if any. */
static bool
allowed_from(const MogoChange *change, const MogoLocked *client, const MogoPresented *presented)
{
	static MogoStatement networks = {
		.sql = "SELECT allowed_cidrs FROM @extschema@.mogo_client"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	Datum		values[1] = {UUIDPGetDatum(&client->client_id)};
	ArrayType  *cidrs;

	if (mogo_execute(change, &networks, values, NULL) == 0)
		return false;
	cidrs = DatumGetArrayTypeP(mogo_result(1, CIDRARRAYOID, NULL));
	return ARR_NDIM(cidrs) == 0 ||
		(presented->address != NULL && mogo_address_allowed(cidrs, presented->address));
}

/* Marks an invitation as accepted, from the address that was sent, if it is one. */
static void
mark_accepted(const MogoChange *change, const Invitation *invitation, TimestampTz now,
			  const MogoPresented *presented)
{
	static MogoStatement mark = {
		.sql = "UPDATE @extschema@.mogo_invitation_code SET accepted_at = $2, accepted_from = $3"
		" WHERE invitation_id OPERATOR(pg_catalog.=) $1",
		.nargs = 3,
		.argtypes = {UUIDOID, TIMESTAMPTZOID, INETOID}
	};
	Datum		values[3];
	bool		nulls[3] = {false};

	values[0] = UUIDPGetDatum(&invitation->invitation_id);
	values[1] = TimestampTzGetDatum(now);
	values[2] = InetPGetDatum(presented->address);
	nulls[2] = presented->address == NULL;
	mogo_change_row(change, &mark, values, nulls);
}

/*
 * Returns the end of a secret (DT_NOEND: none) as far as the settings allow it now. The
 * settings may have allowed more when the end was chosen, and the sender must not get
 * an error for that.
 */
static TimestampTz
as_allowed(TimestampTz expires_at, TimestampTz now)
{
	return expires_at == DT_NOEND ? DT_NOEND : Min(expires_at, mogo_latest_expiry(now));
}

/*
 * Issues the secret of an open invitation of a locked client. Returns its
 * mogo_credentials, and ends the change. Raises 54000 if the client has no room for it.
 */
static Datum
issue_invited(FunctionCallInfo fcinfo, MogoChange *change, const MogoLocked *client,
			  const Invitation *invitation, const MogoPresented *presented)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	TimestampTz cutoff = DT_NOEND;
	StringInfoData members;
	int			n;

	initStringInfo(&members);
	appendStringInfoString(&members, "\"invitation_id\": ");
	mogo_append_uuid(&members, &invitation->invitation_id);
	if (invitation->overlap != NULL)
	{
		cutoff = mogo_add_interval("overlap", invitation->overlap, client->now, 1);
		appendStringInfo(&members, ", \"others_end_at\": \"%s\"", timestamptz_to_str(cutoff));
	}
	mark_accepted(change, invitation, client->now, presented);
	n = mogo_end_secrets(change, client, cutoff == client->now, NULL, cutoff, secrets);
	return mogo_issue_secret(fcinfo, change, client, secrets, n,
							 as_allowed(invitation->expires_at, client->now), invitation->label,
							 "invitation_accepted", members.data);
}

/*
 * Accepts the invitation whose code is in argument 0. Returns mogo_credentials, or 0. arg
 * is what reads the address.
 */
static Datum
accept_invitation(FunctionCallInfo fcinfo, const void *arg)
{
	const MogoReadArgument *read_address = arg;
	MogoChange	change;
	MogoLocked	client;
	MogoPresented presented;
	Invitation	invitation;
	uint8		digest[MOGO_DIGEST_LEN];

	mogo_begin(&change, fcinfo, 2, "mogo_accept_invitation()");
	mogo_present_nothing(&presented);
	(*read_address) (fcinfo, 1, &presented);
	/* what was read before the lock may have changed while we waited */
	if (hash_code(fcinfo, digest) &&
		find_invitation(&change, digest, &invitation) && invitation.open &&
		mogo_try_lock_client(&change, &invitation.client_id, &client) &&
		find_invitation(&change, digest, &invitation) && invitation.open &&
		client.enabled && allowed_from(&change, &client, &presented))
		return issue_invited(fcinfo, &change, &client, &invitation, &presented);
	mogo_end(&change);
	return (Datum) 0;
}

/*
 * Returns the end of a secret that is made now and lives as long as a live one does, from
 * its issue to its end. Where that cannot be told, or is beyond the calendar, it ends when
 * the live one does.
 */
static TimestampTz
same_lifetime(const MogoChange *change, const MogoLiveSecret *secret, TimestampTz now)
{
	static MogoStatement issued = {
		.sql = "SELECT created_at FROM @extschema@.mogo_secret"
		" WHERE secret_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	Datum		values[1] = {UUIDPGetDatum(&secret->secret_id)};
	TimestampTz created_at;
	int64		span;
	int64		end;

	if (secret->expires_at == DT_NOEND || mogo_execute(change, &issued, values, NULL) == 0)
		return secret->expires_at;
	created_at = DatumGetTimestampTz(mogo_result(1, TIMESTAMPTZOID, NULL));
	if (pg_sub_s64_overflow(secret->expires_at, created_at, &span) || span <= 0 ||
		pg_add_s64_overflow(now, span, &end) || !IS_VALID_TIMESTAMP(end))
		return secret->expires_at;
	return end;
}

/* Finds a live secret of a locked client by its id. Returns false if it has ended. */
static bool
find_live_secret(const MogoLocked *client, const pg_uuid_t *secret_id, MogoLiveSecret *found)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	int			n = mogo_live_secrets(client->live, secrets);
	const MogoLiveSecret *secret = mogo_find_live(secrets, n, secret_id);

	if (secret == NULL || secret->expires_at <= client->now)
		return false;
	*found = *secret;
	return true;
}

/*
 * Rotates the secret that arguments 0 and 1 prove, with the overlap in argument 2. Returns
 * mogo_credentials, or 0. arg is the form of the arguments. The new secret lives as long
 * as the proven one did. Raises 22004 and 22023 for the overlap, and 54000.
 */
static Datum
rotate_own_secret(FunctionCallInfo fcinfo, const void *arg)
{
	const MogoProofForm *form = arg;
	MogoChange	change;
	MogoLocked	client;
	MogoPresented presented;
	MogoLiveSecret proven;
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	MogoProof	proof;
	TimestampTz cutoff;
	TimestampTz expires_at;
	int			n;

	mogo_begin(&change, fcinfo, 4, "mogo_rotate_own_secret()");
	mogo_require(fcinfo, 2, "overlap");
	(void) mogo_add_interval("overlap", PG_GETARG_INTERVAL_P(2), GetCurrentTimestamp(), 1);
	mogo_present_nothing(&presented);
	(form->address_is_inet ? mogo_present_inet : mogo_present_address) (fcinfo, form->address_arg,
																		&presented);
	if (!mogo_prove(fcinfo, form, &proof) ||
		!mogo_try_lock_client(&change, &proof.client_id, &client) ||
	/* all of this may have changed while we waited for the lock */
		!find_live_secret(&client, &proof.secret_id, &proven) || !client.enabled ||
		!allowed_from(&change, &client, &presented))
	{
		mogo_end(&change);
		return (Datum) 0;
	}
	cutoff = mogo_add_interval("overlap", PG_GETARG_INTERVAL_P(2), client.now, 1);
	expires_at = same_lifetime(&change, &proven, client.now);
	n = mogo_end_secrets(&change, &client, cutoff == client.now, NULL, cutoff, secrets);
	return mogo_issue_secret(fcinfo, &change, &client, secrets, n,
							 as_allowed(expires_at, client.now), NULL, "secret_rotated",
							 psprintf("\"others_end_at\": \"%s\", \"by_its_owner\": true",
									  timestamptz_to_str(cutoff)));
}

PG_FUNCTION_INFO_V1(mogo_accept_invitation);
PG_FUNCTION_INFO_V1(mogo_accept_invitation_inet);
PG_FUNCTION_INFO_V1(mogo_rotate_own_secret_uuid);
PG_FUNCTION_INFO_V1(mogo_rotate_own_secret_uuid_inet);
PG_FUNCTION_INFO_V1(mogo_rotate_own_secret_text);
PG_FUNCTION_INFO_V1(mogo_rotate_own_secret_text_inet);

/* mogo_accept_invitation(code text, client_addr text) returns setof mogo_credentials */
Datum
mogo_accept_invitation(PG_FUNCTION_ARGS)
{
	static const MogoReadArgument read_address = mogo_present_address;

	return mogo_one_row(fcinfo, accept_invitation, &read_address);
}

/* mogo_accept_invitation(code text, client_addr inet) returns setof mogo_credentials */
Datum
mogo_accept_invitation_inet(PG_FUNCTION_ARGS)
{
	static const MogoReadArgument read_address = mogo_present_inet;

	return mogo_one_row(fcinfo, accept_invitation, &read_address);
}

/* mogo_rotate_own_secret(client_id uuid, client_secret text, overlap interval, client_addr text) */
Datum
mogo_rotate_own_secret_uuid(PG_FUNCTION_ARGS)
{
	static const MogoProofForm form = {.address_arg = 3};

	return mogo_one_row(fcinfo, rotate_own_secret, &form);
}

/* mogo_rotate_own_secret(client_id uuid, client_secret text, overlap interval, client_addr inet) */
Datum
mogo_rotate_own_secret_uuid_inet(PG_FUNCTION_ARGS)
{
	static const MogoProofForm form = {.address_is_inet = true, .address_arg = 3};

	return mogo_one_row(fcinfo, rotate_own_secret, &form);
}

/* mogo_rotate_own_secret(client_id text, client_secret text, overlap interval, client_addr text) */
Datum
mogo_rotate_own_secret_text(PG_FUNCTION_ARGS)
{
	static const MogoProofForm form = {.id_is_text = true, .address_arg = 3};

	return mogo_one_row(fcinfo, rotate_own_secret, &form);
}

/* mogo_rotate_own_secret(client_id text, client_secret text, overlap interval, client_addr inet) */
Datum
mogo_rotate_own_secret_text_inet(PG_FUNCTION_ARGS)
{
	static const MogoProofForm form = {.id_is_text = true, .address_is_inet = true, .address_arg = 3};

	return mogo_one_row(fcinfo, rotate_own_secret, &form);
}
