/*-------------------------------------------------------------------------
 *
 * credentials.c
 *	  The type mogo_credentials: made, checked, and printed as JSON.
 *
 * Credentials are what a function that issues a secret returns, and what the file that an
 * administrator downloads and an RFC 7591 registration response are made of. We put the
 * JSON together here, not by json_build_object, because the order and the lines of its
 * members are part of the contract. The result holds a secret and is the caller's; we
 * wipe every copy that we make on the way. The buffer is made large enough at once,
 * because growing would leave an unwiped copy behind.
 *
 * Owns the note of which client's credentials the running query has issued.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#define Anum_mogo_credentials_client_name	1
#define Anum_mogo_credentials_client_id		2
#define Anum_mogo_credentials_client_secret	3
#define Anum_mogo_credentials_secret_id		4
#define Anum_mogo_credentials_issued_at		5
#define Anum_mogo_credentials_expires_at	6
#define Anum_mogo_credentials_external_id	7
#define Natts_mogo_credentials				7

/* Room for the names of the members and the UUID, with much to spare */
#define FRAME_SIZE	512

/*
 * Notes that this call changes a client whose new secret it returns. Raises 0A000 if
 * another call of the same query did that already: PostgreSQL expands (function()).*
 * into one call a column, and the first column's secret would be dead, or another one,
 * when the last column is shown.
 *
 * Calls belong to the same query if the transaction and the active snapshot's command
 * are the same: a loop in PL/pgSQL has a new snapshot each time. So we increment the
 * command counter here, because a call that changes nothing (mogo_ensure_client) would
 * not. Two calls are the same one if they share their FmgrInfo, as calls for the rows of
 * a LATERAL join do.
 */
void
mogo_one_call(FunctionCallInfo fcinfo, const pg_uuid_t *client_id)
{
	typedef struct Call
	{
		pg_uuid_t	client_id;	/* hash key */
		FmgrInfo   *call;
	} Call;
	static LocalTransactionId transaction = InvalidLocalTransactionId;
	static CommandId command;
	static HTAB *calls = NULL;
	Call	   *entry;
	bool		found;

	if (calls == NULL || transaction != mogo_my_lxid ||
		command != GetActiveSnapshot()->curcid)
	{
		HASHCTL		control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(Call)};

		if (calls != NULL)
			hash_destroy(calls);
		calls = NULL;
		calls = hash_create("mogocred calls", 16, &control, HASH_ELEM | HASH_BLOBS);
		transaction = mogo_my_lxid;
		command = GetActiveSnapshot()->curcid;
	}
	entry = hash_search(calls, client_id, HASH_ENTER, &found);
	if (found && entry->call != fcinfo->flinfo)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a client cannot be issued two secrets by different calls of one query"),
				 errhint("PostgreSQL expands (function()).* into one call for each column. Use SELECT * FROM function() instead.")));
	entry->call = fcinfo->flinfo;

	/* a command that is marked as used counts */
	(void) GetCurrentCommandId(true);
	CommandCounterIncrement();
}

/* Compares a row type with mogo_credentials as the script made it. Raises 42P16. */
static void
check_definition(TupleDesc desc)
{
	static const Oid types[Natts_mogo_credentials] = {
		TEXTOID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID
	};

	mogo_check_row_type(desc, "mogo_credentials", types, lengthof(types));
}

/*
 * Makes a row of type mogo_credentials, in the current memory context. It holds the secret
 * in clear and is the caller's. external_id may be NULL. A secret of NULL stands for none:
 * then expires_at does not count. Raises 42P16.
 */
Datum
mogo_credentials(FunctionCallInfo fcinfo, const text *name, const pg_uuid_t *client_id,
				 const text *external_id, const MogoNewSecret *secret,
				 TimestampTz issued_at, TimestampTz expires_at)
{
	TupleDesc	desc;
	Datum		values[Natts_mogo_credentials];
	bool		nulls[Natts_mogo_credentials] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "unexpected result type");
	check_definition(desc);
	values[0] = PointerGetDatum(name);
	values[1] = UUIDPGetDatum(client_id);
	values[2] = secret != NULL ? PointerGetDatum(&secret->clear.datum) : (Datum) 0;
	nulls[2] = secret == NULL;
	values[3] = secret != NULL ? UUIDPGetDatum(&secret->id) : (Datum) 0;
	nulls[3] = secret == NULL;
	values[4] = TimestampTzGetDatum(issued_at);
	values[5] = TimestampTzGetDatum(expires_at);
	nulls[5] = secret == NULL || expires_at == DT_NOEND;
	values[6] = PointerGetDatum(external_id);
	nulls[6] = external_id == NULL;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * Prepares a buffer in which three texts fit however much has to be escaped (\u0000). We
 * do this before the secret is fetched, so that nothing has to be wiped if they are too
 * long. Raises 54000 then.
 */
static void
start(StringInfo out, Datum name, Datum id, Datum secret)
{
	Size		size = FRAME_SIZE + 6 * (toast_raw_datum_size(name) +
										 (id != (Datum) 0 ? toast_raw_datum_size(id) : 0) +
										 toast_raw_datum_size(secret));

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("client name and client secret are too long")));
	initStringInfo(out);
	enlargeStringInfo(out, (int) size);
	/* the result's header */
	out->len = VARHDRSZ;
}

/* Returns the buffer itself as a json value: a copy would have to be wiped. */
static Datum
finish(StringInfo out)
{
	SET_VARSIZE(out->data, out->len);
	return PointerGetDatum(out->data);
}

/*
 * Appends the id by which the client calls itself: its external id if it has one (0: it
 * has not), else its client id.
 */
static void
append_id(StringInfo out, Datum client_id, Datum external_id)
{
	if (external_id != (Datum) 0)
		mogo_append_text(out, DatumGetTextPP(external_id));
	else
		mogo_append_uuid(out, DatumGetUUIDP(client_id));
}

/* Appends the secret, and wipes the copy that fetching it may have made. */
static void
append_secret(StringInfo out, Datum client_secret)
{
	text	   *secret = DatumGetTextPP(client_secret);

	mogo_append_text(out, secret);
	mogo_wipe_copy(secret, client_secret);
}

/* Returns the file that an administrator downloads: exactly three members, one a line. */
static Datum
credentials_json(Datum client_name, Datum client_id, Datum external_id, Datum client_secret)
{
	StringInfoData out;

	start(&out, client_name, external_id, client_secret);
	appendStringInfoString(&out, "{\n  \"clientName\": ");
	mogo_append_text(&out, DatumGetTextPP(client_name));
	appendStringInfoString(&out, ",\n  \"clientId\": ");
	append_id(&out, client_id, external_id);
	appendStringInfoString(&out, ",\n  \"clientSecret\": ");
	append_secret(&out, client_secret);
	appendStringInfoString(&out, "\n}");
	return finish(&out);
}

/* Returns an attribute of credentials that must not be NULL; raises 22004. */
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

/* Returns the external id of credentials, or 0 if there is none. */
static Datum
external_id_of(HeapTupleHeader credentials)
{
	bool		isnull;
	Datum		value = GetAttributeByNum(credentials, Anum_mogo_credentials_external_id, &isnull);

	return isnull ? (Datum) 0 : value;
}

/*
 * Returns a timestamp of credentials in seconds since 1970, rounded down so that nobody
 * relies on the last fraction; 0 for NULL or infinity.
 */
static int64
epoch_of(HeapTupleHeader credentials, AttrNumber number)
{
	bool		isnull;
	TimestampTz at = DatumGetTimestampTz(GetAttributeByNum(credentials, number, &isnull));

	if (isnull || TIMESTAMP_NOT_FINITE(at))
		return 0;
	return at / USECS_PER_SEC - (at % USECS_PER_SEC < 0 ? 1 : 0) +
		(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

/*
 * Returns what print makes of the credentials in argument 0. Fetching them makes a copy
 * if they are a variable of PL/pgSQL's or come from a table's TOAST. Raises 22004 and
 * 42P16.
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
		TupleDesc	desc;

		desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(credentials),
									  HeapTupleHeaderGetTypMod(credentials));
		check_definition(desc);
		ReleaseTupleDesc(desc);
		result = print(credentials);
	}
	PG_FINALLY();
	{
		mogo_wipe_copy((struct varlena *) credentials, PG_GETARG_DATUM(0));
	}
	PG_END_TRY();
	return result;
}

/* Returns the downloadable file for credentials that are one value. */
static Datum
file_json(HeapTupleHeader credentials)
{
	Datum		name;
	Datum		id;

	name = attribute(credentials, Anum_mogo_credentials_client_name, "client_name");
	id = attribute(credentials, Anum_mogo_credentials_client_id, "client_id");
	return credentials_json(name, id, external_id_of(credentials),
							attribute(credentials, Anum_mogo_credentials_client_secret,
									  "client_secret"));
}

/*
 * Returns the client information response of RFC 7591 section 3.2.1. A
 * client_secret_expires_at of 0 stands for a secret that does not expire.
 */
static Datum
registration_json(HeapTupleHeader credentials)
{
	Datum		name;
	Datum		id;
	Datum		secret;
	Datum		external_id = external_id_of(credentials);
	StringInfoData out;

	name = attribute(credentials, Anum_mogo_credentials_client_name, "client_name");
	secret = attribute(credentials, Anum_mogo_credentials_client_secret, "client_secret");
	id = attribute(credentials, Anum_mogo_credentials_client_id, "client_id");

	start(&out, name, external_id, secret);
	appendStringInfoString(&out, "{\n  \"client_id\": ");
	append_id(&out, id, external_id);
	appendStringInfoString(&out, ",\n  \"client_secret\": ");
	append_secret(&out, secret);
	appendStringInfo(&out, ",\n  \"client_id_issued_at\": " INT64_FORMAT,
					 epoch_of(credentials, Anum_mogo_credentials_issued_at));
	appendStringInfo(&out, ",\n  \"client_secret_expires_at\": " INT64_FORMAT,
					 epoch_of(credentials, Anum_mogo_credentials_expires_at));
	appendStringInfoString(&out, ",\n  \"client_name\": ");
	mogo_append_text(&out, DatumGetTextPP(name));
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
	return credentials_json(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), (Datum) 0,
							PG_GETARG_DATUM(2));
}

/* mogo_registration_json(credentials mogo_credentials) returns json */
Datum
mogo_registration_json(PG_FUNCTION_ARGS)
{
	return print_credentials(fcinfo, registration_json);
}
