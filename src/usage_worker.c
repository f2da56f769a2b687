/*-------------------------------------------------------------------------
 *
 * usage_worker.c
 *	  The background worker that has use counts flushed to the tables.
 *
 * The launcher runs all the time, connected to no database. Every
 * mogocred.usage_flush_interval it starts a flush worker (usage_flush.c) for each
 * database with counts that wait, one after the other. On a standby it only frees the
 * entries of databases that are gone; the counts wait in memory until the promotion.
 *
 * A database that nothing could be flushed to is left alone for a minute, or until the
 * configuration is reloaded, and keeps half of the room at most. Its errors are logged
 * once a minute. An error of the launcher ends it, and the postmaster starts it again.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "usage.h"

#define RESTART_S		60		/* after a launcher that failed */
#define PATIENCE_MS		10000	/* a flush worker that takes longer is ended */
#define EARLY_MS		1000	/* between flushes if one interval is too long */
#define MINUTE_US		(60 * USECS_PER_SEC)

/* A database that the launcher flushes, or tries to */
typedef struct FlushTarget
{
	Oid			database;
	TimestampTz logged_at;		/* the last error; 0: none */
	bool		stuck;			/* nothing could be flushed the last time */
	bool		waiting;		/* has counts that wait */
} FlushTarget;

static int	flush_interval = 60;
static List *targets = NIL;

/* Fills in what our background workers have in common. */
static void
fill_worker(BackgroundWorker *worker, const char *function, const char *type)
{
	memset(worker, 0, sizeof(BackgroundWorker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	strlcpy(worker->bgw_library_name, "mogocred", sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, function, BGW_MAXLEN);
	strlcpy(worker->bgw_name, type, BGW_MAXLEN);
	strlcpy(worker->bgw_type, type, BGW_MAXLEN);
}

/* Defines the setting and, if the library is being preloaded, registers the launcher. */
void
mogo_usage_worker_init(void)
{
	BackgroundWorker worker;

	DefineCustomIntVariable("mogocred.usage_flush_interval",
							"Sets the time between two flushes of the use counts to their tables.",
							"Has an effect only if shared_preload_libraries lists mogocred.",
							&flush_interval, 60, 1, 3600,
							PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	fill_worker(&worker, "mogo_usage_launcher_main", "mogocred launcher");
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = RESTART_S;
	RegisterBackgroundWorker(&worker);
}

/* Sleeps for at most ms. At shutdown it does not return. */
static void
doze(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ShutdownRequestPending)
		proc_exit(1);			/* 0 would mean: not to be started again */
}

/*
 * Runs a flush worker in a database and waits for its end. Returns false if none is to
 * be had. Ends one that is held up, as by CREATE DATABASE ... TEMPLATE while it
 * connects, because other databases wait too.
 */
static bool
run_flush_worker(Oid database, bool quiet)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;
	TimestampTz patience = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PATIENCE_MS);
	pid_t		pid;

	fill_worker(&worker, "mogo_usage_flush_main", "mogocred flush");
	worker.bgw_flags |= MOGO_BGWORKER_INTERRUPTIBLE;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_extra[0] = quiet;
	worker.bgw_notify_pid = MyProcPid;
	snprintf(worker.bgw_name, BGW_MAXLEN, "mogocred flush for database %u", database);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		if (!quiet)
			ereport(LOG,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("could not start a background worker to flush mogocred's use counts"),
					 errdetail("The counts wait in memory until the next flush."),
					 errhint("You might need to increase \"max_worker_processes\".")));
		return false;
	}
	while (GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED)
	{
		if (GetCurrentTimestamp() >= patience)
			TerminateBackgroundWorker(handle);
		doze(EARLY_MS);
	}
	pfree(handle);
	return true;
}

/* Returns what the launcher remembers of a database, at first nothing. */
static FlushTarget *
find_target(Oid database)
{
	FlushTarget *target;
	ListCell   *cell;

	foreach(cell, targets)
	{
		target = lfirst(cell);
		if (target->database == database)
			return target;
	}
	target = palloc0(sizeof(FlushTarget));
	target->database = database;
	targets = lappend(targets, target);
	return target;
}

/* Flushes the counts of a database, unless it is to be left alone. */
static void
flush_database(FlushTarget *target)
{
	/* a clock that was set back makes this a large number */
	bool		quiet = (uint64) (GetCurrentTimestamp() - target->logged_at) < MINUTE_US;
	bool		ran;

	mogo_usage->finished = true;
	mogo_usage->written = false;
	if (target->stuck && quiet)
		return;
	mogo_usage->failed = true;	/* unless the worker says otherwise */
	ran = run_flush_worker(target->database, quiet);
	if (mogo_usage->failed && !quiet)
		target->logged_at = GetCurrentTimestamp();
	target->stuck = ran && mogo_usage->failed && !mogo_usage->written;
}

/* Flushes everything that waits. Returns whether there was more than there was time for. */
static bool
flush_all(void)
{
	bool		unfinished = false;
	bool		written = false;
	MogoUsage	item;
	ListCell   *cell;

	foreach(cell, targets)
		((FlushTarget *) lfirst(cell))->waiting = false;
	for (int i = 0; i < mogo_usage->limit; i++)
	{
		if (mogo_usage_read(i, &item))
			find_target(item.key.database)->waiting = true;
	}
	foreach(cell, targets)
	{
		FlushTarget *target = lfirst(cell);
		bool		exists;

		if (!target->waiting)
			continue;
		StartTransactionCommand();
		exists = get_database_name(target->database) != NULL;
		CommitTransactionCommand();
		if (!exists)
			mogo_usage_forget(target->database, 0);
		else if (!RecoveryInProgress())
		{
			flush_database(target);
			unfinished |= mogo_usage->written && !mogo_usage->finished;
			written |= mogo_usage->written;
			if (target->stuck)
				mogo_usage_forget(target->database, mogo_usage->max / 2 - 1);
		}
	}
	if (!unfinished && (written || mogo_usage->used == 0))
		mogo_usage_remove_file();
	return unfinished;
}

/* Runs the launcher. It ends with an error, or at shutdown. */
void
mogo_usage_launcher_main(Datum arg)
{
	TimestampTz last = GetCurrentTimestamp();
	bool		unfinished = false;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	MemoryContextSwitchTo(TopMemoryContext);	/* for what it remembers */
	mogo_usage->launcher = MyLatch;
	for (;;)
	{
		bool		early = !RecoveryInProgress() && (unfinished || mogo_usage->used >= mogo_usage->max / 2);
		TimestampTz next = TimestampTzPlusMilliseconds(last, early ? EARLY_MS : flush_interval * INT64CONST(1000));
		TimestampTz now = GetCurrentTimestamp();

		/* a clock that was set back must not make us wait for it */
		if (now >= next || now < last)
		{
			/* from start to start, so that nothing waits longer than that */
			last = now;
			unfinished = flush_all();
			doze(0);			/* at least look whether to end */
		}
		else
			doze(TimestampDifferenceMilliseconds(now, next));
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			list_free_deep(targets);
			targets = NIL;
		}
	}
}
