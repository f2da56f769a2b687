/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Credentials as JSON: the file that an administrator downloads, and an
 *	  RFC 7591 registration response.
 *
 * The texts are put together here, not by json_build_object, because their
 * members' order and lines are part of the contract. The result holds a secret
 * and is the caller's; every copy made on the way is wiped. The buffer is made
 * large enough at once: growing would leave an unwiped copy behind.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <uuid/uuid.h>

#include "access/detoast.h"
#include "access/htup_details.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* Attributes of mogo_credentials, counted from 1 */
#define CREDENTIALS_CLIENT_NAME		1
#define CREDENTIALS_CLIENT_ID		2
#define CREDENTIALS_CLIENT_SECRET	3
#define CREDENTIALS_EXPIRES_AT		6

/* Room for the members' names and the UUID, with much to spare */
#define FRAME_SIZE	512

/* A UUID as a JSON string; NULL becomes null. */
void
mogo_append_uuid(StringInfo out, const pg_uuid_t *uuid)
{
	char		text[UUID_STR_LEN];

	if (uuid == NULL)
		appendStringInfoString(out, "null");
	else
	{
		uuid_unparse_lower(uuid->data, text);
		appendStringInfoChar(out, '"');
		appendStringInfoString(out, text);
		appendStringInfoChar(out, '"');
	}
}

/* A text as a JSON string, by way of a copy that is wiped. */
void
mogo_append_text(StringInfo out, const text *value)
{
	char	   *copy = text_to_cstring(value);

	escape_json(out, copy);
	explicit_bzero(copy, strlen(copy));
	pfree(copy);
}

/*
 * A buffer that two texts fit in however much has to be escaped (\u0000). Made before
 * the secret is fetched, so that nothing has to be wiped where they are too long.
 */
static void
start(StringInfo out, Datum name, Datum secret)
{
	Size		size = FRAME_SIZE + 6 * (toast_raw_datum_size(name) + toast_raw_datum_size(secret));

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("client name and client secret are too long")));
	initStringInfo(out);
	enlargeStringInfo(out, (int) size);
}

/* The buffer as a json value. */
static Datum
finish(StringInfo out)
{
	text	   *result = cstring_to_text_with_len(out->data, out->len);

	explicit_bzero(out->data, out->len);
	pfree(out->data);
	return PointerGetDatum(result);
}

/* The downloadable file: exactly three members, one a line. */
static Datum
credentials_json(Datum client_name, Datum client_id, Datum client_secret)
{
	text	   *secret;
	StringInfoData out;

	start(&out, client_name, client_secret);
	appendStringInfoString(&out, "{\n  \"clientName\": ");
	mogo_append_text(&out, DatumGetTextPP(client_name));
	appendStringInfoString(&out, ",\n  \"clientId\": ");
	mogo_append_uuid(&out, DatumGetUUIDP(client_id));
	appendStringInfoString(&out, ",\n  \"clientSecret\": ");
	secret = DatumGetTextPP(client_secret);
	mogo_append_text(&out, secret);
	mogo_wipe_copy(secret, client_secret);
	appendStringInfoString(&out, "\n}");
	return finish(&out);
}

/* An attribute of credentials that must not be NULL; raises 22004. */
static Datum
attribute(HeapTupleHeader credentials, AttrNumber number, const char *name)
{
	bool		isnull;
	Datum		value = GetAttributeByNum(credentials, number, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return value;
}

/* Is a row of the type that we count the attributes of? Raises 42P16. */
static void
check_type(HeapTupleHeader credentials)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(credentials),
											  HeapTupleHeaderGetTypMod(credentials));

	mogo_check_credentials(desc);
	ReleaseTupleDesc(desc);
}

/*
 * What print makes of the credentials in argument 0. Fetching them makes a copy
 * where they are a variable of PL/pgSQL's or come from a table's TOAST.
 */
static Datum
print_credentials(FunctionCallInfo fcinfo, Datum (*print) (HeapTupleHeader credentials))
{
	HeapTupleHeader credentials;
	volatile Datum result = (Datum) 0;

	mogo_require(fcinfo, 0, "credentials");
	credentials = PG_GETARG_HEAPTUPLEHEADER(0);
	PG_TRY();
	{
		check_type(credentials);
		result = print(credentials);
	}
	PG_FINALLY();
	{
		mogo_wipe_copy((struct varlena *) credentials, PG_GETARG_DATUM(0));
	}
	PG_END_TRY();
	return result;
}

/* The downloadable file from credentials as one value. */
static Datum
file_json(HeapTupleHeader credentials)
{
	return credentials_json(attribute(credentials, CREDENTIALS_CLIENT_NAME, "client_name"),
							attribute(credentials, CREDENTIALS_CLIENT_ID, "client_id"),
							attribute(credentials, CREDENTIALS_CLIENT_SECRET, "client_secret"));
}

/*
 * The client information response of RFC 7591 section 3.2.1. client_secret_expires_at is in
 * seconds since 1970, rounded down so that nobody relies on the last fraction,
 * and 0 for a secret that does not expire.
 */
static Datum
registration_json(HeapTupleHeader credentials)
{
	Datum		client_name;
	Datum		client_id;
	Datum		client_secret;
	text	   *secret;
	TimestampTz expires_at;
	int64		epoch = 0;
	bool		isnull;
	StringInfoData out;

	client_name = attribute(credentials, CREDENTIALS_CLIENT_NAME, "client_name");
	client_secret = attribute(credentials, CREDENTIALS_CLIENT_SECRET, "client_secret");
	expires_at = DatumGetTimestampTz(GetAttributeByNum(credentials, CREDENTIALS_EXPIRES_AT, &isnull));
	if (!isnull && !TIMESTAMP_NOT_FINITE(expires_at))
		epoch = expires_at / USECS_PER_SEC +
			(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY -
			(expires_at % USECS_PER_SEC < 0 ? 1 : 0);

	client_id = attribute(credentials, CREDENTIALS_CLIENT_ID, "client_id");

	start(&out, client_name, client_secret);
	appendStringInfoString(&out, "{\n  \"client_id\": ");
	mogo_append_uuid(&out, DatumGetUUIDP(client_id));
	appendStringInfoString(&out, ",\n  \"client_secret\": ");
	secret = DatumGetTextPP(client_secret);
	mogo_append_text(&out, secret);
	mogo_wipe_copy(secret, client_secret);
	appendStringInfo(&out, ",\n  \"client_secret_expires_at\": " INT64_FORMAT, epoch);
	appendStringInfoString(&out, ",\n  \"client_name\": ");
	mogo_append_text(&out, DatumGetTextPP(client_name));
	appendStringInfoString(&out, ",\n  \"grant_types\": [\"client_credentials\"]"
						   ",\n  \"token_endpoint_auth_method\": \"client_secret_basic\"\n}");
	return finish(&out);
}

PG_FUNCTION_INFO_V1(mogo_credentials_json);
PG_FUNCTION_INFO_V1(mogo_credentials_json_values);
PG_FUNCTION_INFO_V1(mogo_registration_json);

/* mogo_credentials_json(credentials mogo_credentials) returns json */
Datum
mogo_credentials_json(PG_FUNCTION_ARGS)
{
	return print_credentials(fcinfo, file_json);
}

/* mogo_credentials_json(client_name text, client_id uuid, client_secret text) returns json */
Datum
mogo_credentials_json_values(PG_FUNCTION_ARGS)
{
	mogo_require(fcinfo, 0, "client_name");
	mogo_require(fcinfo, 1, "client_id");
	mogo_require(fcinfo, 2, "client_secret");
	return credentials_json(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2));
}

/* mogo_registration_json(credentials mogo_credentials) returns json */
Datum
mogo_registration_json(PG_FUNCTION_ARGS)
{
	return print_credentials(fcinfo, registration_json);
}
