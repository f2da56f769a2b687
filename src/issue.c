/*-------------------------------------------------------------------------
 *
 * issue.c
 *	  New clients: mogo_add_client and mogo_import_client.
 *
 * A client is one row of mogo_client, which holds its live secrets' hashes, and
 * a row of mogo_secret for each secret it ever had. The secret in clear exists
 * in a buffer here and in the result, nowhere else.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* Bounds of a secret that a person chose; bcrypt reads no more than 72 bytes. */
#define MIN_PLAIN_CHARS		16
#define MAX_PLAIN_BYTES		72

/* What a new client is made of. */
typedef struct NewClient
{
	pg_uuid_t	client_id;
	pg_uuid_t	secret_id;
	text	   *name;
	Datum		scopes;			/* text[] */
	Datum		metadata;		/* jsonb */
	TimestampTz expires_at;		/* DT_NOEND: never */
	TimestampTz now;
	uint8		salt[MOGO_SALT_LEN];
} NewClient;

/*
 * Reads and checks name, expiry, scopes and metadata. Raises 22004 and 22023.
 */
static void
read_args(FunctionCallInfo fcinfo, int name, int expiry, int scopes, int metadata,
		  NewClient *client)
{
	mogo_require(fcinfo, name, "client_name");
	mogo_require(fcinfo, scopes, "scopes");
	mogo_require(fcinfo, metadata, "metadata");

	client->now = GetCurrentTimestamp();
	client->name = PG_GETARG_TEXT_PP(name);
	mogo_check_name(client->name);
	client->expires_at = DT_NOEND;
	if (!PG_ARGISNULL(expiry))
	{
		client->expires_at = PG_GETARG_TIMESTAMPTZ(expiry);
		mogo_check_expiry(client->expires_at, client->now);
	}
	mogo_check_scopes(PG_GETARG_ARRAYTYPE_P(scopes));
	client->scopes = PG_GETARG_DATUM(scopes);
	mogo_check_metadata(PG_GETARG_DATUM(metadata));
	client->metadata = PG_GETARG_DATUM(metadata);
}

/*
 * Adds a row to mogo_client. Where its name or its id is taken, PostgreSQL's
 * 23505 is put into words that say which.
 */
static void
insert_row(const NewClient *client, const Datum *values, const bool *nulls)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		mogo_insert("mogo_client", CLIENT_COLUMNS, values, nulls);
	}
	PG_CATCH();
	{
		mogo_throw_taken(context, &client->client_id, client->name,
						 "Use mogo_add_secret or mogo_rotate_secret to give an existing client a new secret.");
	}
	PG_END_TRY();
}

/*
 * Writes the rows of a new client and its first secret, whose stored form is
 * hash. Raises 23505 for a name or an id that exists.
 */
static void
insert_client(FunctionCallInfo fcinfo, const NewClient *client, const char *action,
			  const char *hash, size_t hash_len, Datum detail)
{
	MogoLiveSecret live;
	Datum		values[CLIENT_COLUMNS];
	bool		nulls[CLIENT_COLUMNS] = {false};

	live.secret_id = client->secret_id;
	live.expires_at = client->expires_at;
	live.hash = hash;
	live.hash_len = hash_len;

	values[CLIENT_ID - 1] = UUIDPGetDatum(&client->client_id);
	values[CLIENT_ENABLED - 1] = BoolGetDatum(true);
	values[CLIENT_SALT - 1] = PointerGetDatum(cstring_to_text_with_len((const char *) client->salt, MOGO_SALT_LEN));
	values[CLIENT_LIVE - 1] = mogo_one_live_secret(fcinfo->flinfo->fn_oid, &live);
	values[CLIENT_CIDRS - 1] = PointerGetDatum(construct_empty_array(CIDROID));
	values[CLIENT_NAME - 1] = PointerGetDatum(client->name);
	values[CLIENT_SCOPES - 1] = client->scopes;
	values[CLIENT_METADATA - 1] = client->metadata;
	values[CLIENT_CREATED_AT - 1] = TimestampTzGetDatum(client->now);
	values[CLIENT_CREATED_BY - 1] = CStringGetTextDatum(mogo_actor());
	insert_row(client, values, nulls);
	mogo_insert_secret(&client->client_id, &client->secret_id, client->now);
	mogo_record(action, &client->client_id, PointerGetDatum(client->name),
				&client->secret_id, detail);
}

PG_FUNCTION_INFO_V1(mogo_add_client);
PG_FUNCTION_INFO_V1(mogo_import_client);

/*
 * mogo_add_client(client_name text, expires_at timestamptz, scopes text[],
 * metadata jsonb) returns mogo_credentials: a client and its first secret.
 */
Datum
mogo_add_client(PG_FUNCTION_ARGS)
{
	NewClient	client;
	MogoNewSecret secret;
	volatile Datum result = (Datum) 0;

	mogo_begin(fcinfo, "mogo_add_client()");
	read_args(fcinfo, 0, 1, 2, 3, &client);
	mogo_new_client_id(&client.client_id);

	PG_TRY();
	{
		mogo_new_secret(&secret, NULL);
		client.secret_id = secret.id;
		memcpy(client.salt, secret.salt, MOGO_SALT_LEN);
		insert_client(fcinfo, &client, "client_added", secret.hash, MOGO_HASH_TEXT_LEN, (Datum) 0);
		mogo_end();
		result = mogo_credentials(fcinfo, client.name, &client.client_id, &secret,
								  client.now, client.expires_at);
	}
	PG_FINALLY();
	{
		explicit_bzero(&secret, sizeof(secret));
	}
	PG_END_TRY();
	PG_RETURN_DATUM(result);
}

/*
 * The stored form of an imported secret, by the algorithm's name. What is
 * imported as sha256 becomes a native hash; a bcrypt hash is kept as it came; a
 * plain secret, which a person chose, is hashed with bcrypt. Returns the form's
 * length. Raises 22023. The text that was passed is never guessed at.
 */
static size_t
import_hash(const char *algorithm, const text *secret, const uint8 *salt, char *hash)
{
	const char *data = VARDATA_ANY(secret);
	size_t		len = VARSIZE_ANY_EXHDR(secret);

	if (strcmp(algorithm, "sha256") == 0)
	{
		uint8		digest[MOGO_DIGEST_LEN] = {0};
		uint8		of_nothing[MOGO_DIGEST_LEN] = {0};
		bool		parsed = mogo_parse_sha256(data, len, digest);
		bool		ok = mogo_sha256("", 0, NULL, 0, of_nothing);
		bool		empty = mogo_equal(digest, of_nothing, MOGO_DIGEST_LEN);

		ok = ok && mogo_hash_text(salt, digest, hash);
		explicit_bzero(digest, sizeof(digest));
		if (!parsed)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("secret is not a SHA-256 hash"),
					 errdetail("Expected are the 32 bytes as hexadecimal digits, base64 or base64url.")));
		if (!ok)
			mogo_hash_failed();
		/* else mogo_verify_digest would let in whoever has no secret */
		if (empty)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("secret is the SHA-256 hash of an empty text")));
		return MOGO_HASH_TEXT_LEN;
	}
	if (strcmp(algorithm, "bcrypt") == 0)
	{
		if (!mogo_parse_bcrypt(data, len))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("secret is not a bcrypt hash"),
					 errdetail("Expected are $2a$, $2b$ or $2y$, a cost from 04 to 12, and 53 characters.")));
		memcpy(hash, data, len);
		return MOGO_BCRYPT_LEN;
	}
	if (strcmp(algorithm, "plain") == 0)
	{
		char		utf8[MAX_PLAIN_BYTES];
		size_t		utf8_len;

		if (!mogo_to_utf8(data, len, utf8, sizeof(utf8), &utf8_len))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("secret is too long"),
					 errdetail("A secret that a person chose has at most %d bytes, all that bcrypt reads.",
							   MAX_PLAIN_BYTES)));
		if (pg_mbstrlen_with_len(data, len) < MIN_PLAIN_CHARS)
		{
			explicit_bzero(utf8, utf8_len);
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("secret is too short"),
					 errdetail("A secret that a person chose has at least %d characters.",
							   MIN_PLAIN_CHARS)));
		}
		PG_TRY();
		{
			mogo_bcrypt_make(utf8, utf8_len, hash);
		}
		PG_FINALLY();
		{
			explicit_bzero(utf8, sizeof(utf8));
		}
		PG_END_TRY();
		return MOGO_BCRYPT_LEN;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("algorithm must be \"sha256\", \"bcrypt\" or \"plain\"")));
}

/*
 * mogo_import_client(client_name text, client_id uuid, algorithm text, secret
 * text, expires_at timestamptz, scopes text[], metadata jsonb) returns uuid, the
 * secret's id: a client from another system, with no new secret.
 */
Datum
mogo_import_client(PG_FUNCTION_ARGS)
{
	NewClient	client;
	text	   *secret;
	char	   *algorithm;
	char		hash[MOGO_HASH_TEXT_LEN];
	volatile size_t hash_len = 0;
	StringInfoData detail;
	pg_uuid_t  *result;

	mogo_begin(fcinfo, "mogo_import_client()");
	mogo_require(fcinfo, 1, "client_id");
	mogo_require(fcinfo, 2, "algorithm");
	mogo_require(fcinfo, 3, "secret");
	read_args(fcinfo, 0, 4, 5, 6, &client);
	client.client_id = *PG_GETARG_UUID_P(1);
	mogo_new_salt_and_id(client.salt, &client.secret_id);
	algorithm = text_to_cstring(PG_GETARG_TEXT_PP(2));
	secret = PG_GETARG_TEXT_PP(3);
	PG_TRY();
	{
		hash_len = import_hash(algorithm, secret, client.salt, hash);
	}
	PG_FINALLY();
	{
		mogo_wipe_copy(secret, PG_GETARG_DATUM(3));
	}
	PG_END_TRY();

	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"algorithm\": \"%s\"}", algorithm);
	insert_client(fcinfo, &client, "client_imported", hash, hash_len,
				  DirectFunctionCall1(jsonb_in, CStringGetDatum(detail.data)));
	mogo_end();

	result = palloc(sizeof(pg_uuid_t));
	*result = client.secret_id;
	PG_RETURN_UUID_P(result);
}
