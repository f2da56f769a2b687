/*-------------------------------------------------------------------------
 *
 * mogocred.c
 *	  The library's entry point.
 *
 * It owns nothing: every module brings its own settings and hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "fmgr.h"
#include "utils/guc.h"

MOGO_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

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
	mogo_usage_init();
	mogo_usage_worker_init();
	mogo_redact_init();
	MarkGUCPrefixReserved("mogocred");
}
