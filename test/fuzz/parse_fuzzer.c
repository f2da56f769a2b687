/*-------------------------------------------------------------------------
 *
 * parse_fuzzer.c
 *	  libFuzzer harness for src/parse.c, which reads what the network sends.
 *
 * The first byte chooses the parser, so that one corpus serves for all of them.
 * Besides what AddressSanitizer sees, each result is held against what it must
 * be: a value that is read and written again is the value.
 *
 * Run by "make check-fuzz"; see test/deep/run.sh.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <assert.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes bytes as hexadecimal digits. */
static void
put_hex(char *out, const uint8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
}

/* A UUID: what was read, printed in the plain form, reads as the same. */
static void
fuzz_uuid(const char *text, size_t len)
{
	pg_uuid_t	uuid;
	pg_uuid_t	again;
	char		plain[2 * UUID_LEN];

	if (!mogo_parse_uuid(text, len, &uuid))
		return;
	assert(len >= 32 && len <= 41);
	put_hex(plain, uuid.data, UUID_LEN);
	assert(mogo_parse_uuid(plain, 32, &again));
	assert(memcmp(&uuid, &again, sizeof(uuid)) == 0);
}

/* A digest: three spellings of SHA-256's 32 bytes, of SHA-512's 64, and no other. */
static void
fuzz_digest(const char *text, size_t len)
{
	uint8		digest[MOGO_DIGEST_512_LEN];
	uint8		again[MOGO_DIGEST_512_LEN];
	char		hex[2 * MOGO_DIGEST_512_LEN];

	for (size_t n = MOGO_DIGEST_LEN; n <= MOGO_DIGEST_512_LEN; n *= 2)
	{
		size_t		digits = n == MOGO_DIGEST_LEN ? 43 : 86;

		if (!mogo_parse_digest(text, len, digest, n))
			continue;
		assert(len == 2 * n || len == digits || len == (digits + 3) / 4 * 4);
		put_hex(hex, digest, n);
		assert(mogo_parse_digest(hex, 2 * n, again, n));
		assert(memcmp(digest, again, n) == 0);
	}
}

/* A bcrypt hash has one length and one shape, behind a prefix or not. */
static void
fuzz_bcrypt(const char *text, size_t len)
{
	const char *end = text + len;

	mogo_strip_bcrypt(&text, &len);
	assert(text + len == end);
	if (mogo_parse_bcrypt(text, len))
	{
		assert(len == MOGO_BCRYPT_LEN && memcmp(text, "$2", 2) == 0);
		assert(mogo_parse_stored_form(text, len));
	}
}

/* A PBKDF2 hash is within all bounds, fits where it is kept, and is no plain secret. */
static void
fuzz_pbkdf2(const char *text, size_t len)
{
	MogoPbkdf2	pbkdf2;

	if (!mogo_parse_pbkdf2(text, len, &pbkdf2))
		return;
	assert(len <= MOGO_MAX_HASH_TEXT);
	assert(pbkdf2.iterations >= 1 && pbkdf2.iterations <= MOGO_PBKDF2_ITERATIONS);
	assert(pbkdf2.salt_len >= 1 && pbkdf2.salt_len <= MOGO_PBKDF2_BYTES);
	assert(pbkdf2.hash_len >= 16 && pbkdf2.hash_len <= MOGO_PBKDF2_BYTES);
	assert(mogo_parse_stored_form(text, len));
}

/* A plain secret that is presentable keeps its last byte and has no control character. */
static void
fuzz_plain(const char *text, size_t len)
{
	(void) mogo_parse_stored_form(text, len);
	if (mogo_parse_presentable(text, len) != NULL)
		return;
	assert(len == 0 || (text[0] != ' ' && text[len - 1] != ' '));
	assert(memchr(text, '\n', len) == NULL && memchr(text, '\0', len) == NULL);
}

/* An external id is short and printable. */
static void
fuzz_external_id(const char *text, size_t len)
{
	if (!mogo_parse_external_id(text, len))
		return;
	assert(len >= 1 && len <= MOGO_MAX_EXTERNAL_ID);
	assert(mogo_parse_presentable(text, len) == NULL || text[0] == ' ' || text[len - 1] == ' ');
}

/* An address has 4 or 16 bytes, and no text with a NUL is one. */
static void
fuzz_address(const char *text, size_t len)
{
	uint8		bytes[16];
	int			nbytes = 0;

	if (!mogo_parse_address(text, len, bytes, &nbytes))
		return;
	assert(nbytes == 4 || nbytes == 16);
}

/*
 * A Basic header: the parts fit in the buffer, which is as small as the rule
 * allows, and hold no NUL; the id has no raw colon before decoding to cut at.
 */
static void
fuzz_basic(const char *text, size_t len)
{
	size_t		outsize = len / 4 * 3 + 3;
	char	   *out = malloc(outsize);
	size_t		idlen;
	size_t		secretlen;

	if (mogo_parse_basic(text, len, out, outsize, &idlen, &secretlen))
	{
		assert(idlen + secretlen < outsize);
		assert(memchr(out, '\0', idlen + secretlen) == NULL);
	}
	free(out);
}

/* By the first byte, which the corpus has as a digit from '0' on. */
static const struct
{
	const char *name;
	void		(*fuzz) (const char *text, size_t len);
}			parsers[] =

{
	{"uuid", fuzz_uuid},
	{"digest", fuzz_digest},
	{"bcrypt", fuzz_bcrypt},
	{"basic", fuzz_basic},
	{"pbkdf2", fuzz_pbkdf2},
	{"plain", fuzz_plain},
	{"external_id", fuzz_external_id},
	{"address", fuzz_address}
};

/* FUZZ_PARSER fixes the parser for a whole run; -1 stands for all of them. */
static int
chosen_parser(void)
{
	const char *name = getenv("FUZZ_PARSER");

	for (int i = 0; name != NULL && i < lengthof(parsers); i++)
	{
		if (strcmp(name, parsers[i].name) == 0)
			return i;
	}
	return -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int	parser = -2;
	char	   *text;

	if (parser == -2)
		parser = chosen_parser();

	if (size == 0)
		return 0;
	/* a copy of just that size, so that one byte too far is seen */
	text = malloc(size == 1 ? 1 : size - 1);
	memcpy(text, data + 1, size - 1);
	parsers[parser >= 0 ? parser : data[0] % lengthof(parsers)].fuzz(text, size - 1);
	free(text);
	return 0;
}
