/*-------------------------------------------------------------------------
 *
 * pbkdf2.c
 *	  Secrets that another system keeps as PBKDF2 hashes (RFC 8018 section 5.2).
 *
 * The HMAC is a library's: libcrypto's if the server itself uses OpenSSL, else core's
 * pg_hmac (or with make CORE_HASH=1). We iterate it ourselves, because libcrypto's own
 * PBKDF2 cannot be interrupted, and 2,000,000 iterations take most of a second; it is no
 * faster either, because it copies the key's state once more for each of them.
 *
 * A check computes this with no page pinned (check.c), and wipes what it leaves.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"

#if defined(USE_OPENSSL) && !defined(MOGO_CORE_HASH)
#define MOGO_USE_OPENSSL
#include <openssl/hmac.h>
#else
#include "common/hmac.h"
#include "common/sha2.h"
#endif

/* So many iterations are a moment: half a millisecond. */
#define ITERATIONS_UNINTERRUPTED	2048

/* An HMAC with its key: hmac_begin, hmac_compute as often as needed, hmac_end. */
typedef struct Hmac
{
	size_t		size;			/* of its result */
	uint8		last[MOGO_DIGEST_512_LEN];	/* that result */
#ifdef MOGO_USE_OPENSSL
	HMAC_CTX   *context;		/* has taken the key in */
#else
	pg_hmac_ctx *context;
	const char *key;
	size_t		key_len;
#endif
} Hmac;

#ifdef MOGO_USE_OPENSSL

static bool
hmac_begin(Hmac *hmac, bool sha512, const char *key, size_t len)
{
	hmac->size = sha512 ? MOGO_DIGEST_512_LEN : MOGO_DIGEST_LEN;
	hmac->context = HMAC_CTX_new();
	return hmac->context != NULL &&
		HMAC_Init_ex(hmac->context, key, len, sha512 ? EVP_sha512() : EVP_sha256(), NULL) == 1;
}

static bool
hmac_compute(Hmac *hmac, const uint8 *bytes, size_t len)
{
	/* without a key, the state that it left is taken again */
	return HMAC_Init_ex(hmac->context, NULL, 0, NULL, NULL) == 1 &&
		HMAC_Update(hmac->context, bytes, len) == 1 &&
		HMAC_Final(hmac->context, hmac->last, NULL) == 1;
}

/* Frees the context, which wipes it. */
static void
hmac_end(Hmac *hmac)
{
	HMAC_CTX_free(hmac->context);
}

#else							/* !MOGO_USE_OPENSSL */

static bool
hmac_begin(Hmac *hmac, bool sha512, const char *key, size_t len)
{
	hmac->size = sha512 ? MOGO_DIGEST_512_LEN : MOGO_DIGEST_LEN;
	hmac->key = key;
	hmac->key_len = len;
	hmac->context = pg_hmac_create(sha512 ? PG_SHA512 : PG_SHA256);
	return hmac->context != NULL;
}

static bool
hmac_compute(Hmac *hmac, const uint8 *bytes, size_t len)
{
	return pg_hmac_init(hmac->context, (const uint8 *) hmac->key, hmac->key_len) >= 0 &&
		pg_hmac_update(hmac->context, bytes, len) >= 0 &&
		pg_hmac_final(hmac->context, hmac->last, hmac->size) >= 0;
}

/* Frees the context, which wipes it. */
static void
hmac_end(Hmac *hmac)
{
	pg_hmac_free(hmac->context);
}

#endif							/* MOGO_USE_OPENSSL */

/*
 * Computes one block of the hash: the exclusive or of the HMACs of salt and number, of
 * that HMAC, and so on. Returns false if the library fails. A query that is cancelled
 * ends here.
 */
static bool
derive_block(Hmac *hmac, const MogoPbkdf2 *pbkdf2, uint32 number, uint8 *block)
{
	uint8		input[MOGO_PBKDF2_BYTES + sizeof(uint32)];
	bool		ok;

	memcpy(input, pbkdf2->salt, pbkdf2->salt_len);
	number = pg_hton32(number);
	memcpy(input + pbkdf2->salt_len, &number, sizeof(number));
	ok = hmac_compute(hmac, input, pbkdf2->salt_len + sizeof(number));
	memcpy(block, hmac->last, hmac->size);

	for (uint32 i = 1; ok && i < pbkdf2->iterations; i++)
	{
		ok = hmac_compute(hmac, hmac->last, hmac->size);
		for (size_t j = 0; j < hmac->size; j++)
			block[j] ^= hmac->last[j];
		if (i % ITERATIONS_UNINTERRUPTED == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return ok;
}

/*
 * Returns whether this is the secret of a stored PBKDF2 hash of hash_len characters: no
 * secret is that of a hash of an unknown form. Raises XX000 if the library fails.
 */
bool
mogo_pbkdf2_matches(const char *secret, size_t len, const char *hash, size_t hash_len)
{
	MogoPbkdf2	pbkdf2;
	Hmac		hmac = {0};
	uint8		result[MOGO_PBKDF2_BYTES + MOGO_DIGEST_512_LEN];
	volatile bool ok = true;
	volatile bool same = false;

	if (!mogo_parse_pbkdf2(hash, hash_len, &pbkdf2))
		return false;
	PG_TRY();
	{
		ok = hmac_begin(&hmac, pbkdf2.sha512, secret, len);
		for (size_t n = 0; ok && n < pbkdf2.hash_len; n += hmac.size)
			ok = derive_block(&hmac, &pbkdf2, n / hmac.size + 1, result + n);
		same = ok && mogo_equal(result, pbkdf2.hash, pbkdf2.hash_len);
	}
	PG_FINALLY();
	{
		hmac_end(&hmac);
		explicit_bzero(&hmac, sizeof(hmac));
		explicit_bzero(result, sizeof(result));
	}
	PG_END_TRY();
	if (!ok)
		mogo_hash_failed();
	return same;
}
