/*-------------------------------------------------------------------------
 *
 * import.c
 *	  Clients and secrets that another system has issued.
 *
 * The administrator names the algorithm; nothing is guessed from the text, because a
 * hash that is taken for a secret would work as one. For the same reason a plain secret
 * that has the form of another system's hash is refused. Buffers that held a secret or a
 * digest are wiped before any error.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* Bounds of a secret that a person chose; bcrypt reads no more than 72 bytes. */
#define MIN_CHOSEN_CHARS	16
#define MAX_CHOSEN_BYTES	72

/* 22 base64 digits are 128 bits, the least that a program's secret has. */
#define MIN_GENERATED_CHARS	22

/*
 * Makes the stored form of an imported secret, of at most MOGO_MAX_HASH_TEXT characters,
 * and returns its length. Raises 22023 for a text that is not what the algorithm says.
 */
typedef size_t (*MakeHash) (const text *secret, bool generated, const uint8 *salt, char *hash);

/* Makes the stored form of a digest: native for SHA-256, its sibling for SHA-512. */
static size_t
hash_digest(const text *secret, bool sha512, const uint8 *salt, char *hash)
{
	size_t		len = sha512 ? MOGO_DIGEST_512_LEN : MOGO_DIGEST_LEN;
	const char *name = sha512 ? "SHA-512" : "SHA-256";
	uint8		digest[MOGO_DIGEST_512_LEN] = {0};
	uint8		of_nothing[MOGO_DIGEST_512_LEN] = {0};
	bool		parsed;
	bool		empty;
	bool		ok;

	parsed = mogo_parse_digest(VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret), digest, len);
	ok = sha512 ? mogo_sha512("", 0, of_nothing) : mogo_sha256("", 0, NULL, 0, of_nothing);
	empty = mogo_equal(digest, of_nothing, len);
	ok = ok && (sha512 ? mogo_hash_text_512(salt, digest, hash) : mogo_hash_text(salt, digest, hash));
	explicit_bzero(digest, sizeof(digest));
	if (!parsed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is not a %s hash", name),
				 errdetail("Expected are the %d bytes as hexadecimal digits, base64 or base64url.",
						   (int) len)));
	if (!ok)
		mogo_hash_failed();
	/* otherwise mogo_verify_digest would accept a client with no secret */
	if (empty)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is the %s hash of an empty text", name)));
	return MOGO_HASH_TEXT_LEN;
}

static size_t
hash_sha256(const text *secret, bool generated, const uint8 *salt, char *hash)
{
	return hash_digest(secret, false, salt, hash);
}

static size_t
hash_sha512(const text *secret, bool generated, const uint8 *salt, char *hash)
{
	return hash_digest(secret, true, salt, hash);
}

/* Keeps a PBKDF2 hash as it came. */
static size_t
keep_pbkdf2(const text *secret, bool generated, const uint8 *salt, char *hash)
{
	MogoPbkdf2	pbkdf2;
	size_t		len = VARSIZE_ANY_EXHDR(secret);

	if (len > MOGO_MAX_HASH_TEXT || !mogo_parse_pbkdf2(VARDATA_ANY(secret), len, &pbkdf2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is not a PBKDF2 hash"),
				 errdetail("Expected are \"$pbkdf2-sha256$\", \"$pbkdf2-sha512$\" or \"pbkdf2_sha256$\", 1 to %d iterations, a salt of 1 to %d bytes and a hash of 16 to %d bytes.",
						   MOGO_PBKDF2_ITERATIONS, MOGO_PBKDF2_BYTES, MOGO_PBKDF2_BYTES)));
	memcpy(hash, VARDATA_ANY(secret), len);
	return len;
}

/* Keeps a bcrypt hash as it came, without another system's prefix. */
static size_t
keep_bcrypt(const text *secret, bool generated, const uint8 *salt, char *hash)
{
	const char *data = VARDATA_ANY(secret);
	size_t		len = VARSIZE_ANY_EXHDR(secret);

	mogo_strip_bcrypt(&data, &len);
	if (!mogo_parse_bcrypt(data, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is not a bcrypt hash"),
				 errdetail("Expected are $2a$, $2b$ or $2y$, a cost from 04 to 12, and 53 characters.")));
	memcpy(hash, data, len);
	return len;
}

/*
 * Raises 22023 if a text that is said to be a plain secret is what a system stores, or
 * what no client presents.
 */
static void
check_plain(const char *data, size_t len, const char *utf8, size_t utf8_len)
{
	const char *wrong = mogo_parse_presentable(utf8, utf8_len);
	MogoPbkdf2	pbkdf2;

	if (mogo_parse_stored_form(data, len))
	{
		const char *algorithm = NULL;

		if (mogo_parse_pbkdf2(data, len, &pbkdf2))
			algorithm = "pbkdf2";
		mogo_strip_bcrypt(&data, &len);
		if (mogo_parse_bcrypt(data, len))
			algorithm = "bcrypt";
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret has the form in which another system stores secrets"),
				 errdetail("Imported as \"plain\", what is stored would itself be the client's secret."),
				 algorithm != NULL ? errhint("Use algorithm \"%s\".", algorithm) :
				 errhint("Name the algorithm that made it, or pass the secret itself without a prefix.")));
	}
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret contains %s", wrong),
				 errdetail("A client would not present it.")));
}

/* Raises 22023 if a plain secret is too long or too short. */
static void
check_length(bool fits, size_t chars, bool generated)
{
	int			min = generated ? MIN_GENERATED_CHARS : MIN_CHOSEN_CHARS;

	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is too long"),
				 generated ?
				 errdetail("A secret has at most %d bytes.", MOGO_MAX_SECRET) :
				 errdetail("A secret that a person chose has at most %d bytes, all that bcrypt reads.",
						   MAX_CHOSEN_BYTES),
				 generated ? 0 :
				 errhint("If a program made it, with 112 random bits or more, pass generated => true.")));
	if (chars < min)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret is too short"),
				 generated ?
				 errdetail("A secret that a program made has at least %d characters.", min) :
				 errdetail("A secret that a person chose has at least %d characters.", min)));
}

/* Makes the native form of a secret that a program made, and bcrypt of any other. */
static size_t
hash_plain(const text *secret, bool generated, const uint8 *salt, char *hash)
{
	const char *data = VARDATA_ANY(secret);
	size_t		len = VARSIZE_ANY_EXHDR(secret);
	char		utf8[MOGO_MAX_SECRET];
	size_t		utf8_len = 0;
	uint8		digest[MOGO_DIGEST_LEN];
	volatile size_t hash_len = MOGO_BCRYPT_LEN;
	bool		fits;

	PG_TRY();
	{
		fits = mogo_to_utf8(data, len, utf8, generated ? sizeof(utf8) : MAX_CHOSEN_BYTES, &utf8_len);
		check_plain(data, len, utf8, fits ? utf8_len : 0);
		check_length(fits, fits ? pg_mbstrlen_with_len(data, len) : 0, generated);
		if (!generated)
			mogo_bcrypt_make(utf8, utf8_len, hash);
		else if (mogo_sha256(utf8, utf8_len, NULL, 0, digest) && mogo_hash_text(salt, digest, hash))
			hash_len = MOGO_HASH_TEXT_LEN;
		else
			mogo_hash_failed();
	}
	PG_FINALLY();
	{
		explicit_bzero(utf8, sizeof(utf8));
		explicit_bzero(digest, sizeof(digest));
	}
	PG_END_TRY();
	return hash_len;
}

static const struct
{
	const char *name;
	MakeHash	make_hash;
}			algorithms[] =

{
	{"sha256", hash_sha256},
	{"sha512", hash_sha512},
	{"pbkdf2", keep_pbkdf2},
	{"bcrypt", keep_bcrypt},
	{"plain", hash_plain}
};

/*
 * Makes the stored form of the secret in argument argno, by the algorithm in the argument
 * before it, and leaves it in live, with hash as its buffer. Returns the algorithm's name.
 * Raises 22023.
 */
static const char *
make_hash(FunctionCallInfo fcinfo, int argno, const uint8 *salt, MogoLiveSecret *live, char *hash)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(argno - 1));
	text	   *secret;
	int			i = 0;

	while (i < lengthof(algorithms) && strcmp(algorithms[i].name, name) != 0)
		i++;
	if (i == lengthof(algorithms))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("algorithm must be \"sha256\", \"sha512\", \"pbkdf2\", \"bcrypt\" or \"plain\"")));
	secret = PG_GETARG_TEXT_PP(argno);
	PG_TRY();
	{
		live->hash_len = algorithms[i].make_hash(secret, live->generated, salt, hash);
	}
	PG_FINALLY();
	{
		mogo_wipe_copy(secret, PG_GETARG_DATUM(argno));
	}
	PG_END_TRY();
	live->hash = hash;
	return algorithms[i].name;
}

/* Returns a secret's id as a result. */
static Datum
secret_id(const MogoLiveSecret *live)
{
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	*result = live->secret_id;
	return UUIDPGetDatum(result);
}

/*
 * Reads and checks the arguments of mogo_import_client but the id, the algorithm and the
 * secret. Raises 22004, 22023 and 54000.
 */
static void
read_args(FunctionCallInfo fcinfo, MogoChange *change, MogoNewClient *client, MogoLiveSecret *live)
{
	mogo_require(fcinfo, 0, "client_name");
	client->name = PG_GETARG_TEXT_PP(0);
	change->client_name = client->name;
	mogo_require(fcinfo, 1, "client_id");
	mogo_require(fcinfo, 2, "algorithm");
	mogo_require(fcinfo, 3, "secret");
	mogo_require(fcinfo, 5, "scopes");
	mogo_require(fcinfo, 6, "metadata");
	mogo_require(fcinfo, 7, "generated");
	client->now = GetCurrentTimestamp();
	mogo_check_name(client->name);
	client->external_id = NULL;
	client->allowed_cidrs = (Datum) 0;
	live->expires_at = mogo_secret_expiry(mogo_expiry_arg(fcinfo, 4), client->now);
	mogo_check_scopes(PG_GETARG_ARRAYTYPE_P(5));
	client->scopes = PG_GETARG_DATUM(5);
	mogo_check_metadata(PG_GETARG_DATUM(6));
	client->metadata = PG_GETARG_DATUM(6);
	live->generated = PG_GETARG_BOOL(7);
	client->label = mogo_label_arg(fcinfo, 8);
}

/* Imports a client whose id is of type uuid or text. */
static Datum
import_client(FunctionCallInfo fcinfo, bool id_is_text)
{
	MogoChange	change;
	MogoNewClient client;
	MogoLiveSecret live;
	char		hash[MOGO_MAX_HASH_TEXT];
	const char *algorithm;

	mogo_begin(&change, fcinfo, 9, "mogo_import_client()");
	read_args(fcinfo, &change, &client, &live);
	if (!id_is_text)
		client.client_id = *PG_GETARG_UUID_P(1);
	else
	{
		text	   *id = PG_GETARG_TEXT_PP(1);

		if (!mogo_parse_uuid(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), &client.client_id))
		{
			mogo_check_external_id(id);
			client.external_id = id;
			mogo_new_client_id(&client.client_id);
		}
	}
	mogo_new_salt_and_id(client.salt, &live.secret_id);
	algorithm = make_hash(fcinfo, 3, client.salt, &live, hash);
	mogo_insert_client(&change, &client, &live, algorithm);
	mogo_end(&change);
	return secret_id(&live);
}

PG_FUNCTION_INFO_V1(mogo_import_client_uuid);
PG_FUNCTION_INFO_V1(mogo_import_client_text);
PG_FUNCTION_INFO_V1(mogo_import_secret);

/*
 * mogo_import_client(client_name text, client_id uuid, algorithm text, secret text,
 * expires_at timestamptz, scopes text[], metadata jsonb, generated boolean, label text)
 * returns uuid, the secret's id: a client from another system, with no new secret.
 */
Datum
mogo_import_client_uuid(PG_FUNCTION_ARGS)
{
	return import_client(fcinfo, false);
}

/*
 * mogo_import_client(client_name text, client_id text, algorithm text, secret text,
 * expires_at timestamptz, scopes text[], metadata jsonb, generated boolean, label text)
 * returns uuid. Text that reads as a UUID is the client id, any other an external id.
 */
Datum
mogo_import_client_text(PG_FUNCTION_ARGS)
{
	return import_client(fcinfo, true);
}

/* Raises 54000 if a client with these live secrets may have no more slow hashes. */
static void
check_slow(const MogoLocked *client, const MogoLiveSecret *secrets, int n)
{
	int			nslow = 0;

	for (int i = 0; i < n; i++)
		nslow += mogo_is_slow(secrets[i].hash, secrets[i].hash_len);
	if (nslow >= MOGO_MAX_SLOW)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("client \"%s\" has too many live secrets with a slow hash",
						text_to_cstring(client->name)),
				 errdetail("At most %d with a bcrypt or PBKDF2 hash can be live, because a wrong secret is compared with each.",
						   MOGO_MAX_SLOW)));
}

/*
 * mogo_import_secret(client_id uuid, algorithm text, secret text, expires_at timestamptz,
 * generated boolean, label text) returns uuid, the secret's id: a further live secret of
 * a client, the others untouched.
 */
Datum
mogo_import_secret(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoLocked	client;
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	MogoLiveSecret live;
	TimestampTz expires_at;
	const text *label;
	char		hash[MOGO_MAX_HASH_TEXT];
	uint8		salt[MOGO_SALT_LEN];
	const char *algorithm;
	int			n;

	mogo_begin(&change, fcinfo, 6, "mogo_import_secret()");
	mogo_require(fcinfo, 0, "client_id");
	change.client_id = PG_GETARG_UUID_P(0);
	mogo_require(fcinfo, 1, "algorithm");
	mogo_require(fcinfo, 2, "secret");
	mogo_require(fcinfo, 4, "generated");
	expires_at = mogo_expiry_arg(fcinfo, 3);
	(void) mogo_secret_expiry(expires_at, GetCurrentTimestamp());
	label = mogo_label_arg(fcinfo, 5);
	live.generated = PG_GETARG_BOOL(4);
	mogo_lock_client(&change, PG_GETARG_UUID_P(0), &client);
	n = mogo_end_secrets(&change, &client, false, NULL, DT_NOEND, secrets);
	mogo_check_room(&client, n);
	live.expires_at = mogo_secret_expiry(expires_at, client.now);
	algorithm = make_hash(fcinfo, 2, client.salt, &live, hash);
	if (mogo_is_slow(hash, live.hash_len))
		check_slow(&client, secrets, n);
	/* the client has a salt already */
	mogo_new_salt_and_id(salt, &live.secret_id);
	secrets[n] = live;
	mogo_add_live(&change, &client, secrets, n, label, "secret_imported",
				  psprintf("\"algorithm\": \"%s\"", algorithm));
	mogo_end(&change);
	return secret_id(&live);
}
