/*-------------------------------------------------------------------------
 *
 * usage_worker.c
 *	  The background worker that has use counts flushed to the tables.
 *
 * The launcher runs all the time, connected to no database. Every
 * mogocred.usage_flush_interval it looks which databases have counts that wait,
 * and starts a flush worker (usage_flush.c) for one after the other. On a standby
 * it only frees the entries of databases that are gone; the counts wait in memory
 * until the promotion.
 *
 * An error ends it, and the postmaster starts it again.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "usage.h"

#define RESTART_S		10		/* after a launcher that failed */
#define PATIENCE_MS		10000	/* a flush worker that takes longer is ended */
#define EARLY_MS		1000	/* between flushes where one interval is too long */
#define CHUNK			256		/* entries looked at together */

/* The connection limit of a database that an interrupted DROP has left. */
#define INVALID_DATABASE	(-2)

static int	flush_interval = 60;

/*
 * Defines the setting and, where the library is being preloaded, registers the
 * launcher.
 */
void
mogo_usage_worker_init(void)
{
	BackgroundWorker worker;

	DefineCustomIntVariable("mogocred.usage_flush_interval",
							"Time between two flushes of the use counts to their tables.",
							"It takes effect where shared_preload_libraries names mogocred.",
							&flush_interval, 60, 1, 3600,
							PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = RESTART_S;
	strlcpy(worker.bgw_library_name, "mogocred", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "mogo_usage_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "mogocred launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "mogocred launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/* The databases that have entries, as a list of oids. */
static List *
databases_with_entries(void)
{
	List	   *databases = NIL;
	uint32		position = 0;
	MogoUsage	items[CHUNK];
	int			n;

	while ((n = mogo_usage_collect(InvalidOid, &position, items, CHUNK)) > 0)
	{
		for (int i = 0; i < n; i++)
			databases = list_append_unique_oid(databases, items[i].database);
	}
	return databases;
}

/* Which of these databases is there and can be connected to? */
static List *
databases_that_exist(List *databases)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *found = NIL;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (list_member_oid(databases, database->oid) &&
			database->datconnlimit != INVALID_DATABASE)
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			found = lappend_oid(found, database->oid);
			MemoryContextSwitchTo(old);
		}
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return found;
}

/*
 * Sleeps for at most ms, and does what every process has to do now and then. At
 * shutdown it does not return.
 */
static void
doze(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	if (ShutdownRequestPending)
		proc_exit(1);			/* 0 would mean: not to be started again */
}

/*
 * Has a flush worker do its work in a database, and waits for it. One that is
 * held up, as by CREATE DATABASE ... TEMPLATE while it connects, is ended, for
 * other databases wait too.
 */
static void
flush_database(Oid database)
{
	static bool refused = false;
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;
	TimestampTz patience = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PATIENCE_MS);
	pid_t		pid;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "mogocred", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "mogo_usage_flush_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "mogocred flush for database %u", database);
	strlcpy(worker.bgw_type, "mogocred flush", BGW_MAXLEN);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		if (!refused)
			ereport(LOG,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("mogocred could not start a background worker to flush use counts"),
					 errdetail("The counts wait in memory, and it is tried again every mogocred.usage_flush_interval."),
					 errhint("You might need to increase max_worker_processes.")));
		refused = true;
		return;
	}
	refused = false;
	while (GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED)
	{
		if (GetCurrentTimestamp() >= patience)
			TerminateBackgroundWorker(handle);
		doze(EARLY_MS);
	}
}

/* Is so little room left that a whole interval is too long to wait? */
static bool
crowded(void)
{
	int			used;
	int			max;

	(void) mogo_usage_fill(&used, &max);
	return used >= max / 2;
}

/* One look at all that waits. */
static void
flush_all(void)
{
	List	   *databases;
	List	   *existing;
	Oid		   *gone;
	int			ngone = 0;
	ListCell   *cell;

	mogo_usage_sweep(NULL, 0);
	databases = databases_with_entries();
	if (databases == NIL)
		return;
	existing = databases_that_exist(databases);
	gone = palloc(list_length(databases) * sizeof(Oid));
	foreach(cell, databases)
	{
		if (!list_member_oid(existing, lfirst_oid(cell)))
			gone[ngone++] = lfirst_oid(cell);
	}
	if (ngone > 0)
		mogo_usage_sweep(gone, ngone);
	if (RecoveryInProgress())
		return;
	foreach(cell, existing)
		flush_database(lfirst_oid(cell));
	if (crowded())
		mogo_usage_sweep(NULL, 0);
}

/* Callback: nobody is there to be woken any more. */
static void
launcher_gone(int code, Datum arg)
{
	mogo_usage_set_flusher(NULL);
}

/* The launcher. It ends with an error, or at shutdown. */
void
mogo_usage_launcher_main(Datum arg)
{
	MemoryContext context;
	TimestampTz last = GetCurrentTimestamp();
	bool		unfinished = false;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	context = AllocSetContextCreate(TopMemoryContext, "mogocred launcher", ALLOCSET_DEFAULT_SIZES);
	before_shmem_exit(launcher_gone, (Datum) 0);
	mogo_usage_set_flusher(MyLatch);
	for (;;)
	{
		bool		early = !RecoveryInProgress() && (crowded() || unfinished);
		TimestampTz next = TimestampTzPlusMilliseconds(last, early ? EARLY_MS : flush_interval * INT64CONST(1000));
		TimestampTz now = GetCurrentTimestamp();

		/* a clock that was set back must not make us wait for it */
		if (now >= next || now < last)
		{
			/* from start to start: what comes while we are at it waits no longer either */
			last = now;
			MemoryContextSwitchTo(context);
			flush_all();
			MemoryContextReset(context);
			unfinished = mogo_usage_set_unfinished(false);
			doze(0);			/* there may be no time to sleep, but to be ended */
		}
		else
			doze(TimestampDifferenceMilliseconds(now, next));
	}
}
