/*-------------------------------------------------------------------------
 *
 * client.c
 *	  A client as a whole: update, disable, enable, remove.
 *
 * A change that changes nothing is no error. It leaves no record, and it takes no lock:
 * each function first looks at what is committed now (mogo_read_latest), and locks the
 * client's row (secret.c) only if there is something to change.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const struct
{
	const char *name;
	Oid			type;
}			properties[MOGO_PROPERTIES + 1] =

{
	[PROPERTY_NAME] = {"client_name", TEXTOID},
	[PROPERTY_SCOPES] = {"scopes", TEXTARRAYOID},
	[PROPERTY_METADATA] = {"metadata", JSONBOID},
	[PROPERTY_CIDRS] = {"allowed_cidrs", CIDRARRAYOID},
	[PROPERTY_EXTERNAL_ID] = {"external_id", TEXTOID}
};

/* A client's properties, and which of them are to change. */
typedef struct PropertyState
{
	Datum		old[MOGO_PROPERTIES + 1];
	bool		none[MOGO_PROPERTIES + 1];
	bool		changed[MOGO_PROPERTIES + 1];
} PropertyState;

/*
 * Checks properties that a client is to have, of which any may be NULL. Raises 22004,
 * 22023 and 54000.
 */
void
mogo_check_properties(const Datum *values, const bool *nulls)
{
	if (!nulls[PROPERTY_NAME])
		mogo_check_name(DatumGetTextPP(values[PROPERTY_NAME]));
	if (!nulls[PROPERTY_SCOPES])
		mogo_check_scopes(DatumGetArrayTypeP(values[PROPERTY_SCOPES]));
	if (!nulls[PROPERTY_METADATA])
		mogo_check_metadata(values[PROPERTY_METADATA]);
	if (!nulls[PROPERTY_CIDRS])
		mogo_check_cidrs(DatumGetArrayTypeP(values[PROPERTY_CIDRS]));
	/* an empty external id clears it */
	if (!nulls[PROPERTY_EXTERNAL_ID] &&
		VARSIZE_ANY_EXHDR(DatumGetTextPP(values[PROPERTY_EXTERNAL_ID])) > 0)
		mogo_check_external_id(DatumGetTextPP(values[PROPERTY_EXTERNAL_ID]));
}

/*
 * Compares the client's properties with those given, of which NULL is always equal.
 * latest: with what is committed now; else with what the transaction sees. Leaves in
 * state what they are and which are not equal, and returns how many, or -1 if there is no
 * such client. What state points to is there until mogo_end.
 */
static int
compare(const MogoChange *change, bool latest, const Datum *values, const bool *nulls,
		PropertyState *state)
{
	/*
	 * Metadata as text, because 1 and 1.0 are equal as jsonb and not the
	 * same; but if what is stored is far beyond the cap, it is not the same
	 * without being printed.
	 */
	static MogoStatement differs = {
		.sql = "SELECT client_name OPERATOR(pg_catalog.<>) $2, scopes OPERATOR(pg_catalog.<>) $3,"
		" CASE WHEN pg_catalog.pg_column_size(metadata) OPERATOR(pg_catalog.>) 1000000"
		" THEN $4 IS NOT NULL"
		" ELSE metadata::pg_catalog.text OPERATOR(pg_catalog.<>) $4::pg_catalog.text END,"
		" allowed_cidrs OPERATOR(pg_catalog.<>) $5,"
		" COALESCE(external_id, '') OPERATOR(pg_catalog.<>) $6,"
		" client_name, scopes, metadata, allowed_cidrs, external_id"
		" FROM @extschema@.mogo_client WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 6,
		.argtypes = {UUIDOID, TEXTOID, TEXTARRAYOID, JSONBOID, CIDRARRAYOID, TEXTOID}
	};
	uint64		rows;
	int			n = 0;

	rows = latest ? mogo_read_latest(change, &differs, values, nulls) :
		mogo_execute(change, &differs, values, nulls);
	if (rows == 0)
		return -1;
	for (int i = 1; i <= MOGO_PROPERTIES; i++)
	{
		bool		isnull;
		Datum		different = mogo_result(i, BOOLOID, &isnull);

		state->changed[i] = !isnull && DatumGetBool(different);
		state->old[i] = mogo_result(MOGO_PROPERTIES + i, properties[i].type, &state->none[i]);
		n += state->changed[i];
	}
	return n;
}

/*
 * Writes a locked client's properties and returns its name from now on. Raises 23505 for
 * a name or an external id that another client has.
 */
static const text *
update(const MogoChange *change, const MogoLocked *client, const Datum *values,
	   const bool *nulls)
{
	static MogoStatement write = {
		.sql = "UPDATE @extschema@.mogo_client SET"
		" client_name = COALESCE($2, client_name), scopes = COALESCE($3, scopes),"
		" metadata = COALESCE($4, metadata), allowed_cidrs = COALESCE($5, allowed_cidrs),"
		" external_id = CASE WHEN COALESCE($6, external_id) OPERATOR(pg_catalog.<>) ''"
		" THEN COALESCE($6, external_id) END"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 6,
		.argtypes = {UUIDOID, TEXTOID, TEXTARRAYOID, JSONBOID, CIDRARRAYOID, TEXTOID}
	};
	MemoryContext context = CurrentMemoryContext;
	const text *name = nulls[PROPERTY_NAME] ? client->name :
		DatumGetTextPP(values[PROPERTY_NAME]);
	const text *external_id = nulls[PROPERTY_EXTERNAL_ID] ? NULL :
		DatumGetTextPP(values[PROPERTY_EXTERNAL_ID]);

	PG_TRY();
	{
		mogo_change_row(change, &write, values, nulls);
	}
	PG_CATCH();
	{
		mogo_throw_taken(context, &client->client_id, name, external_id, NULL);
	}
	PG_END_TRY();
	return name;
}

/* Appends a property as JSON, an external id that is NULL or empty as null. */
static void
append_property(StringInfo out, int property, Datum value, bool none)
{
	if (none)
		appendStringInfoString(out, "null");
	else if (property == PROPERTY_METADATA)
		mogo_append_metadata(out, value);
	else if (property == PROPERTY_SCOPES || property == PROPERTY_CIDRS)
		mogo_append_list(out, value);
	else
	{
		text	   *line = DatumGetTextPP(value);

		mogo_append_text(out, VARSIZE_ANY_EXHDR(line) > 0 ? line : NULL);
	}
}

/* Returns the record's detail: the old and the new value of each property that changed. */
static const char *
changed_detail(const PropertyState *state, const Datum *values)
{
	StringInfoData detail;
	const char *separator = "";

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"changed\": {");
	for (int i = 1; i <= MOGO_PROPERTIES; i++)
	{
		if (!state->changed[i])
			continue;
		appendStringInfo(&detail, "%s\"%s\": {\"old\": ", separator, properties[i].name);
		append_property(&detail, i, state->old[i], state->none[i]);
		appendStringInfoString(&detail, ", \"new\": ");
		append_property(&detail, i, values[i], false);
		appendStringInfoChar(&detail, '}');
		separator = ", ";
	}
	appendStringInfoString(&detail, "}}");
	return detail.data;
}

/*
 * Gives a client the properties in values, by number, which have been checked; number 0
 * is its id. NULL leaves one as it is. The record has those that are not what they were.
 * Returns false if the client does not exist or, with keep_name, has not the name that is
 * among the properties: it may have been renamed while we waited for its lock. Raises
 * 23505 for a name or an external id that another client has.
 */
bool
mogo_set_properties(MogoChange *change, const Datum *values, const bool *nulls, bool keep_name)
{
	int			n;
	MogoLocked	client;
	PropertyState state;
	const text *name;
	const char *detail;

	n = compare(change, true, values, nulls, &state);
	if (n == 0)
		return true;
	if (n < 0 || !mogo_try_lock_client(change, DatumGetUUIDP(values[0]), &client))
		return false;
	/* the row may have changed while we waited for it */
	if (compare(change, false, values, nulls, &state) == 0)
		return true;
	if (keep_name && state.changed[PROPERTY_NAME])
		return false;
	detail = changed_detail(&state, values);
	name = update(change, &client, values, nulls);
	mogo_record(change, "client_updated", &client.client_id, name, NULL, detail);
	return true;
}

PG_FUNCTION_INFO_V1(mogo_update_client);
PG_FUNCTION_INFO_V1(mogo_disable_client);
PG_FUNCTION_INFO_V1(mogo_enable_client);
PG_FUNCTION_INFO_V1(mogo_remove_client);

/*
 * mogo_update_client(client_id uuid, client_name text, scopes text[], metadata jsonb,
 * allowed_cidrs cidr[], external_id text) returns void. NULL leaves a property as it is;
 * a screen may pass all of them each time.
 */
Datum
mogo_update_client(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	Datum		values[MOGO_PROPERTIES + 1];
	bool		nulls[MOGO_PROPERTIES + 1];

	mogo_begin(&change, fcinfo, 6, "mogo_update_client()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	/* the arguments stand in the order of the properties' numbers */
	for (int i = 0; i <= MOGO_PROPERTIES; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	mogo_check_properties(values, nulls);
	if (!mogo_set_properties(&change, values, nulls, false))
		mogo_no_such_client(PG_GETARG_UUID_P(0));
	mogo_end(&change);
	PG_RETURN_VOID();
}

/* Enables or disables the client in argument 0. command is as for mogo_begin. */
static Datum
set_enabled(FunctionCallInfo fcinfo, const char *command, bool enabled)
{
	static MogoStatement find = {
		.sql = "SELECT enabled FROM @extschema@.mogo_client"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement write = {
		.sql = "UPDATE @extschema@.mogo_client SET enabled = $2"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 2,
		.argtypes = {UUIDOID, BOOLOID}
	};
	MogoChange	change;
	MogoLocked	client;
	Datum		values[2];

	mogo_begin(&change, fcinfo, 1, command);
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	values[0] = PG_GETARG_DATUM(0);
	if (mogo_read_latest(&change, &find, values, NULL) == 0)
		mogo_no_such_client(PG_GETARG_UUID_P(0));
	if (DatumGetBool(mogo_result(1, BOOLOID, NULL)) != enabled)
	{
		mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
		if (client.enabled != enabled)
		{
			values[1] = BoolGetDatum(enabled);
			mogo_change_row(&change, &write, values, NULL);
			mogo_record(&change, enabled ? "client_enabled" : "client_disabled",
						&client.client_id, client.name, NULL, NULL);
		}
	}
	mogo_end(&change);
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
 * mogo_remove_client(client_id uuid) returns void: the client, its invitations and all
 * its secrets, past ones too, are gone; the audit stays.
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
		.sql = "DELETE FROM @extschema@.mogo_client WHERE client_id OPERATOR(pg_catalog.=) $1"
		" RETURNING scopes, metadata, allowed_cidrs",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement remove_invitations = {
		.sql = "DELETE FROM @extschema@.mogo_invitation_code"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	static MogoStatement find_invitations = {
		.sql = "SELECT FROM @extschema@.mogo_invitation_code"
		" WHERE client_id OPERATOR(pg_catalog.=) $1",
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
	MogoChange	change;
	MogoLocked	client;
	Datum		values[1];
	Datum		secrets;
	bool		none;
	StringInfoData detail;

	mogo_begin(&change, fcinfo, 1, "mogo_remove_client()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
	values[0] = UUIDPGetDatum(&client.client_id);
	mogo_execute(&change, &remove_secrets, values, NULL);
	secrets = mogo_result(1, UUIDARRAYOID, &none);
	mogo_execute(&change, &remove_invitations, values, NULL);

	/*
	 * An invitation locks its client's row and does not write it. One that an
	 * older snapshot does not show would lead into a client of the same id
	 * that is imported later.
	 */
	if (mogo_read_latest(&change, &find_invitations, values, NULL) > 0)
		mogo_stale_snapshot();
	mogo_change_row(&change, &remove_client, values, NULL);
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	mogo_append_properties(&detail, client.external_id, mogo_result(1, TEXTARRAYOID, NULL),
						   mogo_result(2, JSONBOID, NULL), mogo_result(3, CIDRARRAYOID, NULL));
	appendStringInfoChar(&detail, '}');

	/*
	 * last, because a flush that was ahead of us may have just made them
	 * (usage_flush.c)
	 */
	mogo_execute(&change, &remove_failures, values, NULL);
	values[0] = secrets;
	mogo_execute(&change, &remove_uses, values, &none);
	mogo_record(&change, "client_removed", &client.client_id, client.name, NULL, detail.data);
	mogo_end(&change);
	PG_RETURN_VOID();
}
