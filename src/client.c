/*-------------------------------------------------------------------------
 *
 * client.c
 *	  A client as a whole: update, disable, enable, remove.
 *
 * Each function locks the client's row first (secret.c says why). What does not
 * change anything is no error, and leaves no record.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(mogo_update_client);
PG_FUNCTION_INFO_V1(mogo_disable_client);
PG_FUNCTION_INFO_V1(mogo_enable_client);
PG_FUNCTION_INFO_V1(mogo_remove_client);

/* A list of networks: one-dimensional, none NULL. Raises 22023 and 22004. */
static void
check_cidrs(ArrayType *cidrs)
{
	if (ARR_NDIM(cidrs) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("allowed_cidrs must be a one-dimensional array")));
	if (array_contains_nulls(cidrs))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("allowed_cidrs must not contain nulls")));
}

/*
 * mogo_update_client(client_id uuid, client_name text, scopes text[], metadata
 * jsonb, allowed_cidrs cidr[]) returns void. NULL leaves a property as it is. The
 * audit row names the properties that are not what they were, and an old name; a
 * screen may pass all of them each time. Raises 23505 for a name that another
 * client has.
 */
Datum
mogo_update_client(PG_FUNCTION_ARGS)
{
	static const char *const properties[] = {"client_name", "scopes", "metadata", "allowed_cidrs"};
	static MogoStatement update = {
		.sql = "UPDATE @extschema@.mogo_client SET"
		" client_name = COALESCE($2, client_name), scopes = COALESCE($3, scopes),"
		" metadata = COALESCE($4, metadata), allowed_cidrs = COALESCE($5, allowed_cidrs)"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 5,
		.argtypes = {UUIDOID, TEXTOID, TEXTARRAYOID, JSONBOID, CIDRARRAYOID}
	};
	/* metadata as text: 1 and 1.0 are equal as jsonb, and not the same */
	static MogoStatement compare = {
		.sql = "SELECT client_name OPERATOR(pg_catalog.<>) $2, scopes OPERATOR(pg_catalog.<>) $3,"
		" metadata::pg_catalog.text OPERATOR(pg_catalog.<>) $4::pg_catalog.text,"
		" allowed_cidrs OPERATOR(pg_catalog.<>) $5"
		" FROM @extschema@.mogo_client WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 5,
		.argtypes = {UUIDOID, TEXTOID, TEXTARRAYOID, JSONBOID, CIDRARRAYOID}
	};
	MogoLocked	client;
	StringInfoData detail;
	Datum		values[5];
	bool		nulls[5];
	bool		changed[5] = {false};
	text	   *name;
	int			nchanged = 0;

	mogo_begin(fcinfo, "mogo_update_client()");
	mogo_require(fcinfo, 0, "client_id");
	if (!PG_ARGISNULL(1))
		mogo_check_name(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		mogo_check_scopes(PG_GETARG_ARRAYTYPE_P(2));
	if (!PG_ARGISNULL(3))
		mogo_check_metadata(PG_GETARG_DATUM(3));
	if (!PG_ARGISNULL(4))
		check_cidrs(PG_GETARG_ARRAYTYPE_P(4));

	mogo_lock_client(PG_GETARG_UUID_P(0), &client);
	for (int i = 0; i < 5; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	if (mogo_execute(&compare, values, nulls) == 0)
		elog(ERROR, "client's row not found");
	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"changed\": [");
	for (int i = 1; i < 5; i++)
	{
		bool		isnull;
		Datum		differs = mogo_result(i, BOOLOID, &isnull);

		changed[i] = !isnull && DatumGetBool(differs);
		if (changed[i])
			appendStringInfo(&detail, "%s\"%s\"", nchanged++ > 0 ? ", " : "", properties[i - 1]);
	}
	appendStringInfoChar(&detail, ']');
	name = client.name;
	if (changed[1])
	{
		name = PG_GETARG_TEXT_PP(1);
		appendStringInfoString(&detail, ", \"old_name\": ");
		mogo_append_text(&detail, client.name);
	}
	appendStringInfoChar(&detail, '}');

	if (nchanged > 0)
	{
		MemoryContext context = CurrentMemoryContext;

		PG_TRY();
		{
			mogo_change_row(&update, values, nulls);
		}
		PG_CATCH();
		{
			mogo_throw_taken(context, &client.client_id, name, NULL);
		}
		PG_END_TRY();
		mogo_record("client_updated", &client.client_id, PointerGetDatum(name), NULL,
					DirectFunctionCall1(jsonb_in, CStringGetDatum(detail.data)));
	}
	mogo_end();
	PG_RETURN_VOID();
}

/* Switches a client on or off. */
static Datum
set_enabled(FunctionCallInfo fcinfo, const char *command, bool enabled)
{
	static MogoStatement update = {
		.sql = "UPDATE @extschema@.mogo_client SET enabled = $2"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 2,
		.argtypes = {UUIDOID, BOOLOID}
	};
	MogoLocked	client;
	Datum		values[2];

	mogo_begin(fcinfo, command);
	mogo_require(fcinfo, 0, "client_id");
	mogo_lock_client(PG_GETARG_UUID_P(0), &client);
	if (client.enabled != enabled)
	{
		values[0] = UUIDPGetDatum(&client.client_id);
		values[1] = BoolGetDatum(enabled);
		mogo_change_row(&update, values, NULL);
		mogo_record(enabled ? "client_enabled" : "client_disabled", &client.client_id,
					PointerGetDatum(client.name), NULL, (Datum) 0);
	}
	mogo_end();
	PG_RETURN_VOID();
}

/* mogo_disable_client(client_id uuid) returns void */
Datum
mogo_disable_client(PG_FUNCTION_ARGS)
{
	return set_enabled(fcinfo, "mogo_disable_client()", false);
}

/* mogo_enable_client(client_id uuid) returns void */
Datum
mogo_enable_client(PG_FUNCTION_ARGS)
{
	return set_enabled(fcinfo, "mogo_enable_client()", true);
}

/*
 * mogo_remove_client(client_id uuid) returns void: the client and all its
 * secrets, past ones too, are gone; the audit stays.
 */
Datum
mogo_remove_client(PG_FUNCTION_ARGS)
{
	static MogoStatement remove_secrets = {
		.sql = "WITH gone AS (DELETE FROM @extschema@.mogo_secret"
		" WHERE client_id OPERATOR(pg_catalog.=) $1 RETURNING secret_id)"
		" SELECT pg_catalog.array_agg(secret_id) FROM gone",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement remove_client = {
		.sql = "DELETE FROM @extschema@.mogo_client WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement remove_uses = {
		.sql = "DELETE FROM @extschema@.mogo_secret_usage"
		" WHERE secret_id OPERATOR(pg_catalog.=) ANY ($1)",
		.nargs = 1,
		.argtypes = {UUIDARRAYOID}
	};
	static MogoStatement remove_failures = {
		.sql = "DELETE FROM @extschema@.mogo_client_usage"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	MogoLocked	client;
	Datum		values[1];
	Datum		secrets;
	bool		none;

	mogo_begin(fcinfo, "mogo_remove_client()");
	mogo_require(fcinfo, 0, "client_id");
	mogo_lock_client(PG_GETARG_UUID_P(0), &client);
	values[0] = UUIDPGetDatum(&client.client_id);
	mogo_execute(&remove_secrets, values, NULL);
	secrets = mogo_result(1, UUIDARRAYOID, &none);
	mogo_change_row(&remove_client, values, NULL);

	/* last, for a flush that was ahead of us may have just made them (usage_flush.c) */
	mogo_execute(&remove_failures, values, NULL);
	values[0] = secrets;
	mogo_execute(&remove_uses, values, &none);
	mogo_record("client_removed", &client.client_id, PointerGetDatum(client.name), NULL, (Datum) 0);
	mogo_end();
	PG_RETURN_VOID();
}
