/*-------------------------------------------------------------------------
 *
 * import.c
 *	  Clients that another system has issued: mogo_import_client.
 *
 * The administrator names the algorithm; nothing is guessed from the text, because a
 * hash that is taken for a secret would work as one. Buffers that held a secret or a
 * digest are wiped before any error.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* Bounds of a secret that a person chose; bcrypt reads no more than 72 bytes. */
#define MIN_PLAIN_CHARS		16
#define MAX_PLAIN_BYTES		72

/*
 * Makes the stored form of an imported secret, by the algorithm's name, and returns its
 * length. A SHA-256 becomes a native hash, a bcrypt hash is kept as it came, and a plain
 * secret, which a person chose, is hashed with bcrypt. We never guess what the text is.
 * Raises 22023.
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

PG_FUNCTION_INFO_V1(mogo_import_client);

/*
 * mogo_import_client(client_name text, client_id uuid, algorithm text, secret text,
 * expires_at timestamptz, scopes text[], metadata jsonb) returns uuid, the secret's id: a
 * client from another system, with no new secret.
 */
Datum
mogo_import_client(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoNewClient client;
	MogoLiveSecret live;
	text	   *secret;
	char	   *algorithm;
	char		hash[MOGO_HASH_TEXT_LEN];
	volatile size_t hash_len = 0;
	pg_uuid_t  *result;

	mogo_begin(&change, fcinfo, 7, "mogo_import_client()");
	mogo_require(fcinfo, 0, "client_name");
	client.name = PG_GETARG_TEXT_PP(0);
	change.client_name = client.name;
	mogo_require(fcinfo, 1, "client_id");
	mogo_require(fcinfo, 2, "algorithm");
	mogo_require(fcinfo, 3, "secret");
	mogo_require(fcinfo, 5, "scopes");
	mogo_require(fcinfo, 6, "metadata");
	client.now = GetCurrentTimestamp();
	mogo_check_name(client.name);
	client.client_id = *PG_GETARG_UUID_P(1);
	client.external_id = NULL;
	client.label = NULL;
	client.allowed_cidrs = (Datum) 0;
	live.expires_at = mogo_secret_expiry(mogo_expiry_arg(fcinfo, 4), client.now);
	mogo_check_scopes(PG_GETARG_ARRAYTYPE_P(5));
	client.scopes = PG_GETARG_DATUM(5);
	mogo_check_metadata(PG_GETARG_DATUM(6));
	client.metadata = PG_GETARG_DATUM(6);
	mogo_new_salt_and_id(client.salt, &live.secret_id);
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

	live.generated = false;
	live.hash = hash;
	live.hash_len = hash_len;
	mogo_insert_client(&change, &client, &live, algorithm);
	mogo_end(&change);

	result = palloc(sizeof(pg_uuid_t));
	*result = live.secret_id;
	PG_RETURN_UUID_P(result);
}
