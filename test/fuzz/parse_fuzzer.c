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

/* A SHA-256: three spellings, of 64, 43 and 44 characters, and no other. */
static void
fuzz_sha256(const char *text, size_t len)
{
	uint8		digest[MOGO_DIGEST_LEN];
	uint8		again[MOGO_DIGEST_LEN];
	char		hex[2 * MOGO_DIGEST_LEN];

	if (!mogo_parse_sha256(text, len, digest))
		return;
	assert(len == 64 || len == 43 || len == 44);
	put_hex(hex, digest, MOGO_DIGEST_LEN);
	assert(mogo_parse_sha256(hex, 64, again));
	assert(memcmp(digest, again, sizeof(digest)) == 0);
}

/* A bcrypt hash has one length and one shape. */
static void
fuzz_bcrypt(const char *text, size_t len)
{
	if (mogo_parse_bcrypt(text, len))
		assert(len == MOGO_BCRYPT_LEN && memcmp(text, "$2", 2) == 0);
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

/* FUZZ_PARSER fixes the parser for a whole run. */
static int
chosen_parser(void)
{
	static const char *const names[] = {"uuid", "sha256", "bcrypt", "basic"};
	const char *name = getenv("FUZZ_PARSER");

	for (int i = 0; name != NULL && i < 4; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i + 1;
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int	parser = -1;
	char	   *text;

	if (parser < 0)
		parser = chosen_parser();

	if (size == 0)
		return 0;
	/* a copy of just that size, so that one byte too far is seen */
	text = malloc(size == 1 ? 1 : size - 1);
	memcpy(text, data + 1, size - 1);
	switch (parser != 0 ? parser - 1 : data[0] % 4)
	{
		case 0:
			fuzz_uuid(text, size - 1);
			break;
		case 1:
			fuzz_sha256(text, size - 1);
			break;
		case 2:
			fuzz_bcrypt(text, size - 1);
			break;
		case 3:
			fuzz_basic(text, size - 1);
			break;
	}
	free(text);
	return 0;
}
