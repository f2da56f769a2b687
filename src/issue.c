/*-------------------------------------------------------------------------
 *
 * issue.c
 *	  New clients, and mogo_add_client.
 *
 * A client is one row of mogo_client, which holds its live secrets' hashes, and a row of
 * mogo_secret for each secret it ever had. The secret in clear exists in a buffer here
 * and in the result, nowhere else.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/*
 * Adds a row to mogo_client. If its name or an id is taken, we say which in place of
 * PostgreSQL's own 23505. hint says what to do instead if the name exists.
 */
static void
insert_row(const MogoChange *change, const MogoNewClient *client, const Datum *values,
		   const bool *nulls, const char *hint)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		mogo_insert(change, MOGO_CLIENT, values, nulls);
	}
	PG_CATCH();
	{
		mogo_throw_taken(context, &client->client_id, client->name, client->external_id, hint);
	}
	PG_END_TRY();
}

/*
 * Returns the record's detail: a new client's properties, what its first secret was given
 * (NULL: it has none yet), and the algorithm of its import (NULL: it was added).
 */
static const char *
new_client_detail(const MogoNewClient *client, Datum allowed_cidrs,
				  const MogoLiveSecret *secret, const char *algorithm)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	if (algorithm != NULL)
		appendStringInfo(&detail, "\"algorithm\": \"%s\", ", algorithm);
	mogo_append_properties(&detail, client->external_id, client->scopes, client->metadata,
						   allowed_cidrs);
	if (secret != NULL)
	{
		appendStringInfoString(&detail, ", ");
		mogo_append_secret(&detail, secret->expires_at, client->label);
	}
	appendStringInfoChar(&detail, '}');
	return detail.data;
}

/*
 * Writes the rows of a new client, of its first secret (NULL: it has none yet) and of
 * the record. algorithm is the word for an imported client's, and NULL for a client
 * that is added. Raises 23505 for a name or an id that exists.
 */
void
mogo_insert_client(const MogoChange *change, const MogoNewClient *client,
				   const MogoLiveSecret *secret, const char *algorithm)
{
	Datum		allowed_cidrs = client->allowed_cidrs != (Datum) 0 ?
		client->allowed_cidrs : PointerGetDatum(construct_empty_array(CIDROID));
	Datum		values[Natts_mogo_client];
	bool		nulls[Natts_mogo_client] = {false};

	values[Anum_mogo_client_client_id - 1] = UUIDPGetDatum(&client->client_id);
	values[Anum_mogo_client_enabled - 1] = BoolGetDatum(true);
	values[Anum_mogo_client_salt - 1] =
		PointerGetDatum(cstring_to_text_with_len((const char *) client->salt, MOGO_SALT_LEN));
	values[Anum_mogo_client_live - 1] =
		mogo_live_array(change->schema, secret, secret != NULL ? 1 : 0);
	values[Anum_mogo_client_allowed_cidrs - 1] = allowed_cidrs;
	values[Anum_mogo_client_client_name - 1] = PointerGetDatum(client->name);
	values[Anum_mogo_client_scopes - 1] = client->scopes;
	values[Anum_mogo_client_metadata - 1] = client->metadata;
	values[Anum_mogo_client_created_at - 1] = TimestampTzGetDatum(client->now);
	values[Anum_mogo_client_created_by - 1] = CStringGetTextDatum(mogo_actor());
	values[Anum_mogo_client_external_id - 1] = PointerGetDatum(client->external_id);
	nulls[Anum_mogo_client_external_id - 1] = client->external_id == NULL;
	insert_row(change, client, values, nulls, algorithm != NULL ?
			   "Use mogo_import_secret to give an existing client a further secret." :
			   "Use mogo_add_secret or mogo_rotate_secret to give an existing client a new secret.");
	if (secret != NULL)
		mogo_insert_secret(change, &client->client_id, &secret->secret_id, client->now,
						   client->label);
	mogo_record(change, algorithm != NULL ? "client_imported" : "client_added",
				&client->client_id, client->name, secret != NULL ? &secret->secret_id : NULL,
				new_client_detail(client, allowed_cidrs, secret, algorithm));
}

/*
 * Reads and checks the arguments of mogo_add_client, and leaves the expiry of the first
 * secret in *expires_at. Raises 22004, 22023 and 54000.
 */
static void
read_args(FunctionCallInfo fcinfo, MogoChange *change, MogoNewClient *client,
		  TimestampTz *expires_at)
{
	mogo_require(fcinfo, 0, "client_name");
	client->name = PG_GETARG_TEXT_PP(0);
	change->client_name = client->name;
	mogo_require(fcinfo, 2, "scopes");
	mogo_require(fcinfo, 3, "metadata");
	mogo_require(fcinfo, 5, "allowed_cidrs");
	mogo_require(fcinfo, 6, "with_secret");

	client->now = GetCurrentTimestamp();
	mogo_check_name(client->name);
	*expires_at = mogo_secret_expiry(mogo_expiry_arg(fcinfo, 1), client->now);
	if (!PG_ARGISNULL(1) && !PG_GETARG_BOOL(6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a client without a secret cannot have an expiry")));
	mogo_check_scopes(PG_GETARG_ARRAYTYPE_P(2));
	client->scopes = PG_GETARG_DATUM(2);
	mogo_check_metadata(PG_GETARG_DATUM(3));
	client->metadata = PG_GETARG_DATUM(3);
	client->external_id = NULL;
	if (!PG_ARGISNULL(4))
	{
		client->external_id = PG_GETARG_TEXT_PP(4);
		mogo_check_external_id(client->external_id);
	}
	mogo_check_cidrs(PG_GETARG_ARRAYTYPE_P(5));
	client->allowed_cidrs = PG_GETARG_DATUM(5);
	client->label = NULL;
}

/*
 * Adds a client whose id and salt are not chosen yet, with a first secret or without, and
 * returns its mogo_credentials. Raises 23505 for a name or an external id that exists.
 */
Datum
mogo_issue_client(FunctionCallInfo fcinfo, const MogoChange *change, MogoNewClient *client,
				  bool with_secret, TimestampTz expires_at)
{
	MogoNewSecret secret;
	MogoLiveSecret live;
	volatile Datum result = (Datum) 0;

	mogo_new_client_id(&client->client_id);
	PG_TRY();
	{
		mogo_new_secret(&secret, NULL);
		memcpy(client->salt, secret.salt, MOGO_SALT_LEN);
		live.secret_id = secret.id;
		live.expires_at = expires_at;
		live.generated = true;
		live.hash = secret.hash;
		live.hash_len = MOGO_HASH_TEXT_LEN;
		mogo_insert_client(change, client, with_secret ? &live : NULL, NULL);
		result = mogo_credentials(fcinfo, client->name, &client->client_id, client->external_id,
								  with_secret ? &secret : NULL, client->now, expires_at);
	}
	PG_FINALLY();
	{
		explicit_bzero(&secret, sizeof(secret));
	}
	PG_END_TRY();
	return result;
}

PG_FUNCTION_INFO_V1(mogo_add_client);

/*
 * mogo_add_client(client_name text, expires_at timestamptz, scopes text[], metadata
 * jsonb, external_id text, allowed_cidrs cidr[], with_secret boolean) returns
 * mogo_credentials: a client and its first secret, or a client that has none yet.
 */
Datum
mogo_add_client(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoNewClient client;
	TimestampTz expires_at;
	Datum		result;

	mogo_begin(&change, fcinfo, 7, "mogo_add_client()");
	read_args(fcinfo, &change, &client, &expires_at);
	result = mogo_issue_client(fcinfo, &change, &client, PG_GETARG_BOOL(6), expires_at);
	mogo_end(&change);
	PG_RETURN_DATUM(result);
}
