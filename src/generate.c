/*-------------------------------------------------------------------------
 *
 * generate.c
 *	  New ids, salts and client secrets.
 *
 * Owns the settings mogocred.secret_format and mogocred.token_prefix. Secrets and salts
 * come from pg_strong_random alone; if that fails there is an error, never a weaker
 * secret. Buffers that held one are wiped before any error.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <uuid/uuid.h>

#include "utils/guc.h"
#include "utils/pg_crc.h"

#define TOKEN_RANDOM_LEN	32	/* 256 bits */
#define TOKEN_DIGITS		43	/* base-62 digits that hold 256 bits */
#define TOKEN_CHECK_DIGITS	6	/* base-62 digits that hold a CRC-32 */
#define TOKEN_PREFIX_MAX	16

typedef enum SecretFormat
{
	SECRET_FORMAT_UUID,
	SECRET_FORMAT_TOKEN
} SecretFormat;

static const struct config_enum_entry secret_formats[] = {
	{"uuid", SECRET_FORMAT_UUID, false},
	{"token", SECRET_FORMAT_TOKEN, false},
	{NULL, 0, false}
};

static int	secret_format = SECRET_FORMAT_UUID;
static char *token_prefix = NULL;

/*
 * Check hook: allows 1 to 16 lower-case letters and digits, so that scanners' patterns
 * hold.
 */
static bool
check_token_prefix(char **newval, void **extra, GucSource source)
{
	size_t		len = strlen(*newval);

	if (len < 1 || len > TOKEN_PREFIX_MAX ||
		strspn(*newval, "abcdefghijklmnopqrstuvwxyz0123456789") != len)
	{
		GUC_check_errdetail("A token prefix is 1 to %d lower-case ASCII letters and digits.",
							TOKEN_PREFIX_MAX);
		return false;
	}
	return true;
}

/* Defines this module's settings. */
void
mogo_generate_init(void)
{
	DefineCustomEnumVariable("mogocred.secret_format",
							 "Sets the format of new client secrets.",
							 "\"uuid\" prints 128 random bits like a UUID; \"token\" has a prefix, 256 random bits and a checksum, so that secret scanners recognise it.",
							 &secret_format,
							 SECRET_FORMAT_UUID,
							 secret_formats,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomStringVariable("mogocred.token_prefix",
							   "Sets the prefix of new client secrets in token format.",
							   "1 to 16 lower-case ASCII letters and digits; an underscore follows.",
							   &token_prefix,
							   "mogo",
							   PGC_SUSET, 0,
							   check_token_prefix, NULL, NULL);
}

/* Fills buf from the server's strong random source, or raises XX000. */
static void
strong_random(void *buf, size_t len)
{
	if (!pg_strong_random(buf, len))
	{
		explicit_bzero(buf, len);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	}
}

/*
 * Makes a client's id: a version 4 UUID (RFC 9562). libuuid falls back on a weaker
 * generator if the system has no good one. That is enough for an id, which is no
 * secret, and we use it for nothing else.
 */
void
mogo_new_client_id(pg_uuid_t *client_id)
{
	uuid_t		id;

	uuid_generate_random(id);
	memcpy(client_id->data, id, UUID_LEN);
}

/* Makes 16 random bytes a version 4 UUID (RFC 9562 section 5.4). */
static void
put_uuid(const uint8 *random, pg_uuid_t *uuid)
{
	memcpy(uuid->data, random, UUID_LEN);
	uuid->data[6] = (uuid->data[6] & 0x0F) | 0x40;
	uuid->data[8] = (uuid->data[8] & 0x3F) | 0x80;
}

/*
 * Makes the salt, MOGO_SALT_LEN bytes, and the secret's id for a client that brings its
 * secret along. (A secret's id is a version 4 UUID too, but not libuuid's, which seeds
 * a generator of its own on every call and takes three times as long as the random
 * source.)
 */
void
mogo_new_salt_and_id(uint8 *salt, pg_uuid_t *secret_id)
{
	uint8		random[MOGO_SALT_LEN + UUID_LEN];

	strong_random(random, sizeof(random));
	memcpy(salt, random, MOGO_SALT_LEN);
	put_uuid(random + MOGO_SALT_LEN, secret_id);
}

/*
 * Writes a big-endian number of len bytes as so many base-62 digits, most
 * significant first, padded with zeros. The number is used up.
 */
static void
put_base62(char *out, int ndigits, uint8 *number, int len)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (int i = ndigits - 1; i >= 0; i--)
	{
		uint32		rest = 0;

		for (int j = 0; j < len; j++)
		{
			rest = rest << 8 | number[j];
			number[j] = (uint8) (rest / 62);
			rest %= 62;
		}
		out[i] = digits[rest];
	}
}

/*
 * Prints a secret of 128 random bits like a UUID. It has no version and no variant
 * bits: a version 4 UUID has 122 random bits, and RFC 6749 section 10.10 asks for a
 * chance of 2^-128 at most.
 */
static int
put_uuid_secret(char *secret, const uint8 *bits)
{
	uuid_unparse_lower(bits, secret);
	return 2 * UUID_LEN + 4;
}

/*
 * Writes a token: <prefix>_, 43 base-62 digits of 256 random bits, and the CRC-32 of all
 * before it as 6 base-62 digits, which lets a scanner tell a token from a look-alike
 * without asking anybody. Returns its length. The bits are used up.
 */
static int
put_token(char *secret, const char *prefix, uint8 *bits)
{
	uint8		check[sizeof(pg_crc32)];
	pg_crc32	crc;
	int			len = strlen(prefix);

	memcpy(secret, prefix, len);
	secret[len++] = '_';
	put_base62(secret + len, TOKEN_DIGITS, bits, TOKEN_RANDOM_LEN);
	len += TOKEN_DIGITS;

	INIT_TRADITIONAL_CRC32(crc);
	COMP_TRADITIONAL_CRC32(crc, secret, len);
	FIN_TRADITIONAL_CRC32(crc);
	for (int i = 0; i < sizeof(check); i++)
		check[i] = (uint8) (crc >> (24 - 8 * i));
	put_base62(secret + len, TOKEN_CHECK_DIGITS, check, sizeof(check));
	len += TOKEN_CHECK_DIGITS;
	secret[len] = '\0';
	return len;
}

/*
 * Makes a new secret in the format that mogocred.secret_format names, ASCII and so the
 * same in every encoding, its id, and its stored form for a client's salt (NULL: for a
 * new one). All the random bits come from one call, because the source's cost is in
 * each call, not in each byte. The caller wipes the secret. Raises XX000 without a
 * random source, after wiping.
 */
void
mogo_new_secret(MogoNewSecret *secret, const uint8 *salt)
{
	struct
	{
		uint8		id[UUID_LEN];
		uint8		salt[MOGO_SALT_LEN];
		uint8		secret[TOKEN_RANDOM_LEN];
	}			random;
	char	   *clear = secret->clear.bytes + VARHDRSZ;
	int			len;
	bool		ok;

	strong_random(&random, sizeof(random));
	put_uuid(random.id, &secret->id);
	memcpy(secret->salt, salt != NULL ? salt : random.salt, MOGO_SALT_LEN);
	if (secret_format == SECRET_FORMAT_TOKEN)
		len = put_token(clear, token_prefix, random.secret);
	else
		len = put_uuid_secret(clear, random.secret);
	explicit_bzero(&random, sizeof(random));
	SET_VARSIZE(&secret->clear.datum, VARHDRSZ + len);

	ok = mogo_sha256(clear, len, NULL, 0, secret->digest) &&
		mogo_hash_text(secret->salt, secret->digest, secret->hash);
	explicit_bzero(secret->digest, sizeof(secret->digest));
	if (!ok)
	{
		explicit_bzero(secret, sizeof(*secret));
		mogo_hash_failed();
	}
}

/*
 * Makes a new invitation: its id, its code in token format, and the code's SHA-256. The
 * caller wipes the code. Raises XX000 without a random source or a hash, after wiping.
 */
void
mogo_new_code(MogoNewCode *code)
{
	struct
	{
		uint8		id[UUID_LEN];
		uint8		code[TOKEN_RANDOM_LEN];
	}			random;
	char	   *clear = code->clear.bytes + VARHDRSZ;
	int			len;

	strong_random(&random, sizeof(random));
	put_uuid(random.id, &code->id);
	len = put_token(clear, MOGO_CODE_PREFIX, random.code);
	explicit_bzero(&random, sizeof(random));
	SET_VARSIZE(&code->clear.datum, VARHDRSZ + len);
	if (!mogo_sha256(clear, len, NULL, 0, code->digest))
	{
		explicit_bzero(code, sizeof(*code));
		mogo_hash_failed();
	}
}
