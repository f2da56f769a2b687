/*-------------------------------------------------------------------------
 *
 * rehash.c
 *	  A native hash for a secret that came with another: mogo_rehash_secret.
 *
 * A secret that was imported as generated has enough random bits for the fast hash, but
 * only a check ever sees it. So a token service that was told needs_rehash sends the pair
 * once more, to the primary, and all later checks are fast. What comes from the network
 * can only make the answer false: nothing is locked before the pair has proved right.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

/*
 * Gives the live secret of a locked client the native hash, unless it has one, or has
 * ended, since it proved right. Returns whether it did.
 */
static bool
rehash(const MogoChange *change, const MogoLocked *client, const MogoProof *proof)
{
	static const char *const names[] = {
		[MOGO_HASH_SHA512] = "sha512",[MOGO_HASH_BCRYPT] = "bcrypt",[MOGO_HASH_PBKDF2] = "pbkdf2"
	};
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	int			n = mogo_live_secrets(client->live, secrets);
	MogoLiveSecret *secret = mogo_find_live(secrets, n, &proof->secret_id);
	MogoHashKind kind;

	if (secret == NULL || secret->expires_at <= client->now)
		return false;
	kind = mogo_hash_kind(secret->hash, secret->hash_len);
	if (kind == MOGO_HASH_NATIVE)
		return false;

	secret->hash = proof->native;
	secret->hash_len = MOGO_HASH_TEXT_LEN;
	mogo_save_live(change, client, secrets, n);
	mogo_record(change, "secret_rehashed", &client->client_id, client->name, &proof->secret_id,
				psprintf("{\"changed\": {\"algorithm\": {\"old\": \"%s\", \"new\": \"sha256\"}}}",
						 names[kind]));
	return true;
}

/* Proves the pair in arguments 0 and 1, and rehashes. */
static Datum
prove_and_rehash(FunctionCallInfo fcinfo, bool id_is_text)
{
	MogoProofForm form = {.id_is_text = id_is_text, .address_arg = -1};
	MogoChange	change;
	MogoLocked	client;
	MogoProof	proof;
	bool		done = false;

	mogo_begin(&change, fcinfo, 2, "mogo_rehash_secret()");
	if (mogo_prove(fcinfo, &form, &proof) && proof.can_rehash)
	{
		change.client_id = &proof.client_id;
		done = mogo_try_lock_client(&change, &proof.client_id, &client) &&
			rehash(&change, &client, &proof);
	}
	mogo_end(&change);
	PG_RETURN_BOOL(done);
}

PG_FUNCTION_INFO_V1(mogo_rehash_secret_uuid);
PG_FUNCTION_INFO_V1(mogo_rehash_secret_text);

/* mogo_rehash_secret(client_id uuid, client_secret text) returns boolean */
Datum
mogo_rehash_secret_uuid(PG_FUNCTION_ARGS)
{
	return prove_and_rehash(fcinfo, false);
}

/* mogo_rehash_secret(client_id text, client_secret text) returns boolean */
Datum
mogo_rehash_secret_text(PG_FUNCTION_ARGS)
{
	return prove_and_rehash(fcinfo, true);
}
