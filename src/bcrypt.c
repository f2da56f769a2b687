/*-------------------------------------------------------------------------
 *
 * bcrypt.c
 *	  Secrets that people chose, and bcrypt hashes from other systems, through
 *	  pgcrypto.
 *
 * Owns the setting mogocred.bcrypt_cost. pgcrypto's functions are reached through its
 * library, not by their names in the catalog, because any role could have made
 * functions of these names. pgcrypto knows the labels $2a$ and $2x$ and silently makes
 * another kind of hash of $2b$ and $2y$, which are the same algorithm under another
 * name: so both become $2a$ on the way in, and what comes back is looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#ifdef USE_OPENSSL
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#endif

#include "utils/builtins.h"
#include "utils/guc.h"

#define BCRYPT_SETTING_LEN	29	/* "$2a$10$" and 22 characters of salt */

static int	bcrypt_cost = 10;

/* Defines this module's setting. */
void
mogo_bcrypt_init(void)
{
	DefineCustomIntVariable("mogocred.bcrypt_cost",
							"Sets the bcrypt cost for imported secrets that a person chose.",
							"Each step doubles the time that a check of such a secret takes.",
							&bcrypt_cost,
							10, 4, 12,
							PGC_SUSET, 0,
							NULL, NULL, NULL);
}

/* Returns one of pgcrypto's C functions. Raises an error if pgcrypto is missing. */
static PGFunction
pgcrypto_function(const char *name)
{
	return (PGFunction) load_external_function("$libdir/pgcrypto", name, true, NULL);
}

/*
 * Returns whether the server forbids pgcrypto's own ciphers, of which bcrypt is one.
 * Only 18 and later can (pgcrypto.builtin_crypto_enabled); pgcrypto is loaded by now.
 */
static bool
bcrypt_forbidden(void)
{
	const char *mode = GetConfigOption("pgcrypto.builtin_crypto_enabled", true, false);

	if (mode == NULL || strcmp(mode, "on") == 0)
		return false;
#if defined(USE_OPENSSL) && OPENSSL_VERSION_NUMBER >= 0x30000000L
	if (strcmp(mode, "fips") == 0)
		return EVP_default_properties_is_fips_enabled(NULL);
#endif
	return true;
}

/*
 * Calls pgcrypto's crypt() with a secret of len UTF-8 bytes and a setting. Writes
 * MOGO_BCRYPT_LEN characters; returns false if pgcrypto answers anything but a bcrypt
 * hash. Wipes our copies of the secret, also if pgcrypto raises an error (a cancelled
 * query).
 */
static bool
bcrypt(const char *secret, size_t len, const char *setting, char *hash)
{
	PGFunction	crypt = pgcrypto_function("pg_crypt");
	text	   *key = cstring_to_text_with_len(secret, len);
	bool		ok = false;

	PG_TRY();
	{
		text	   *result;

		result = DatumGetTextPP(DirectFunctionCall2(crypt, PointerGetDatum(key),
													CStringGetTextDatum(setting)));
		ok = VARSIZE_ANY_EXHDR(result) == MOGO_BCRYPT_LEN &&
			memcmp(VARDATA_ANY(result), "$2", 2) == 0;
		if (ok)
			memcpy(hash, VARDATA_ANY(result), MOGO_BCRYPT_LEN);
		explicit_bzero(result, VARSIZE_ANY(result));
	}
	PG_FINALLY();
	{
		explicit_bzero(key, VARSIZE(key));
	}
	PG_END_TRY();
	return ok;
}

/*
 * Returns whether this is the secret of a stored bcrypt hash (MOGO_BCRYPT_LEN
 * characters). If the server forbids bcrypt, returns false and warns once a session.
 * bcrypt reads the first 72 bytes of a secret only, as it did in the system the hash
 * came from.
 */
bool
mogo_bcrypt_matches(const char *secret, size_t len, const char *hash)
{
	static bool warned = false;
	char		setting[BCRYPT_SETTING_LEN + 1];
	char		result[MOGO_BCRYPT_LEN];
	bool		same;

	(void) pgcrypto_function("pg_crypt");
	if (bcrypt_forbidden())
	{
		if (!warned)
			ereport(WARNING,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("client secrets with a bcrypt hash cannot be checked on this server"),
					 errhint("Set \"pgcrypto.builtin_crypto_enabled\" to \"on\", or rotate these clients to generated secrets.")));
		warned = true;
		return false;
	}

	memcpy(setting, hash, BCRYPT_SETTING_LEN);
	setting[2] = 'a';
	setting[BCRYPT_SETTING_LEN] = '\0';
	if (!bcrypt(secret, len, setting, result))
		return false;

	/*
	 * compare from behind the setting, whose last, unused bits crypt may
	 * print differently
	 */
	same = mogo_equal(result + BCRYPT_SETTING_LEN, hash + BCRYPT_SETTING_LEN,
					  MOGO_BCRYPT_LEN - BCRYPT_SETTING_LEN);
	explicit_bzero(result, sizeof(result));
	return same;
}

/*
 * Makes a new bcrypt hash (MOGO_BCRYPT_LEN characters) at mogocred.bcrypt_cost. Raises
 * pgcrypto's own error if the server forbids bcrypt.
 */
void
mogo_bcrypt_make(const char *secret, size_t len, char *hash)
{
	Datum		setting;

	setting = DirectFunctionCall2(pgcrypto_function("pg_gen_salt_rounds"),
								  CStringGetTextDatum("bf"),
								  Int32GetDatum(bcrypt_cost));
	if (!bcrypt(secret, len, TextDatumGetCString(setting), hash))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("pgcrypto did not make a bcrypt hash")));
}
