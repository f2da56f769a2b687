/*-------------------------------------------------------------------------
 *
 * present.c
 *	  What a caller of a check has sent: a client's id, and a secret or its digest.
 *
 * Reading never fails for anything that can be sent. What is malformed, too long
 * or NULL is an id or a secret that can match nothing. An argument's size is
 * looked at before it is fetched: it may be ten megabytes.
 *
 * All that is derived from the secret stands in one MogoPresented, which
 * mogo_wipe wipes; check.c calls it on every path.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/detoast.h"
#include "utils/builtins.h"

/* An address with a zone and a port is not longer. */
#define MAX_ADDRESS_TEXT	128

/* An id and a secret, urlencoded (3 to 1), in base64 (4 to 3), after a scheme */
#define MAX_BASIC_PAIR		(3 * (MOGO_MAX_EXTERNAL_ID + MOGO_MAX_SECRET) + 1)
#define MAX_BASIC_HEADER	(64 + (MAX_BASIC_PAIR + 2) / 3 * 4)

/* Returns whether there is an argument of at most so many bytes. */
static bool
has_short_arg(FunctionCallInfo fcinfo, int argno, size_t max)
{
	return !PG_ARGISNULL(argno) &&
		toast_raw_datum_size(PG_GETARG_DATUM(argno)) <= max + VARHDRSZ;
}

/* Fetches an argument that may hold a secret; a copy is noted for wiping. */
static struct varlena *
secret_arg(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	struct varlena *arg = PG_GETARG_VARLENA_PP(argno);

	if ((Pointer) arg != PG_GETARG_POINTER(argno))
		presented->copy = arg;
	return arg;
}

/*
 * Takes a secret's bytes over, as UTF-8. An empty secret never matches, even if the
 * system that the client came from accepted one.
 */
static void
take_secret(MogoPresented *presented, const char *secret, size_t len)
{
	presented->has_secret = len > 0 &&
		mogo_to_utf8(secret, len, presented->secret, MOGO_MAX_SECRET, &presented->secret_len);
	if (!presented->has_secret)
		presented->secret_len = 0;
}

/*
 * Takes over an id given as text. Text that reads as a UUID is a client id; any other
 * that could be an external id is one. Returns whether it is an external id: then the
 * caller sets presented->external_id.
 */
static bool
take_id(MogoPresented *presented, const char *id, size_t len)
{
	bool		external = false;

	presented->has_id = mogo_parse_uuid(id, len, &presented->id);
	if (!presented->has_id)
		presented->has_id = external = mogo_parse_external_id(id, len);
	return external;
}

/* Takes over a client id, of type uuid, as an argument. */
void
mogo_present_uuid(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	presented->has_id = !PG_ARGISNULL(argno);
	if (presented->has_id)
		presented->id = *PG_GETARG_UUID_P(argno);
}

/* Takes over a client id or an external id, of type text, as an argument. */
void
mogo_present_id(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	if (has_short_arg(fcinfo, argno, MOGO_MAX_EXTERNAL_ID))
	{
		text	   *id = PG_GETARG_TEXT_PP(argno);

		if (take_id(presented, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id)))
			presented->external_id = id;
	}
}

/* Takes over a client secret, of type text, as an argument. */
void
mogo_present_secret(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	/* no encoding of PostgreSQL's needs more than twice the bytes of UTF-8 */
	if (has_short_arg(fcinfo, argno, 2 * MOGO_MAX_SECRET))
	{
		struct varlena *secret = secret_arg(fcinfo, argno, presented);

		take_secret(presented, VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret));
	}
}

/* Takes over the SHA-256 of a client secret, of type bytea, as an argument. */
void
mogo_present_digest(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	presented->by_digest = true;
	if (has_short_arg(fcinfo, argno, MOGO_DIGEST_LEN))
	{
		struct varlena *digest = secret_arg(fcinfo, argno, presented);

		presented->has_secret = VARSIZE_ANY_EXHDR(digest) == MOGO_DIGEST_LEN;
		if (presented->has_secret)
			memcpy(presented->digest, VARDATA_ANY(digest), MOGO_DIGEST_LEN);
	}
}

/*
 * Takes over the value of an HTTP Authorization header, of type text, as an argument:
 * it holds the id and the secret. Decoding %XX may give any bytes, so we validate them
 * as text that comes from a client.
 */
void
mogo_present_basic(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	char		pair[MAX_BASIC_HEADER];
	char		id[MOGO_MAX_EXTERNAL_ID];
	size_t		idlen;
	size_t		secretlen;
	bool		external = false;

	if (has_short_arg(fcinfo, argno, MAX_BASIC_HEADER))
	{
		struct varlena *header = secret_arg(fcinfo, argno, presented);

		if (mogo_parse_basic(VARDATA_ANY(header), VARSIZE_ANY_EXHDR(header),
							 pair, sizeof(pair), &idlen, &secretlen))
		{
			external = take_id(presented, pair, idlen);
			if (external)
				memcpy(id, pair, idlen);
			if (secretlen > 0 && secretlen <= MOGO_MAX_SECRET &&
				mogo_valid_utf8(pair + idlen, secretlen))
			{
				memcpy(presented->secret, pair + idlen, secretlen);
				presented->secret_len = secretlen;
				presented->has_secret = true;
			}
		}
		/* there may be no memory for the id */
		explicit_bzero(pair, sizeof(pair));
		if (external)
			presented->external_id = cstring_to_text_with_len(id, idlen);
	}
}

/* Takes over an address of type inet as an argument. */
void
mogo_present_inet(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	presented->has_address = !PG_ARGISNULL(argno);
	if (presented->has_address)
		presented->address = PG_GETARG_INET_PP(argno);
}

/*
 * Takes over an address that came from a network, of type text, as an argument. Text that
 * is not an address counts as one that is inside no network.
 */
void
mogo_present_address(FunctionCallInfo fcinfo, int argno, MogoPresented *presented)
{
	presented->has_address = !PG_ARGISNULL(argno);
	if (has_short_arg(fcinfo, argno, MAX_ADDRESS_TEXT))
	{
		text	   *addr = PG_GETARG_TEXT_PP(argno);
		uint8		bytes[16];
		int			nbytes;
		inet	   *result;

		if (!mogo_parse_address(VARDATA_ANY(addr), VARSIZE_ANY_EXHDR(addr), bytes, &nbytes))
			return;
		result = palloc0(sizeof(inet));
		ip_family(result) = nbytes == 4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
		ip_bits(result) = 8 * nbytes;
		memcpy(ip_addr(result), bytes, nbytes);
		SET_INET_VARSIZE(result);
		presented->address = result;
	}
}

/* Sets presented to its start: nothing has been sent yet. */
void
mogo_present_nothing(MogoPresented *presented)
{
	presented->has_id = false;
	presented->external_id = NULL;
	presented->has_address = false;
	presented->address = NULL;
	presented->by_digest = false;
	presented->has_hash_512 = false;
	presented->has_secret = false;
	presented->secret_len = 0;
	presented->copy = NULL;
}

/* Wipes all that was derived from the secret. Safe to call on any path. */
void
mogo_wipe(MogoPresented *presented)
{
	explicit_bzero(presented->secret, presented->secret_len);
	explicit_bzero(presented->digest, sizeof(presented->digest));
	explicit_bzero(presented->hash, sizeof(presented->hash));
	if (presented->has_hash_512)
		explicit_bzero(presented->hash_512, sizeof(presented->hash_512));
	if (presented->copy != NULL)
		explicit_bzero(presented->copy, VARSIZE_ANY(presented->copy));
}
