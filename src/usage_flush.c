/*-------------------------------------------------------------------------
 *
 * usage_flush.c
 *	  The background workers that take use counts from memory to the tables.
 *
 * A flush worker connects to one database, writes what waits for it to
 * mogo_secret_usage and mogo_client_usage, as the tables' owner and with change.c's
 * precautions, and ends. Rules:
 *
 * - DROP DATABASE waits 5 s for others to leave. So a flush worker has FLUSH_MS for
 *   small batches, each with a time limit of its own, and waits neither for a standby
 *   nor long for a lock. The next flush begins where it stopped.
 * - A batch that fails is tried again in halves, so that a damaged page, or a locked
 *   row, keeps the counts of its own rows alone in memory.
 * - It locks no secret and no client. A row that it makes for one that is being removed
 *   stays until mogo_purge deletes it.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "usage.h"

#define FLUSH_MS		2000	/* a flush worker begins no batch after this */
#define BATCH_MS		2000	/* a batch that takes longer fails */
#define BATCH			100		/* counts a transaction */

static TimestampTz deadline;
static bool quiet;				/* log no error, or no further one */
static bool failed = false;

/* Returns mogo_client's oid in this database, or InvalidOid without the extension. */
static Oid
client_table(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			table = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("mogocred"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		table = get_relname_relid("mogo_client",
								  ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return table;
}

/* Writes a count to the tables, unless its secret, or its client, is gone. */
static void
write_count(const MogoChange *change, const MogoUsage *item)
{
	static MogoStatement secret = {
		.sql = "INSERT INTO @extschema@.mogo_secret_usage AS u (secret_id, uses, last_used_at)"
		" SELECT s.secret_id, $2, $3 FROM @extschema@.mogo_secret AS s"
		" WHERE s.secret_id OPERATOR(pg_catalog.=) $1 ON CONFLICT (secret_id) DO UPDATE"
		" SET uses = u.uses OPERATOR(pg_catalog.+) excluded.uses,"
		" last_used_at = GREATEST(u.last_used_at, excluded.last_used_at)",
		.nargs = 3,
		.argtypes = {UUIDOID, INT8OID, TIMESTAMPTZOID}
	};
	static MogoStatement client = {
		.sql = "INSERT INTO @extschema@.mogo_client_usage AS u"
		" (client_id, failed_checks, last_failed_at, last_used_at)"
		" SELECT c.client_id, $2, $3, $4 FROM @extschema@.mogo_client AS c"
		" WHERE c.client_id OPERATOR(pg_catalog.=) $1 ON CONFLICT (client_id) DO UPDATE"
		" SET failed_checks = u.failed_checks OPERATOR(pg_catalog.+) excluded.failed_checks,"
		" last_failed_at = GREATEST(u.last_failed_at, excluded.last_failed_at),"
		" last_used_at = GREATEST(u.last_used_at, excluded.last_used_at)",
		.nargs = 4,
		.argtypes = {UUIDOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
	};
	bool		failure = mogo_same_id(&item->key.secret_id, &mogo_no_secret);
	Datum		at = TimestampTzGetDatum(item->last_at);
	Datum		secret_values[] = {UUIDPGetDatum(&item->key.secret_id), Int64GetDatum(item->count), at};
	Datum		client_values[] = {
		UUIDPGetDatum(&item->key.client_id), Int64GetDatum(failure ? item->count : 0), at, at
	};
	bool		client_nulls[] = {false, false, !failure, failure};

	if (!failure)
		mogo_execute(change, &secret, secret_values, NULL);
	mogo_execute(change, &client, client_values, client_nulls);
}

/* Flushes counts in a transaction of their own. */
static void
flush_batch(const MogoUsage *items, int n)
{
	MogoChange	change;
	Oid			table;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	enable_timeout_after(STATEMENT_TIMEOUT, BATCH_MS);
	table = client_table();
	/* without the extension, the counts belong to one that was dropped */
	if (OidIsValid(table))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		mogo_begin_as_owner_of(&change, table);
		for (int i = 0; i < n; i++)
			write_count(&change, &items[i]);
		mogo_end(&change);
		PopActiveSnapshot();
	}
	disable_timeout(STATEMENT_TIMEOUT, false);
	CommitTransactionCommand();
	for (int i = 0; i < n; i++)
		mogo_usage_subtract(&items[i]);
}

/* Flushes counts, or those of them that can be. Logs an error unless we are quiet. */
static void
flush_or_split(const MogoUsage *items, int n)
{
	volatile bool ok = true;

	CHECK_FOR_INTERRUPTS();
	PG_TRY();
	{
		flush_batch(items, n);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		disable_all_timeouts(false);
		if (!quiet)
			EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		ok = false;
	}
	PG_END_TRY();
	if (ok)
		mogo_usage->written = true;
	else
		failed = quiet = true;
	if (!ok && n > 1 && GetCurrentTimestamp() < deadline)
	{
		flush_or_split(items, n / 2);
		flush_or_split(items + n / 2, n - n / 2);
	}
}

/* Flushes all counts of this database, or as many as there is time for. */
static void
flush_database(void)
{
	MogoUsage	batch[BATCH];
	int			n = 0;

	for (int left = mogo_usage->limit; left > 0; left--)
	{
		if (mogo_usage->position >= mogo_usage->limit)
			mogo_usage->position = 0;
		if (mogo_usage_read(mogo_usage->position++, &batch[n]) &&
			batch[n].key.database == MyDatabaseId)
			n++;
		if (n < BATCH && (n == 0 || left > 1))
			continue;
		flush_or_split(batch, n);
		n = 0;
		if (left > 1 && GetCurrentTimestamp() >= deadline)
		{
			mogo_usage->finished = false;
			return;
		}
	}
}

/* Error context: names the activity. */
static void
flush_context(void *arg)
{
	errcontext("flushing mogocred's use counts to database %u",
			   DatumGetObjectId(MyBgworkerEntry->bgw_main_arg));
}

/* Sets what ALTER DATABASE may have set otherwise. */
static void
set_options(void)
{
	static const char *const options[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"synchronous_commit", "off"},
		{"lock_timeout", "100ms"},
		/* a statement must not read a page that its row is not in */
		{"enable_seqscan", "off"}
	};

	for (int i = 0; i < lengthof(options); i++)
		SetConfigOption(options[i][0], options[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* Runs a flush worker, for the database whose oid is the argument. */
void
mogo_usage_flush_main(Datum arg)
{
	ErrorContextCallback callback = {.callback = flush_context, .previous = error_context_stack};

	error_context_stack = &callback;
	quiet = MyBgworkerEntry->bgw_extra[0] != 0;
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	set_options();
	pgstat_report_activity(STATE_RUNNING, "writing use counts");
	deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), FLUSH_MS);
	flush_database();
	mogo_usage->failed = failed;
	/* on disk once for all batches, and without waiting for a standby */
	XLogFlush(XactLastCommitEnd);
}
