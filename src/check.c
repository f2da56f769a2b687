/*-------------------------------------------------------------------------
 *
 * check.c
 *	  Tells whether a client id and a client secret belong together.
 *
 * The SQL functions mogo_verify, mogo_verify_digest, mogo_verify_status,
 * mogo_authenticate and mogo_authenticate_basic, which differ only in what they take
 * and return. They write nothing. For anything that a network can send the answer is
 * "no", never an error. We always compute the hash of what was sent, also for an id
 * that does not exist, and compare it with every live secret in constant time. That an
 * id exists may show, and ids are no secret (RFC 6749 section 2.2).
 *
 * What was sent stands in one MogoPresented on the stack (present.c), which a PG_FINALLY
 * wipes, so on every path.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

typedef enum CheckStatus
{
	CHECK_INVALID,
	CHECK_VALID,
	CHECK_EXPIRED,
	CHECK_REVOKED,
	CHECK_DISABLED,
	CHECK_ADDRESS_REQUIRED
} CheckStatus;

static const char *const status_names[] = {
	"invalid", "valid", "expired", "revoked", "disabled", "address_required"
};

/* What a check is for. */
typedef enum CheckPurpose
{
	TO_ACCEPT,					/* is it right? counted as a use or a failure */
	TO_PROVE,					/* the same, for a change; not counted */
	TO_DIAGNOSE					/* why is it not? ended secrets too; not
								 * counted */
} CheckPurpose;

/*
 * How the SQL functions differ in what they take: what reads the arguments, in order.
 * NULL stands for an argument that the function does not have.
 */
typedef struct CheckForm
{
	MogoReadArgument id;		/* or a header that holds both */
	MogoReadArgument secret;
	MogoReadArgument address;
	int			address_arg;	/* its number, from 0 */
} CheckForm;

static const CheckForm uuid_secret = {mogo_present_uuid, mogo_present_secret, NULL, 0};
static const CheckForm text_secret = {mogo_present_id, mogo_present_secret, NULL, 0};
static const CheckForm uuid_digest = {mogo_present_uuid, mogo_present_digest, NULL, 0};
static const CheckForm text_digest = {mogo_present_id, mogo_present_digest, NULL, 0};

/* mogo_authenticate's row, in SQL's order. */
#define AUTHENTICATED_COLUMNS	8

/*
 * Computes what a secret whose SHA-512 is kept would have in the row, unless that is done
 * already. Few clients have such a secret, so no other check pays for it.
 */
static void
hash_512(MogoPresented *presented, const uint8 *salt)
{
	uint8		digest[MOGO_DIGEST_512_LEN] = {0};
	bool		ok;

	if (presented->has_hash_512)
		return;
	ok = mogo_sha512(presented->secret, presented->secret_len, digest) &&
		mogo_hash_text_512(salt, digest, presented->hash_512);
	explicit_bzero(digest, sizeof(digest));
	if (!ok)
		mogo_hash_failed();
	presented->has_hash_512 = true;
}

/* Compares the secret that was sent with a stored form. A slow one takes long. */
static bool
matches(MogoPresented *presented, const uint8 *salt, const char *hash, size_t len)
{
	switch (mogo_hash_kind(hash, len))
	{
		case MOGO_HASH_NATIVE:
			return mogo_equal(hash, presented->hash, MOGO_HASH_TEXT_LEN);
		case MOGO_HASH_SHA512:
			if (presented->by_digest)
				return false;
			hash_512(presented, salt);
			return mogo_equal(hash, presented->hash_512, MOGO_HASH_TEXT_LEN);
		case MOGO_HASH_BCRYPT:
			return mogo_bcrypt_matches(presented->secret, presented->secret_len, hash);
		case MOGO_HASH_PBKDF2:
			break;
	}
	return mogo_pbkdf2_matches(presented->secret, presented->secret_len, hash, len);
}

/*
 * Finds which of a client's live secrets was sent. Returns its number in secrets, or -1.
 * We compare every fast hash to its end, also after the right one. The slow ones come
 * last, only if the secret itself was sent, on a copy of the row, and no more than
 * MOGO_MAX_SLOW of them.
 */
static int
find_live(MogoPresented *presented, MogoLookup *lookup, MogoLiveSecret *secrets)
{
	int			n = mogo_live_secrets(lookup->live, secrets);
	int			match = -1;
	int			nslow = 0;

	for (int i = 0; i < n; i++)
	{
		if (mogo_is_slow(secrets[i].hash, secrets[i].hash_len))
			nslow++;
		else if (matches(presented, lookup->salt, secrets[i].hash, secrets[i].hash_len))
			match = i;
	}
	if (match >= 0 || nslow == 0 || presented->by_digest)
		return match;

	mogo_lookup_copy(lookup);
	n = mogo_live_secrets(lookup->live, secrets);
	nslow = 0;
	for (int i = 0; match < 0 && nslow < MOGO_MAX_SLOW && i < n; i++)
	{
		if (!mogo_is_slow(secrets[i].hash, secrets[i].hash_len))
			continue;
		nslow++;
		if (matches(presented, lookup->salt, secrets[i].hash, secrets[i].hash_len))
			match = i;
	}
	return match;
}

/*
 * Finds out whether an ended secret of the client was sent. Only mogo_verify_status asks,
 * and only after the live ones said no.
 */
static CheckStatus
find_ended(Oid function, MogoPresented *presented, MogoLookup *lookup)
{
	MogoEndedSecret slow[MOGO_MAX_SLOW];
	bool		revoked;
	int			n;

	hash_512(presented, lookup->salt);
	if (mogo_ended_secret(function, &lookup->client_id, presented->hash, &revoked) ||
		mogo_ended_secret(function, &lookup->client_id, presented->hash_512, &revoked))
		return revoked ? CHECK_REVOKED : CHECK_EXPIRED;

	n = mogo_ended_slow_secrets(function, &lookup->client_id, slow);
	if (n > 0)
		mogo_lookup_copy(lookup);
	for (int i = 0; i < n; i++)
	{
		if (matches(presented, lookup->salt, slow[i].hash, slow[i].hash_len))
			return slow[i].revoked ? CHECK_REVOKED : CHECK_EXPIRED;
	}
	return CHECK_INVALID;
}

/*
 * Checks what was sent against the row that lookup holds, or against none. Leaves the
 * secret that matched in *matched, and for CHECK_VALID the moment in *at. We hash for a
 * client that does not exist as for any other. The networks are read only once a secret
 * has matched.
 */
static CheckStatus
check_row(Oid function, MogoPresented *presented, MogoLookup *lookup,
		  CheckPurpose purpose, MogoLiveSecret *matched, TimestampTz *at)
{
	static const uint8 no_salt[MOGO_SALT_LEN] = {0};
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	Datum		cidrs;
	bool		none;
	int			match;

	if (!presented->has_secret)
		return CHECK_INVALID;
	if (!presented->by_digest &&
		!mogo_sha256(presented->secret, presented->secret_len, NULL, 0, presented->digest))
		mogo_hash_failed();
	if (!mogo_hash_text(lookup->found ? lookup->salt : no_salt, presented->digest,
						presented->hash))
		mogo_hash_failed();
	if (!lookup->found)
		return CHECK_INVALID;

	match = find_live(presented, lookup, secrets);
	if (match < 0)
		return purpose == TO_DIAGNOSE ? find_ended(function, presented, lookup) : CHECK_INVALID;

	*matched = secrets[match];
	*at = GetCurrentTimestamp();
	if (matched->expires_at <= *at)
		return CHECK_EXPIRED;
	if (!lookup->enabled)
		return CHECK_DISABLED;
	cidrs = mogo_lookup_column(lookup, Anum_mogo_client_allowed_cidrs, &none);
	if (none)
		elog(ERROR, "unexpected null in a client's row");
	if (ARR_NDIM(DatumGetArrayTypeP(cidrs)) == 0)
		return CHECK_VALID;
	if (!presented->has_address)
		return CHECK_ADDRESS_REQUIRED;
	return presented->address != NULL &&
		mogo_address_allowed(DatumGetArrayTypeP(cidrs), presented->address) ?
		CHECK_VALID : CHECK_INVALID;
}

/*
 * Checks, and counts a use of the secret or a failed check of a client that exists. A
 * diagnosis (mogo_verify_status) counts as neither.
 */
static CheckStatus
check_and_count(Oid function, MogoPresented *presented, MogoLookup *lookup,
				CheckPurpose purpose, MogoLiveSecret *matched)
{
	TimestampTz at;
	CheckStatus status = check_row(function, presented, lookup, purpose, matched, &at);

	if (status == CHECK_VALID && purpose == TO_ACCEPT)
		mogo_count_use(&lookup->client_id, &matched->secret_id, at);
	else if (lookup->found && purpose == TO_ACCEPT)
		mogo_count_failure(&lookup->client_id);
	return status;
}

/* Reads the arguments of a form. */
static void
read_args(FunctionCallInfo fcinfo, const CheckForm *form, MogoPresented *presented)
{
	form->id(fcinfo, 0, presented);
	if (form->secret != NULL)
		form->secret(fcinfo, 1, presented);
	if (form->address != NULL)
		form->address(fcinfo, form->address_arg, presented);
}

/*
 * Returns whether a secret that was sent and matched can get a native hash: it is one that
 * a program made, under another hash. bcrypt does not tell secrets apart that have the
 * same 72 bytes, and a native hash would; we cannot know which one its client has.
 */
static bool
can_rehash(const MogoPresented *presented, const MogoLiveSecret *matched)
{
	MogoHashKind kind = mogo_hash_kind(matched->hash, matched->hash_len);

	return matched->generated && kind != MOGO_HASH_NATIVE &&
		!(kind == MOGO_HASH_BCRYPT && presented->secret_len >= 72);
}

/* Copies mogo_authenticate's columns from the row that was found. */
static void
copy_row(MogoLookup *lookup, const MogoPresented *presented,
		 const MogoLiveSecret *matched, Datum *values, bool *nulls)
{
	pg_uuid_t  *ids = palloc(2 * sizeof(pg_uuid_t));
	Datum		value;
	static const int columns[] = {
		Anum_mogo_client_client_name, Anum_mogo_client_scopes, Anum_mogo_client_metadata
	};

	ids[0] = lookup->client_id;
	ids[1] = matched->secret_id;
	memset(nulls, false, AUTHENTICATED_COLUMNS);
	values[0] = UUIDPGetDatum(&ids[0]);
	for (int i = 0; i < lengthof(columns); i++)
	{
		value = mogo_lookup_column(lookup, columns[i], &nulls[i + 1]);
		if (!nulls[i + 1])
			values[i + 1] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	values[4] = UUIDPGetDatum(&ids[1]);
	values[5] = TimestampTzGetDatum(matched->expires_at);
	nulls[5] = matched->expires_at == DT_NOEND;
	value = mogo_lookup_column(lookup, Anum_mogo_client_external_id, &nulls[6]);
	if (!nulls[6])
		values[6] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	values[7] = BoolGetDatum(can_rehash(presented, matched));
}

/* Fills in what a change needs of a secret that was sent and matched. */
static void
fill_in_proof(const MogoLookup *lookup, const MogoPresented *presented,
			  const MogoLiveSecret *matched, MogoProof *proof)
{
	proof->client_id = lookup->client_id;
	proof->secret_id = matched->secret_id;
	proof->can_rehash = can_rehash(presented, matched);
	memcpy(proof->native, presented->hash, MOGO_HASH_TEXT_LEN);
}

/*
 * Reads the arguments, checks them with the row open only for as long as that takes, and
 * wipes. If the answer is CHECK_VALID and values is not NULL, fills in mogo_authenticate's
 * columns, in the current memory context. proof, if not NULL, is filled in if any live
 * secret was sent.
 */
static CheckStatus
check(FunctionCallInfo fcinfo, const CheckForm *form, CheckPurpose purpose,
	  Datum *values, bool *nulls, MogoProof *proof)
{
	MogoPresented presented;
	volatile CheckStatus status = CHECK_INVALID;

	mogo_present_nothing(&presented);
	PG_TRY();
	{
		Oid			function = fcinfo->flinfo->fn_oid;
		MogoLookup	lookup;
		MogoLiveSecret matched;

		read_args(fcinfo, form, &presented);
		lookup.found = false;
		if (presented.has_id)
			mogo_lookup_begin(&lookup, function, &presented);
		status = check_and_count(function, &presented, &lookup, purpose, &matched);
		if (status == CHECK_VALID && values != NULL)
			copy_row(&lookup, &presented, &matched, values, nulls);
		if (proof != NULL && (status == CHECK_VALID || status == CHECK_ADDRESS_REQUIRED))
			fill_in_proof(&lookup, &presented, &matched, proof);
		if (presented.has_id)
			mogo_lookup_end(&lookup);
	}
	PG_FINALLY();
	{
		mogo_wipe(&presented);
	}
	PG_END_TRY();
	return status;
}

/*
 * Checks the client id and the secret in arguments 0 and 1, for a function that changes
 * something for a client that proves a secret. form says how the other arguments are
 * read; if the function has no address, the client's networks do not count, and nor does
 * the check as a use. Returns whether the secret is right, and then fills in proof.
 * Another session may end the secret before the caller has locked the client.
 */
bool
mogo_prove(FunctionCallInfo fcinfo, const MogoProofForm *form, MogoProof *proof)
{
	bool		no_address = form->address_arg < 0;
	CheckForm	check_form = {
		form->id_is_text ? mogo_present_id : mogo_present_uuid,
		mogo_present_secret,
		no_address ? NULL : form->address_is_inet ? mogo_present_inet : mogo_present_address,
		form->address_arg
	};
	CheckStatus status = check(fcinfo, &check_form, no_address ? TO_PROVE : TO_ACCEPT,
							   NULL, NULL, proof);

	return status == CHECK_VALID || (status == CHECK_ADDRESS_REQUIRED && no_address);
}

PG_FUNCTION_INFO_V1(mogo_verify_uuid);
PG_FUNCTION_INFO_V1(mogo_verify_text);
PG_FUNCTION_INFO_V1(mogo_verify_digest_uuid);
PG_FUNCTION_INFO_V1(mogo_verify_digest_text);
PG_FUNCTION_INFO_V1(mogo_verify_status_uuid);
PG_FUNCTION_INFO_V1(mogo_verify_status_text);
PG_FUNCTION_INFO_V1(mogo_authenticate_uuid);
PG_FUNCTION_INFO_V1(mogo_authenticate_text);
PG_FUNCTION_INFO_V1(mogo_authenticate_uuid_inet);
PG_FUNCTION_INFO_V1(mogo_authenticate_text_inet);
PG_FUNCTION_INFO_V1(mogo_authenticate_basic);
PG_FUNCTION_INFO_V1(mogo_authenticate_basic_inet);

/* mogo_verify(client_id uuid, client_secret text) returns boolean */
Datum
mogo_verify_uuid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(check(fcinfo, &uuid_secret, TO_ACCEPT, NULL, NULL, NULL) == CHECK_VALID);
}

/* mogo_verify(client_id text, client_secret text) returns boolean */
Datum
mogo_verify_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(check(fcinfo, &text_secret, TO_ACCEPT, NULL, NULL, NULL) == CHECK_VALID);
}

/* mogo_verify_digest(client_id uuid, secret_digest bytea) returns boolean */
Datum
mogo_verify_digest_uuid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(check(fcinfo, &uuid_digest, TO_ACCEPT, NULL, NULL, NULL) == CHECK_VALID);
}

/* mogo_verify_digest(client_id text, secret_digest bytea) returns boolean */
Datum
mogo_verify_digest_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(check(fcinfo, &text_digest, TO_ACCEPT, NULL, NULL, NULL) == CHECK_VALID);
}

/* mogo_verify_status(client_id uuid, client_secret text) returns text */
Datum
mogo_verify_status_uuid(PG_FUNCTION_ARGS)
{
	CheckStatus status = check(fcinfo, &uuid_secret, TO_DIAGNOSE, NULL, NULL, NULL);

	PG_RETURN_TEXT_P(cstring_to_text(status_names[status]));
}

/* mogo_verify_status(client_id text, client_secret text) returns text */
Datum
mogo_verify_status_text(PG_FUNCTION_ARGS)
{
	CheckStatus status = check(fcinfo, &text_secret, TO_DIAGNOSE, NULL, NULL, NULL);

	PG_RETURN_TEXT_P(cstring_to_text(status_names[status]));
}

/* Makes mogo_authenticate's row for the right secret, none for anything else. */
static Datum
authenticated_row(FunctionCallInfo fcinfo, const void *arg)
{
	const CheckForm *form = arg;
	Datum		values[AUTHENTICATED_COLUMNS];
	bool		nulls[AUTHENTICATED_COLUMNS];
	TupleDesc	desc = mogo_row_type(fcinfo, AUTHENTICATED_COLUMNS);

	if (check(fcinfo, form, TO_ACCEPT, values, nulls, NULL) != CHECK_VALID)
		return (Datum) 0;
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* Returns one row for the right secret, none for anything else. */
static Datum
authenticate(FunctionCallInfo fcinfo, const CheckForm *form)
{
	return mogo_one_row(fcinfo, authenticated_row, form);
}

/* mogo_authenticate(client_id uuid, client_secret text, client_addr text) */
Datum
mogo_authenticate_uuid(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_uuid, mogo_present_secret, mogo_present_address, 2};

	return authenticate(fcinfo, &form);
}

/* mogo_authenticate(client_id text, client_secret text, client_addr text) */
Datum
mogo_authenticate_text(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_id, mogo_present_secret, mogo_present_address, 2};

	return authenticate(fcinfo, &form);
}

/* mogo_authenticate(client_id uuid, client_secret text, client_addr inet) */
Datum
mogo_authenticate_uuid_inet(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_uuid, mogo_present_secret, mogo_present_inet, 2};

	return authenticate(fcinfo, &form);
}

/* mogo_authenticate(client_id text, client_secret text, client_addr inet) */
Datum
mogo_authenticate_text_inet(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_id, mogo_present_secret, mogo_present_inet, 2};

	return authenticate(fcinfo, &form);
}

/* mogo_authenticate_basic(authorization_header text, client_addr text) */
Datum
mogo_authenticate_basic(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_basic, NULL, mogo_present_address, 1};

	return authenticate(fcinfo, &form);
}

/* mogo_authenticate_basic(authorization_header text, client_addr inet) */
Datum
mogo_authenticate_basic_inet(PG_FUNCTION_ARGS)
{
	static const CheckForm form = {mogo_present_basic, NULL, mogo_present_inet, 1};

	return authenticate(fcinfo, &form);
}
