/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  House-keeping: mogo_purge for ended secrets, mogo_purge_audit.
 *
 * Both delete rows and take no lock on a table that a check needs, and no row
 * lock that an administrator could wait for long: a row that somebody else is at
 * work on is passed over (SKIP LOCKED) and goes the next time.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(mogo_purge);
PG_FUNCTION_INFO_V1(mogo_purge_audit);

/*
 * The moment before which things are to go, from argument 0. Raises 22004 and
 * 22023.
 */
static TimestampTz
cutoff_arg(FunctionCallInfo fcinfo)
{
	mogo_require(fcinfo, 0, "older_than");
	return mogo_add_interval("older_than", PG_GETARG_INTERVAL_P(0), GetCurrentTimestamp(), -1);
}

/* Records what a purge deleted, where it deleted anything. */
static void
record(const char *action, uint64 count, TimestampTz cutoff)
{
	if (count > 0)
		mogo_record(action, NULL, (Datum) 0, NULL,
					DirectFunctionCall1(jsonb_in,
										CStringGetDatum(psprintf("{\"count\": " UINT64_FORMAT ", \"ended_before\": \"%s\"}",
																 count, timestamptz_to_str(cutoff)))));
}

/*
 * mogo_purge(older_than interval) returns bigint: deletes the secrets that ended
 * longer ago, and says how many. Secrets that expired since their client was
 * last changed still stand in its row, so those go first: they are cut out of the
 * row, and their rows in mogo_secret deleted, in one statement.
 */
Datum
mogo_purge(PG_FUNCTION_ARGS)
{
	static MogoStatement expired = {
		.sql = "WITH due AS MATERIALIZED ("
		"SELECT c.client_id, c.live FROM @extschema@.mogo_client AS c"
		" WHERE EXISTS (SELECT FROM pg_catalog.unnest(c.live) AS l"
		" WHERE l.expires_at OPERATOR(pg_catalog.<) $1)"
		" FOR UPDATE SKIP LOCKED),"
		" kept AS (UPDATE @extschema@.mogo_client AS c SET live = ARRAY("
		"SELECT l FROM pg_catalog.unnest(c.live) AS l"
		" WHERE l.expires_at OPERATOR(pg_catalog.>=) $1)"
		" FROM due WHERE c.client_id OPERATOR(pg_catalog.=) due.client_id)"
		" DELETE FROM @extschema@.mogo_secret AS s"
		" USING due, LATERAL pg_catalog.unnest(due.live) AS l"
		" WHERE s.secret_id OPERATOR(pg_catalog.=) l.secret_id"
		" AND l.expires_at OPERATOR(pg_catalog.<) $1",
		.nargs = 1,
		.argtypes = {TIMESTAMPTZOID}
	};
	static MogoStatement ended = {
		.sql = "WITH due AS MATERIALIZED ("
		"SELECT s.secret_id FROM @extschema@.mogo_secret AS s"
		" WHERE s.hash IS NOT NULL"
		" AND LEAST(s.revoked_at, s.expires_at) OPERATOR(pg_catalog.<) $1"
		" FOR UPDATE SKIP LOCKED)"
		" DELETE FROM @extschema@.mogo_secret AS s USING due"
		" WHERE s.secret_id OPERATOR(pg_catalog.=) due.secret_id",
		.nargs = 1,
		.argtypes = {TIMESTAMPTZOID}
	};
	/* also what a flush left behind that an older snapshot did not see */
	static MogoStatement uses = {
		.sql = "DELETE FROM @extschema@.mogo_secret_usage AS u"
		" WHERE NOT EXISTS (SELECT FROM @extschema@.mogo_secret AS s"
		" WHERE s.secret_id OPERATOR(pg_catalog.=) u.secret_id)"
	};
	static MogoStatement failures = {
		.sql = "DELETE FROM @extschema@.mogo_client_usage AS u"
		" WHERE NOT EXISTS (SELECT FROM @extschema@.mogo_client AS c"
		" WHERE c.client_id OPERATOR(pg_catalog.=) u.client_id)"
	};
	TimestampTz cutoff;
	Datum		values[1];
	uint64		count;

	mogo_begin(fcinfo, "mogo_purge()");
	cutoff = cutoff_arg(fcinfo);
	values[0] = TimestampTzGetDatum(cutoff);
	count = mogo_execute(&expired, values, NULL);
	count += mogo_execute(&ended, values, NULL);
	mogo_execute(&uses, NULL, NULL);
	mogo_execute(&failures, NULL, NULL);
	record("secrets_purged", count, cutoff);
	mogo_end();
	PG_RETURN_INT64(count);
}

/*
 * mogo_purge_audit(older_than interval) returns bigint: deletes audit rows that
 * are older, and says how many. For the extension's owner alone: whoever is
 * audited must not be able to.
 */
Datum
mogo_purge_audit(PG_FUNCTION_ARGS)
{
	static MogoStatement old = {
		.sql = "DELETE FROM @extschema@.mogo_audit_log WHERE at OPERATOR(pg_catalog.<) $1",
		.nargs = 1,
		.argtypes = {TIMESTAMPTZOID}
	};
	TimestampTz cutoff;
	Datum		values[1];
	uint64		count;

	mogo_begin(fcinfo, "mogo_purge_audit()");
	cutoff = cutoff_arg(fcinfo);
	values[0] = TimestampTzGetDatum(cutoff);
	count = mogo_execute(&old, values, NULL);
	record("audit_purged", count, cutoff);
	mogo_end();
	PG_RETURN_INT64(count);
}
