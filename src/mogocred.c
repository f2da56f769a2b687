/*-------------------------------------------------------------------------
 *
 * mogocred.c
 *	  The library's entry point.
 *
 * Every module brings its own settings and hooks. What is here is about the library as
 * a whole.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

MOGO_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type prev_shmem_request = NULL;

/*
 * Hook: refuses the start if "mogocred" does not lead to this library, as happens when
 * shared_preload_libraries has a path. Background workers and SQL functions load the
 * library by that name: the launcher would fail and be started again for ever, or
 * another copy would come beside this one.
 *
 * It is a hook for shared memory because the list of loaded libraries, in which the name
 * is looked up, has us only after _PG_init.
 */
static void
require_library_name(void)
{
	MemoryContext context = CurrentMemoryContext;

	if (prev_shmem_request)
		prev_shmem_request();

	PG_TRY();
	{
		load_file("mogocred", false);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		ereport(FATAL,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not find the preloaded library by the name \"mogocred\""),
				 errdetail("Background workers and functions load it by that name: %s.",
						   edata->message),
				 errhint("Set \"shared_preload_libraries\" to the name without a path, and add the library's directory to \"dynamic_library_path\".")));
	}
	PG_END_TRY();
}

/*
 * Called once by each process that loads the library, or once by the
 * postmaster if shared_preload_libraries names it.
 */
void
_PG_init(void)
{
	mogo_generate_init();
	mogo_bcrypt_init();
	mogo_tables_init();
	mogo_lookup_init();
	mogo_record_init();
	mogo_secret_init();
	mogo_lifetime_init();
	mogo_usage_init();
	mogo_usage_worker_init();
	mogo_redact_init();
	MarkGUCPrefixReserved("mogocred");

	if (process_shared_preload_libraries_in_progress)
	{
		prev_shmem_request = shmem_request_hook;
		shmem_request_hook = require_library_name;
	}
}
