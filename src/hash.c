/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  SHA-256 and SHA-512, the forms in which secrets are stored, and comparing.
 *
 * A generated secret has 128 random bits or more, so a fast approved hash is
 * right for it (NIST SP 800-63B on look-up secrets, OWASP ASVS 5.0 6.5.2): no
 * attacker can try 2^128 candidates, however fast each one is. The stored form
 * of a secret is
 *
 *		sha256$<salt in hex>$<hash in hex>
 *		hash = SHA-256(salt || SHA-256(secret in UTF-8))
 *
 * with a salt of 16 random bytes that a client's secrets share, so that one hash
 * answers for all of them. The inner SHA-256 is what mogo_verify_digest takes;
 * what is stored is a hash of it, so a stolen row is of no use there. A secret whose
 * SHA-512 another system kept has the same form under the name sha512, with SHA-512 as
 * the inner hash.
 *
 * SHA-256 is libcrypto's if the server itself uses OpenSSL, else core's pg_cryptohash
 * (or with make CORE_HASH=1). Functions here raise no error, so that their callers can
 * wipe first; no memory outlives a call but the OpenSSL context, which is fetched once
 * in a process: looking the digest up for each hash costs five times the hash. After a
 * check that context holds the state of the stored form, which is no secret.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "port/pg_bswap.h"

#if defined(USE_OPENSSL) && !defined(MOGO_CORE_HASH)
#define MOGO_USE_OPENSSL
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#else
#include "common/cryptohash.h"
#include "common/sha2.h"
#endif

#ifdef MOGO_USE_OPENSSL

/*
 * Computes SHA-256 (FIPS 180-4) over a and b, one after the other; b may be NULL.
 * Returns false if the library fails.
 */
bool
mogo_sha256(const void *a, size_t alen, const void *b, size_t blen, uint8 *digest)
{
	static EVP_MD_CTX *context = NULL;
	static const EVP_MD *sha256 = NULL;

	if (context == NULL)
	{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
		if (sha256 == NULL)
			sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
#else
		sha256 = EVP_sha256();
#endif
		if (sha256 == NULL || (context = EVP_MD_CTX_new()) == NULL)
			return false;
	}
	return EVP_DigestInit_ex(context, sha256, NULL) == 1 &&
		EVP_DigestUpdate(context, a, alen) == 1 &&
		(b == NULL || EVP_DigestUpdate(context, b, blen) == 1) &&
		EVP_DigestFinal_ex(context, digest, NULL) == 1;
}

/*
 * Computes SHA-512 (FIPS 180-4). Returns false if the library fails. The context is not
 * kept: it would hold the state of the secret's hash.
 */
bool
mogo_sha512(const void *bytes, size_t len, uint8 *digest)
{
	return EVP_Digest(bytes, len, digest, NULL, EVP_sha512(), NULL) == 1;
}

#else							/* !MOGO_USE_OPENSSL */

/*
 * Hashes a and b, one after the other; b may be NULL. Returns false if the library fails.
 * pg_cryptohash_free wipes the context.
 */
static bool
cryptohash(pg_cryptohash_type type, const void *a, size_t alen, const void *b, size_t blen,
		   uint8 *digest, size_t digest_len)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(type);
	bool		ok;

	if (context == NULL)
		return false;
	ok = pg_cryptohash_init(context) >= 0 &&
		pg_cryptohash_update(context, a, alen) >= 0 &&
		(b == NULL || pg_cryptohash_update(context, b, blen) >= 0) &&
		pg_cryptohash_final(context, digest, digest_len) >= 0;
	pg_cryptohash_free(context);
	return ok;
}

/*
 * Computes SHA-256 (FIPS 180-4) over a and b, one after the other; b may be NULL.
 * Returns false if the library fails.
 */
bool
mogo_sha256(const void *a, size_t alen, const void *b, size_t blen, uint8 *digest)
{
	return cryptohash(PG_SHA256, a, alen, b, blen, digest, PG_SHA256_DIGEST_LENGTH);
}

/* Computes SHA-512 (FIPS 180-4). Returns false if the library fails. */
bool
mogo_sha512(const void *bytes, size_t len, uint8 *digest)
{
	return cryptohash(PG_SHA512, bytes, len, NULL, 0, digest, PG_SHA512_DIGEST_LENGTH);
}

#endif							/* MOGO_USE_OPENSSL */

/*
 * Writes 2 * len lower-case hexadecimal digits; len is a multiple of 4. Four bytes
 * at a time, each half byte in a byte of its own: without a table, so that no time
 * depends on what is written, and in fewer instructions than digit by digit.
 */
static char *
put_hex(char *out, const uint8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(uint32))
	{
		uint32		word;
		uint64		digits;
		uint64		letters;	/* 1 for each digit above 9 */

		memcpy(&word, bytes + i, sizeof(word));
		digits = pg_ntoh32(word);
		digits = (digits | digits << 16) & UINT64CONST(0x0000ffff0000ffff);
		digits = (digits | digits << 8) & UINT64CONST(0x00ff00ff00ff00ff);
		digits = (digits | digits << 4) & UINT64CONST(0x0f0f0f0f0f0f0f0f);
		letters = (digits + UINT64CONST(0x0606060606060606)) >> 4 & UINT64CONST(0x0101010101010101);
		digits += UINT64CONST(0x3030303030303030) + letters * ('a' - '0' - 10);
		digits = pg_hton64(digits);
		memcpy(out, &digits, sizeof(digits));
		out += sizeof(digits);
	}
	return out;
}

/* Writes the stored form for a digest, with this name and its '$' before it. */
static bool
hash_text(const char *name, const uint8 *salt, const uint8 *digest, size_t digest_len, char *out)
{
	uint8		hash[MOGO_DIGEST_LEN];

	if (!mogo_sha256(salt, MOGO_SALT_LEN, digest, digest_len, hash))
		return false;
	memcpy(out, name, 7);
	out = put_hex(out + 7, salt, MOGO_SALT_LEN);
	*out++ = '$';
	put_hex(out, hash, MOGO_DIGEST_LEN);
	explicit_bzero(hash, sizeof(hash));
	return true;
}

/*
 * Writes the stored form of a secret, MOGO_HASH_TEXT_LEN characters without a
 * terminating NUL, from the client's salt and the secret's SHA-256. Returns false if
 * the hash fails.
 */
bool
mogo_hash_text(const uint8 *salt, const uint8 *digest, char *out)
{
	return hash_text("sha256$", salt, digest, MOGO_DIGEST_LEN, out);
}

/* Writes the stored form from the client's salt and the secret's SHA-512. */
bool
mogo_hash_text_512(const uint8 *salt, const uint8 *digest, char *out)
{
	return hash_text("sha512$", salt, digest, MOGO_DIGEST_512_LEN, out);
}

/*
 * Returns whether len bytes are the same, in a time that does not depend on where they
 * differ. (Core's timingsafe_bcmp is missing from older minor releases: a library that
 * calls it would not load there.) volatile keeps the compiler from stopping early;
 * eight bytes at a time, so that this does not show in a check's cost.
 */
bool
mogo_equal(const void *a, const void *b, size_t len)
{
	const uint8 *x = a;
	const uint8 *y = b;
	volatile uint64 difference = 0;

	for (; len >= sizeof(uint64); len -= sizeof(uint64))
	{
		uint64		p;
		uint64		q;

		memcpy(&p, x, sizeof(p));
		memcpy(&q, y, sizeof(q));
		difference |= p ^ q;
		x += sizeof(p);
		y += sizeof(q);
	}
	for (; len > 0; len--)
		difference |= *x++ ^ *y++;
	return difference == 0;
}

/*
 * Raises the error for a failed hash. A function of its own, so that callers can wipe
 * first.
 */
void
mogo_hash_failed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("could not compute a hash")));
}

/* Returns whether a stored form of len characters is a native one. */
bool
mogo_is_native(const char *hash, size_t len)
{
	return len == MOGO_HASH_TEXT_LEN && memcmp(hash, "sha256$", 7) == 0;
}

/* Returns of which kind a stored form is. We store no other; no secret matches one. */
MogoHashKind
mogo_hash_kind(const char *hash, size_t len)
{
	if (mogo_is_native(hash, len))
		return MOGO_HASH_NATIVE;
	if (len == MOGO_HASH_TEXT_LEN && memcmp(hash, "sha512$", 7) == 0)
		return MOGO_HASH_SHA512;
	if (len == MOGO_BCRYPT_LEN && memcmp(hash, "$2", 2) == 0)
		return MOGO_HASH_BCRYPT;
	return MOGO_HASH_PBKDF2;
}

/* Returns whether comparing a secret with this stored form takes long. */
bool
mogo_is_slow(const char *hash, size_t len)
{
	return mogo_hash_kind(hash, len) >= MOGO_HASH_BCRYPT;
}
