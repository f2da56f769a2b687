/*-------------------------------------------------------------------------
 *
 * usage_flush.c
 *	  The background workers that take use counts from memory to the tables.
 *
 * A flush worker connects to one database, writes what waits for it to
 * mogo_secret_usage and mogo_client_usage, as the tables' owner and with change.c's
 * precautions, and ends. Rules:
 *
 * - DROP DATABASE waits 5 s for others to leave. So a flush worker has FLUSH_MS, a
 *   small batch at a time, each with a time limit of its own, and waits for no row
 *   (SKIP LOCKED) and no standby. What it does not get done the next one does.
 * - What a flush has written leaves memory at its commit, and not before;
 *   usage_table.c says how. What it could not write waits again.
 * - A row is made only with the row of its secret, or of its client, locked (KEY
 *   SHARE), and whoever removes one of those deletes ours after it. So none is made
 *   for what is gone, but for a remover with an older snapshot (REPEATABLE READ),
 *   after whom mogo_purge cleans up.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "usage.h"

#define FLUSH_MS		2000	/* a flush worker takes no new batch after this */
#define BATCH_MS		2000	/* a batch that takes longer fails */
#define BATCH			100		/* rows a transaction */

/* What the batch in hand has claimed; settled: no more of our business. */
static MogoUsage batch[BATCH];
static bool settled[BATCH];
static int	nbatch = 0;

/* The schema and the owner of our tables, for the batch in hand */
static MogoChange change;

/* mogo_client's oid in this database, or InvalidOid: the extension is not there. */
static Oid
our_table(void)
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

/* Orders a batch: one kind after the other, so that each is a range, by id. */
static int
compare(const void *a, const void *b)
{
	const MogoUsage *x = a;
	const MogoUsage *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(&x->id, &y->id, sizeof(pg_uuid_t));
}

/*
 * Runs one of the statements below, each of which returns ids, and marks those
 * items of the batch, from first on, n of them, in which. Returns how many.
 */
static uint64
run(MogoStatement *statement, const Datum *values, int first, int n, bool *which)
{
	uint64		rows = mogo_execute(&change, statement, values, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		MogoUsage	key;
		MogoUsage  *item;

		key.kind = batch[first].kind;
		key.id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
											  1, &isnull));
		item = bsearch(&key, batch + first, n, sizeof(MogoUsage), compare);
		if (item != NULL)
			which[item - batch] = true;
	}
	return rows;
}

/*
 * The statements: rows that are there; then new ones, as long as their secret, or
 * client, is; then which of those is there, but locked by somebody.
 */
#define WAITING \
	"ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS w (id, n, at)"

static MogoStatement statements[2][3] = {
	[MOGO_USES] = {
		{
			.sql = "WITH u AS MATERIALIZED (SELECT secret_id FROM @extschema@.mogo_secret_usage"
			" WHERE secret_id OPERATOR(pg_catalog.=) ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)"
			" UPDATE @extschema@.mogo_secret_usage AS t"
			" SET uses = t.uses OPERATOR(pg_catalog.+) w.n,"
			" last_used_at = GREATEST(t.last_used_at, w.at) FROM u, " WAITING
			" WHERE u.secret_id OPERATOR(pg_catalog.=) w.id"
			" AND t.secret_id OPERATOR(pg_catalog.=) w.id RETURNING t.secret_id",
			.nargs = 3,
			.argtypes = {UUIDARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}
		},
		{
			.sql = "WITH s AS MATERIALIZED (SELECT secret_id FROM @extschema@.mogo_secret"
			" WHERE secret_id OPERATOR(pg_catalog.=) ANY ($1) FOR KEY SHARE SKIP LOCKED)"
			" INSERT INTO @extschema@.mogo_secret_usage (secret_id, uses, last_used_at)"
			" SELECT w.id, w.n, w.at FROM s, " WAITING
			" WHERE s.secret_id OPERATOR(pg_catalog.=) w.id"
			" ON CONFLICT (secret_id) DO NOTHING RETURNING secret_id",
			.nargs = 3,
			.argtypes = {UUIDARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}
		},
		{
			.sql = "SELECT secret_id FROM @extschema@.mogo_secret"
			" WHERE secret_id OPERATOR(pg_catalog.=) ANY ($1)",
			.nargs = 1,
			.argtypes = {UUIDARRAYOID}
		}
	},
	[MOGO_FAILURES] = {
		{
			.sql = "WITH u AS MATERIALIZED (SELECT client_id FROM @extschema@.mogo_client_usage"
			" WHERE client_id OPERATOR(pg_catalog.=) ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)"
			" UPDATE @extschema@.mogo_client_usage AS t"
			" SET failed_checks = t.failed_checks OPERATOR(pg_catalog.+) w.n FROM u, " WAITING
			" WHERE u.client_id OPERATOR(pg_catalog.=) w.id"
			" AND t.client_id OPERATOR(pg_catalog.=) w.id RETURNING t.client_id",
			.nargs = 3,
			.argtypes = {UUIDARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}
		},
		{
			.sql = "WITH s AS MATERIALIZED (SELECT client_id FROM @extschema@.mogo_client"
			" WHERE client_id OPERATOR(pg_catalog.=) ANY ($1) FOR KEY SHARE SKIP LOCKED)"
			" INSERT INTO @extschema@.mogo_client_usage (client_id, failed_checks)"
			" SELECT w.id, w.n FROM s, " WAITING
			" WHERE s.client_id OPERATOR(pg_catalog.=) w.id"
			" ON CONFLICT (client_id) DO NOTHING RETURNING client_id",
			.nargs = 3,
			.argtypes = {UUIDARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}
		},
		{
			.sql = "SELECT client_id FROM @extschema@.mogo_client"
			" WHERE client_id OPERATOR(pg_catalog.=) ANY ($1)",
			.nargs = 1,
			.argtypes = {UUIDARRAYOID}
		}
	}
};

/*
 * Writes the n items of one kind that stand in the batch from first on. What is
 * not written is settled at once.
 */
static void
write_kind(int first, int n)
{
	MogoStatement *statement = statements[batch[first].kind];
	Datum	   *columns[3];
	Datum		values[3];
	bool		written[BATCH] = {false};
	bool		there[BATCH] = {false};

	for (int i = 0; i < 3; i++)
		columns[i] = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		columns[0][i] = UUIDPGetDatum(&batch[first + i].id);
		columns[1][i] = Int64GetDatum(batch[first + i].count);
		columns[2][i] = TimestampTzGetDatum(batch[first + i].last_at);
	}
	values[0] = PointerGetDatum(construct_array(columns[0], n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[1] = PointerGetDatum(construct_array(columns[1], n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(construct_array(columns[2], n, TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));

	if (run(&statement[0], values, first, n, written) == n)
		return;
	(void) run(&statement[1], values, first, n, written);
	(void) run(&statement[2], values, first, n, there);
	for (int i = first; i < first + n; i++)
	{
		if (!written[i])
		{
			mogo_usage_settle(&batch[i], there[i] ? MOGO_KEPT : MOGO_GONE);
			settled[i] = true;
		}
	}
}

/* Ends the claim on the whole batch. */
static void
settle_batch(MogoUsageOutcome outcome)
{
	for (int i = 0; i < nbatch; i++)
	{
		if (!settled[i])
			mogo_usage_settle(&batch[i], outcome);
	}
	nbatch = 0;
}

/* Callback: whatever ends this process, no claim of its stays. */
static void
flush_gone(int code, Datum arg)
{
	settle_batch(MOGO_KEPT);
}

/*
 * Flushes the next batch, from *position on, in a transaction of its own. Returns
 * false where nothing is left to do.
 */
static bool
flush_batch(uint32 *position)
{
	Oid			table;
	int			n;
	int			nuses = 0;

	n = mogo_usage_collect(MyDatabaseId, position, batch, BATCH);
	if (n == 0)
		return false;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	enable_timeout_after(STATEMENT_TIMEOUT, BATCH_MS);
	table = our_table();
	if (!OidIsValid(table))
	{
		/* what was counted belonged to an extension that was dropped */
		mogo_usage_sweep(&MyDatabaseId, 1);
		disable_timeout(STATEMENT_TIMEOUT, false);
		CommitTransactionCommand();
		return false;
	}
	PushActiveSnapshot(GetTransactionSnapshot());
	mogo_begin_as_owner_of(&change, table);
	qsort(batch, n, sizeof(MogoUsage), compare);
	memset(settled, false, sizeof(settled));
	nbatch = n = mogo_usage_claim(batch, n, GetCurrentTransactionId());
	while (nuses < n && batch[nuses].kind == MOGO_USES)
		nuses++;
	if (nuses > 0)
		write_kind(0, nuses);
	if (nuses < n)
		write_kind(nuses, n - nuses);
	mogo_end(&change);
	PopActiveSnapshot();
	disable_timeout(STATEMENT_TIMEOUT, false);
	CommitTransactionCommand();
	settle_batch(MOGO_WRITTEN);
	return true;
}

/* Says in the log what it was that went wrong. */
static void
flush_context(void *arg)
{
	errcontext("flushing mogocred's use counts");
}

/*
 * DROP DATABASE ... WITH (FORCE) ends who is connected, and fails for one whom its
 * user may not end. So to others this process is the database's owner, as far as
 * signals go. A superuser's database needs a superuser anyway.
 */
static void
let_owner_end_us(void)
{
	HeapTuple	tuple;
	Oid			owner;

	StartTransactionCommand();
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	if (!superuser_arg(owner))
		MyProc->roleId = owner;
	CommitTransactionCommand();
}

/*
 * A flush worker, for the database whose oid is the argument. What goes wrong is
 * logged, and what it had in hand waits for the next one.
 */
void
mogo_usage_flush_main(Datum arg)
{
	ErrorContextCallback callback = {.callback = flush_context, .previous = error_context_stack};
	TimestampTz deadline;
	uint32		position = 0;

	error_context_stack = &callback;
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	before_shmem_exit(flush_gone, (Datum) 0);
	let_owner_end_us();

	/* whatever ALTER DATABASE or ALTER ROLE has set */
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", "1s", PGC_SUSET, PGC_S_OVERRIDE);

	pgstat_report_activity(STATE_RUNNING, "writing use counts");
	deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), FLUSH_MS);
	PG_TRY();
	{
		while (flush_batch(&position))
		{
			CHECK_FOR_INTERRUPTS();
			if (GetCurrentTimestamp() >= deadline)
			{
				(void) mogo_usage_set_unfinished(true);
				break;
			}
		}
		/* on disk once for all batches, and without waiting for a standby */
		XLogFlush(XactLastCommitEnd);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		disable_all_timeouts(false);
		EmitErrorReport();
		AbortCurrentTransaction();
		settle_batch(MOGO_KEPT);
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
}
