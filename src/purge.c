/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  House-keeping: mogo_purge for ended secrets, mogo_purge_audit.
 *
 * Both delete rows and take no lock on a table that a check needs, and no row lock that
 * an administrator could wait for long: they skip a row that another session has locked
 * (SKIP LOCKED), and delete it the next time.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"

PG_FUNCTION_INFO_V1(mogo_purge);
PG_FUNCTION_INFO_V1(mogo_purge_audit);

/* Returns the moment that argument 0, an interval, ago was. Raises 22004 and 22023. */
static TimestampTz
cutoff_arg(FunctionCallInfo fcinfo)
{
	mogo_require(fcinfo, 0, "older_than");
	return mogo_add_interval("older_than", PG_GETARG_INTERVAL_P(0), GetCurrentTimestamp(), -1);
}

/*
 * Records what a purge deleted, if it deleted anything: count secrets or rows of the
 * audit, and invitations.
 */
static void
record_purge(const MogoChange *change, const char *action, uint64 count, uint64 invitations,
			 TimestampTz cutoff)
{
	StringInfoData detail;

	if (count == 0 && invitations == 0)
		return;
	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"count\": " UINT64_FORMAT, count);
	if (invitations > 0)
		appendStringInfo(&detail, ", \"invitations\": " UINT64_FORMAT, invitations);
	appendStringInfo(&detail, ", \"ended_before\": \"%s\"}", timestamptz_to_str(cutoff));
	mogo_record(change, action, NULL, NULL, NULL, detail.data);
}

/*
 * mogo_purge(older_than interval) returns bigint: deletes secrets that ended more than
 * the given interval ago, and returns how many; invitations that ended go too. Secrets
 * that expired since their client was last changed still stand in its row, so those go
 * first: one statement cuts them out of the row and deletes their rows in mogo_secret.
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

	static MogoStatement invitations = {
		.sql = "WITH due AS MATERIALIZED ("
		"SELECT i.invitation_id FROM @extschema@.mogo_invitation_code AS i"
		" WHERE LEAST(i.accepted_at, i.revoked_at, i.expires_at) OPERATOR(pg_catalog.<) $1"
		" FOR UPDATE SKIP LOCKED)"
		" DELETE FROM @extschema@.mogo_invitation_code AS i USING due"
		" WHERE i.invitation_id OPERATOR(pg_catalog.=) due.invitation_id",
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
	MogoChange	change;
	TimestampTz cutoff;
	Datum		values[1];
	uint64		count;
	uint64		gone;

	mogo_begin(&change, fcinfo, 1, "mogo_purge()");
	cutoff = cutoff_arg(fcinfo);
	values[0] = TimestampTzGetDatum(cutoff);
	count = mogo_execute(&change, &expired, values, NULL);
	count += mogo_execute(&change, &ended, values, NULL);
	gone = mogo_execute(&change, &invitations, values, NULL);
	mogo_execute(&change, &uses, NULL, NULL);
	mogo_execute(&change, &failures, NULL, NULL);
	record_purge(&change, "secrets_purged", count, gone, cutoff);
	mogo_end(&change);
	PG_RETURN_INT64(count);
}

/*
 * mogo_purge_audit(older_than interval) returns bigint: deletes audit rows that are
 * older, and returns how many. For the extension's owner alone, because a role that is
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
	MogoChange	change;
	TimestampTz cutoff;
	Datum		values[1];
	uint64		count;

	mogo_begin(&change, fcinfo, 1, "mogo_purge_audit()");
	cutoff = cutoff_arg(fcinfo);
	values[0] = TimestampTzGetDatum(cutoff);
	count = mogo_execute(&change, &old, values, NULL);
	record_purge(&change, "audit_purged", count, 0, cutoff);
	mogo_end(&change);
	PG_RETURN_INT64(count);
}
