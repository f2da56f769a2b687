/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  Use counts: a secret's uses and last use, a client's failed checks.
 *
 * Where shared_preload_libraries names mogocred, every check is counted in shared
 * memory (usage_table.c, which has the locking rules), for all databases, on a
 * primary and on a standby; a background worker takes the counts to the tables of
 * the database that they belong to (usage_worker.c). What is left at a clean
 * shutdown is kept in a file until the next start, so that no check is forgotten,
 * on a standby neither.
 *
 * Here are the settings, the hooks, that file, and what the views call. They show
 * NULL where nothing was counted: that means that it is not known, for another
 * server may have been asked.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <unistd.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/guc.h"

#include "usage.h"

#define USAGE_FILE		PGSTAT_STAT_PERMANENT_DIRECTORY "/mogocred.stat"
#define USAGE_MAGIC		0x4d4f4731	/* changes with the struct MogoUsage */

static bool track_usage = true;
static int	usage_max = 100000;
static bool preloaded = false;
static shmem_request_hook_type previous_shmem_request = NULL;
static shmem_startup_hook_type previous_shmem_startup = NULL;

/*
 * Writes what waits to the file. For the postmaster at the end of a clean
 * shutdown, when it has no children any more. What goes wrong is logged, and
 * costs the counts that no flush has written.
 */
static void
save(int code, Datum arg)
{
	uint32		magic = USAGE_MAGIC;
	FILE	   *file;
	MogoUsage	item;
	bool		ok;

	if (code != 0)
		return;					/* a crash: what is in memory may be broken */
	file = AllocateFile(USAGE_FILE ".tmp", PG_BINARY_W);
	ok = file != NULL && fwrite(&magic, sizeof(magic), 1, file) == 1;
	for (int i = 0; ok && i < usage_max; i++)
	{
		if (mogo_usage_read(i, &item) && item.count > 0)
			ok = fwrite(&item, sizeof(item), 1, file) == 1;
	}
	if (file != NULL && FreeFile(file) != 0)
		ok = false;
	if (ok)
		(void) durable_rename(USAGE_FILE ".tmp", USAGE_FILE, LOG);
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", USAGE_FILE ".tmp")));
}

/* Can this have been written by save()? Whatever is not is not for a flush to meet. */
static bool
is_plausible(const MogoUsage *item)
{
	return OidIsValid(item->database) &&
		(item->kind == MOGO_USES || item->kind == MOGO_FAILURES) &&
		item->count > 0 && item->count <= PG_INT64_MAX / 2 &&
		(item->last_at == 0 || IS_VALID_TIMESTAMP(item->last_at));
}

/*
 * Reads the file, and deletes it: what it holds is in memory from now on, and
 * must not be counted again after a crash.
 */
static void
load(void)
{
	uint32		magic;
	FILE	   *file = AllocateFile(USAGE_FILE, PG_BINARY_R);
	MogoUsage	item;
	size_t		n;

	if (file == NULL && errno == ENOENT)
		return;
	if (file == NULL || fread(&magic, sizeof(magic), 1, file) != 1 || magic != USAGE_MAGIC)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("could not read file \"%s\"", USAGE_FILE)));
	else
	{
		while ((n = fread(&item, 1, sizeof(item), file)) == sizeof(item) && is_plausible(&item))
			mogo_usage_add(item.database, item.kind, &item.id, item.count, item.last_at);
		if (n > 0)
			ereport(LOG,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("invalid data in file \"%s\"", USAGE_FILE)));
	}
	if (file != NULL)
		FreeFile(file);
	(void) durable_unlink(USAGE_FILE, LOG);
}

/* Hook: asks for what startup_shmem takes. */
static void
request_shmem(void)
{
	if (previous_shmem_request)
		previous_shmem_request();
	mogo_usage_request(usage_max);
}

/* Hook: makes the table, at the start and again after a crash. */
static void
startup_shmem(void)
{
	if (previous_shmem_startup)
		previous_shmem_startup();
	if (mogo_usage_attach(usage_max))
		load();
	preloaded = true;
	if (!IsUnderPostmaster)
		on_shmem_exit(save, (Datum) 0);
}

/*
 * Defines the settings and, where the library is being preloaded, sets the hooks.
 * Elsewhere nothing is counted, and usage_max is there to be shown: PostgreSQL
 * takes no setting for the postmaster after the start.
 */
void
mogo_usage_init(void)
{
	bool		preloading = process_shared_preload_libraries_in_progress;

	DefineCustomBoolVariable("mogocred.track_usage",
							 "Counts the uses of secrets and the failed checks of clients.",
							 "It takes effect where shared_preload_libraries names mogocred.",
							 &track_usage, true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("mogocred.usage_max",
							"Most secrets and clients that counts can wait for at a time.",
							"All databases of the server share them. Each takes about 70 bytes of shared memory.",
							&usage_max, 100000, 100, 100000000,
							preloading ? PGC_POSTMASTER : PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	if (!preloading)
		return;
	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

/* A secret was accepted, at this moment. */
void
mogo_count_use(const pg_uuid_t *secret_id, TimestampTz at)
{
	if (preloaded && track_usage)
		mogo_usage_add(MyDatabaseId, MOGO_USES, secret_id, 1, at);
}

/* A client that exists was refused. */
void
mogo_count_failure(const pg_uuid_t *client_id)
{
	if (preloaded && track_usage)
		mogo_usage_add(MyDatabaseId, MOGO_FAILURES, client_id, 1, 0);
}

PG_FUNCTION_INFO_V1(mogo_uses);
PG_FUNCTION_INFO_V1(mogo_last_used_at);
PG_FUNCTION_INFO_V1(mogo_failed_checks);
PG_FUNCTION_INFO_V1(mogo_usage_status);

/* What the table has, argument 1, and what waits for it; NULL for nothing at all. */
static Datum
total(FunctionCallInfo fcinfo, MogoUsageKind kind)
{
	TimestampTz last_at;
	uint64		count;

	if (!preloaded || PG_ARGISNULL(0))
		PG_RETURN_NULL();
	count = mogo_usage_waiting(kind, PG_GETARG_UUID_P(0), &last_at);
	if (!PG_ARGISNULL(1))
		count += PG_GETARG_INT64(1);
	if (count == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(count);
}

/* mogo_uses(secret_id uuid, flushed bigint) returns bigint */
Datum
mogo_uses(PG_FUNCTION_ARGS)
{
	return total(fcinfo, MOGO_USES);
}

/* mogo_failed_checks(client_id uuid, flushed bigint) returns bigint */
Datum
mogo_failed_checks(PG_FUNCTION_ARGS)
{
	return total(fcinfo, MOGO_FAILURES);
}

/*
 * mogo_last_used_at(secret_id uuid, flushed timestamptz) returns timestamptz: the
 * later of what the table has and what waits for it.
 */
Datum
mogo_last_used_at(PG_FUNCTION_ARGS)
{
	TimestampTz last_at;

	if (!preloaded || PG_ARGISNULL(0))
		PG_RETURN_NULL();
	(void) mogo_usage_waiting(MOGO_USES, PG_GETARG_UUID_P(0), &last_at);
	if (!PG_ARGISNULL(1))
		last_at = Max(last_at, PG_GETARG_TIMESTAMPTZ(1));
	if (last_at == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_at);
}

/*
 * mogo_usage_status() returns one row (preloaded, entries, max_entries,
 * not_counted), of this server and all its databases. All but the first are NULL
 * where the library is not preloaded.
 */
Datum
mogo_usage_status(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 4)
		elog(ERROR, "unexpected result type");
	values[0] = BoolGetDatum(preloaded);
	if (preloaded)
	{
		int			used;
		int			max;

		values[3] = Int64GetDatum(mogo_usage_fill(&used, &max));
		values[1] = Int32GetDatum(used);
		values[2] = Int32GetDatum(max);
		memset(nulls, false, sizeof(nulls));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
