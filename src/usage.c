/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  Use counts: a secret's uses and last use, a client's failed checks.
 *
 * If shared_preload_libraries names mogocred, every check is counted in shared memory
 * (usage_table.c), for all databases, on a primary and on a standby; background workers
 * take the counts to tables (usage_worker.c, usage_flush.c). What waits at a clean
 * shutdown is kept in a file. Here are the settings, the hooks, that file, and the
 * functions of the views, which return NULL for "not known" if nothing was counted:
 * another server may have been asked.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <sys/stat.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/guc.h"

#include "usage.h"

#define USAGE_FILE		PGSTAT_STAT_PERMANENT_DIRECTORY "/mogocred.stat"
#define USAGE_MAGIC		0x4d4f4732	/* changes with what is in the file */

static bool track_usage = true;
static int	usage_max = 100000;
static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/*
 * Fills in the header of our file. A copy of the file has another inode: the counts in
 * it are the original's, which has them flushed.
 */
static void
fill_header(FILE *file, uint64 header[3])
{
	struct stat st;

	header[0] = USAGE_MAGIC;
	header[1] = GetSystemIdentifier();
	header[2] = fstat(fileno(file), &st) == 0 ? st.st_ino : 0;
}

/*
 * Callback: writes what waits to the file, at the end of a clean shutdown. An error is
 * logged, and leaves the file that there may be from before.
 */
static void
save(int code, Datum arg)
{
	FILE	   *file;
	uint64		header[3];
	MogoUsage	item;
	bool		ok = false;

	if (code != 0)
		return;					/* a crash, or a start that failed */
	file = AllocateFile(USAGE_FILE ".tmp", PG_BINARY_W);
	if (file != NULL)
	{
		fill_header(file, header);
		ok = fwrite(header, sizeof(header), 1, file) == 1;
		for (int i = 0; ok && i < mogo_usage->limit; i++)
		{
			if (mogo_usage_read(i, &item))
				ok = fwrite(&item, sizeof(item), 1, file) == 1;
		}
		ok = FreeFile(file) == 0 && ok;
	}
	if (ok)
		(void) durable_rename(USAGE_FILE ".tmp", USAGE_FILE, LOG);
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", USAGE_FILE ".tmp")));
}

/*
 * Reads the file into memory, and leaves it: if this start of the server fails, or a
 * standby crashes, the next start reads it again. The launcher of a primary removes it.
 */
static void
load(void)
{
	FILE	   *file = AllocateFile(USAGE_FILE, PG_BINARY_R);
	uint64		header[3];
	uint64		expected[3];
	MogoUsage	item;
	size_t		n;

	if (file == NULL)
		return;					/* nothing was left, as a rule */
	fill_header(file, expected);
	if (fread(header, sizeof(header), 1, file) != 1 || header[0] != USAGE_MAGIC)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid header in file \"%s\"", USAGE_FILE)));
	else if (memcmp(header, expected, sizeof(header)) != 0)
		ereport(LOG,
				(errmsg("ignoring file \"%s\" because it is a copy", USAGE_FILE),
				 errdetail("The use counts in it belong to the server that it was copied from.")));
	else
	{
		/* anything that save() cannot have written must not reach a flush */
		while ((n = fread(&item, 1, sizeof(item), file)) == sizeof(item) &&
			   OidIsValid(item.key.database) && item.count <= PG_INT64_MAX / 2 &&
			   IS_VALID_TIMESTAMP(item.last_at))
			mogo_usage_add(&item);
		if (n > 0)
			ereport(LOG,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("invalid data in file \"%s\"", USAGE_FILE)));
	}
	FreeFile(file);
}

/* Removes the file when its counts have been flushed: no crash must bring them back. */
void
mogo_usage_remove_file(void)
{
	if (access(USAGE_FILE, F_OK) == 0)
		(void) durable_unlink(USAGE_FILE, LOG);
}

/* Hook: requests the shared memory. */
static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	mogo_usage_request(usage_max);
}

/* Hook: makes the table, at the start and again after a crash inside. */
static void
startup_shmem(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	if (mogo_usage_attach(usage_max))
		load();
	if (!IsUnderPostmaster)
		on_shmem_exit(save, (Datum) 0);
}

/*
 * Defines the settings and, if the library is being preloaded, sets the hooks. Else
 * usage_max is there to be shown: PostgreSQL takes no PGC_POSTMASTER setting any more.
 */
void
mogo_usage_init(void)
{
	bool		preloading = process_shared_preload_libraries_in_progress;

	DefineCustomBoolVariable("mogocred.track_usage",
							 "Counts the uses of secrets and the failed checks of clients.",
							 "Has an effect only if shared_preload_libraries lists mogocred.",
							 &track_usage, true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("mogocred.usage_max",
							"Sets the maximum number of secrets and clients whose counts can wait at a time.",
							"All databases of the server share them. Each takes 64 bytes of shared memory. Has an effect only if shared_preload_libraries lists mogocred.",
							&usage_max, 100000, 100, 100000000,
							preloading ? PGC_POSTMASTER : PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	if (!preloading)
		return;
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

/* Counts a use of a secret. */
void
mogo_count_use(const pg_uuid_t *client_id, const pg_uuid_t *secret_id, TimestampTz at)
{
	MogoUsage	item = {
		.key = {.database = MyDatabaseId, .client_id = *client_id, .secret_id = *secret_id},
		.count = 1,
		.last_at = at
	};

	if (mogo_usage != NULL && track_usage)
		mogo_usage_add(&item);
}

/* Counts a failed check of a client that exists. */
void
mogo_count_failure(const pg_uuid_t *client_id)
{
	if (mogo_usage != NULL && track_usage)
		mogo_count_use(client_id, &mogo_no_secret, GetCurrentTimestamp());
}

PG_FUNCTION_INFO_V1(mogo_usage_count);
PG_FUNCTION_INFO_V1(mogo_usage_last_at);
PG_FUNCTION_INFO_V1(mogo_usage_status);

/* Calls mogo_usage_waiting with the first two arguments. */
static int64
waiting_for(FunctionCallInfo fcinfo, TimestampTz *last_at)
{
	*last_at = 0;
	if (mogo_usage == NULL || PG_ARGISNULL(0))
		return 0;
	return mogo_usage_waiting(PG_GETARG_UUID_P(0), PG_ARGISNULL(1) ? NULL : PG_GETARG_UUID_P(1),
							  last_at);
}

/* mogo_usage_count(client_id uuid, secret_id uuid, flushed bigint) returns bigint: the sum */
Datum
mogo_usage_count(PG_FUNCTION_ARGS)
{
	TimestampTz last_at;
	int64		count = waiting_for(fcinfo, &last_at) + (PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2));

	if (mogo_usage == NULL || count == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(count);
}

/* mogo_usage_last_at(client_id uuid, secret_id uuid, flushed timestamptz): the later time */
Datum
mogo_usage_last_at(PG_FUNCTION_ARGS)
{
	TimestampTz last_at;

	(void) waiting_for(fcinfo, &last_at);
	if (!PG_ARGISNULL(2))
		last_at = Max(last_at, PG_GETARG_TIMESTAMPTZ(2));
	if (mogo_usage == NULL || last_at == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_at);
}

/*
 * mogo_usage_status() returns one row (preloaded, entries, max_entries, not_counted) for
 * all databases of this server. Without preloading, all but the first are NULL.
 */
Datum
mogo_usage_status(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 4)
		elog(ERROR, "unexpected result type");
	values[0] = BoolGetDatum(mogo_usage != NULL);
	if (mogo_usage != NULL)
	{
		values[1] = Int32GetDatum(mogo_usage->used);
		values[2] = Int32GetDatum(mogo_usage->max);
		values[3] = Int64GetDatum(pg_atomic_read_u64(&mogo_usage->not_counted));
		memset(nulls, false, sizeof(nulls));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
