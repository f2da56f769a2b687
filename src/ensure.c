/*-------------------------------------------------------------------------
 *
 * ensure.c
 *	  A client that is to exist with these properties: mogo_ensure_client.
 *
 * For clients that are declared in a file, which is applied at every deployment: adds
 * the client, or changes those properties that are not as declared. It finds the client
 * by its name. If another session adds one of that name first, our own is refused by
 * the unique index; that is undone by a subtransaction, and then there is one to be
 * found.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* The client that was found by its name. */
typedef struct Found
{
	pg_uuid_t	client_id;
	text	   *external_id;	/* NULL: none */
	TimestampTz created_at;
} Found;

/* Finds a client as it is committed now. Returns false if there is none of this name. */
static bool
find_client(const MogoChange *change, text *name, Found *found)
{
	static MogoStatement find = {
		.sql = "SELECT client_id, external_id, created_at FROM @extschema@.mogo_client"
		" WHERE client_name OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {TEXTOID}
	};
	Datum		values[1] = {PointerGetDatum(name)};
	Datum		external_id;
	bool		none;

	if (mogo_read_latest(change, &find, values, NULL) == 0)
		return false;
	found->client_id = *DatumGetUUIDP(mogo_result(1, UUIDOID, NULL));
	external_id = mogo_result(2, TEXTOID, &none);
	found->external_id = none ? NULL : DatumGetTextPCopy(external_id);
	found->created_at = DatumGetTimestampTz(mogo_result(3, TIMESTAMPTZOID, NULL));
	return true;
}

/* Fills in a new client from the properties, of which NULL stands for the default. */
static void
fill_in(MogoNewClient *client, const Datum *values, const bool *nulls)
{
	text	   *external_id = nulls[PROPERTY_EXTERNAL_ID] ? NULL :
		DatumGetTextPP(values[PROPERTY_EXTERNAL_ID]);

	client->name = DatumGetTextPP(values[PROPERTY_NAME]);
	client->external_id = external_id != NULL && VARSIZE_ANY_EXHDR(external_id) > 0 ?
		external_id : NULL;
	client->scopes = !nulls[PROPERTY_SCOPES] ? values[PROPERTY_SCOPES] :
		PointerGetDatum(construct_empty_array(TEXTOID));
	client->metadata = !nulls[PROPERTY_METADATA] ? values[PROPERTY_METADATA] :
		DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	client->allowed_cidrs = nulls[PROPERTY_CIDRS] ? (Datum) 0 : values[PROPERTY_CIDRS];
	client->now = GetCurrentTimestamp();
	client->label = NULL;
}

/*
 * Adds the client in a subtransaction, and returns its credentials. Returns 0 if another
 * session was quicker, and then leaves that client in found.
 */
static Datum
add_client(FunctionCallInfo fcinfo, const MogoChange *change, const Datum *values,
		   const bool *nulls, Found *found)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MogoNewClient client;
	volatile Datum result = (Datum) 0;

	fill_in(&client, values, nulls);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		result = mogo_issue_client(fcinfo, change, &client, true,
								   mogo_secret_expiry(DT_NOEND, client.now));
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* or is it the external id that another client has? */
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION ||
			!find_client(change, client.name, found))
			ReThrowError(error);
	}
	PG_END_TRY();
	if (result != (Datum) 0)
		mogo_one_call(fcinfo, &client.client_id);
	return result;
}

/*
 * Gives the client that was found the properties, and returns its credentials, without
 * a secret. Returns 0 if it is gone or has another name by now, so that the caller
 * begins anew; raises 40001 if beginning anew could not show it anything else.
 */
static Datum
change_client(FunctionCallInfo fcinfo, MogoChange *change, Datum *values, const bool *nulls,
			  Found *found)
{
	text	   *name = DatumGetTextPP(values[PROPERTY_NAME]);

	/* a secret that another call of this query made would be lost */
	mogo_one_call(fcinfo, &found->client_id);
	values[0] = UUIDPGetDatum(&found->client_id);
	if (!mogo_set_properties(change, values, nulls, true))
	{
		if (IsolationUsesXactSnapshot())
			mogo_stale_snapshot();
		return (Datum) 0;
	}
	if (!nulls[PROPERTY_EXTERNAL_ID])
		(void) find_client(change, name, found);
	return mogo_credentials(fcinfo, name, &found->client_id, found->external_id, NULL,
							found->created_at, DT_NOEND);
}

PG_FUNCTION_INFO_V1(mogo_ensure_client);

/*
 * mogo_ensure_client(client_name text, scopes text[], metadata jsonb, external_id text,
 * allowed_cidrs cidr[]) returns mogo_credentials: with a secret if the client was added,
 * else without. NULL leaves a property as it is.
 */
Datum
mogo_ensure_client(PG_FUNCTION_ARGS)
{
	static const int order[] = {
		PROPERTY_NAME, PROPERTY_SCOPES, PROPERTY_METADATA, PROPERTY_EXTERNAL_ID, PROPERTY_CIDRS
	};
	MogoChange	change;
	Datum		values[MOGO_PROPERTIES + 1];
	bool		nulls[MOGO_PROPERTIES + 1] = {false};
	text	   *name;
	Found		found;
	Datum		result = (Datum) 0;

	mogo_begin(&change, fcinfo, 5, "mogo_ensure_client()");
	mogo_require(fcinfo, 0, "client_name");
	name = PG_GETARG_TEXT_PP(0);
	change.client_name = name;
	for (int i = 0; i < lengthof(order); i++)
	{
		values[order[i]] = PG_GETARG_DATUM(i);
		nulls[order[i]] = PG_ARGISNULL(i);
	}
	mogo_check_properties(values, nulls);

	while (result == (Datum) 0)
	{
		if (!find_client(&change, name, &found))
			result = add_client(fcinfo, &change, values, nulls, &found);
		if (result == (Datum) 0)
			result = change_client(fcinfo, &change, values, nulls, &found);
	}
	mogo_end(&change);
	PG_RETURN_DATUM(result);
}
