/*-------------------------------------------------------------------------
 *
 * lifetime.c
 *	  When secrets end: the settings, and the expiry of a new secret.
 *
 * Owns the settings mogocred.default_secret_lifetime and mogocred.max_secret_lifetime.
 * Every function that makes a secret asks mogo_secret_expiry for its end, so the
 * settings hold for all of them. A secret's lifetime counts from its creation: moving
 * its end again and again (secret_update.c) does not make it live for longer than the
 * settings allow.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* In seconds; 0 stands for none. */
static int	default_secret_lifetime = 0;
static int	max_secret_lifetime = 0;

/* Defines this module's settings. */
void
mogo_lifetime_init(void)
{
	DefineCustomIntVariable("mogocred.default_secret_lifetime",
							"Sets the lifetime of a new secret for which no expiry is given.",
							"Zero means no end.",
							&default_secret_lifetime,
							0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("mogocred.max_secret_lifetime",
							"Sets the longest lifetime that a secret may have.",
							"A later expiry is refused, and a secret for which none is given ends then. Zero means no limit.",
							&max_secret_lifetime,
							0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);
}

/*
 * Returns the latest end that the settings allow a secret made at created_at, or
 * DT_NOEND if they set no limit.
 */
TimestampTz
mogo_latest_expiry(TimestampTz created_at)
{
	return max_secret_lifetime > 0 ?
		created_at + max_secret_lifetime * USECS_PER_SEC : DT_NOEND;
}

/* Raises 22023 for an end that the settings do not allow a secret made at created_at. */
void
mogo_check_latest(TimestampTz expires_at, TimestampTz created_at)
{
	if (expires_at > mogo_latest_expiry(created_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry is later than the longest lifetime of a secret allows"),
				 errdetail("\"mogocred.max_secret_lifetime\" is %s.",
						   GetConfigOptionByName("mogocred.max_secret_lifetime", NULL, false))));
}

/*
 * Reads the expiry that a caller asks for, or DT_NOEND if the argument is NULL. Whether
 * it can be is for mogo_secret_expiry to say. Raises 22023 for an infinite one.
 */
TimestampTz
mogo_expiry_arg(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		return DT_NOEND;
	mogo_check_finite(PG_GETARG_TIMESTAMPTZ(argno));
	return PG_GETARG_TIMESTAMPTZ(argno);
}

/*
 * Returns the end of a secret that is made now, or DT_NOEND for none. asked is what the
 * caller asks for, from mogo_expiry_arg; without it the settings give the end. Call it
 * once before the client's row is locked, so that a bad argument is refused at once, and
 * once after that, because the wait for the lock may have been long. Raises 22023 for an
 * end that has passed or is later than the settings allow.
 */
TimestampTz
mogo_secret_expiry(TimestampTz asked, TimestampTz now)
{
	TimestampTz latest = mogo_latest_expiry(now);

	if (asked != DT_NOEND)
	{
		mogo_check_expiry(asked, now);
		mogo_check_latest(asked, now);
		return asked;
	}
	if (default_secret_lifetime > 0)
		return Min(latest, now + default_secret_lifetime * USECS_PER_SEC);
	return latest;
}
