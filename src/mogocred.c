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

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/*
 * Called once by each process that loads the library, or once by the
 * postmaster where shared_preload_libraries names it.
 */
void
_PG_init(void)
{
	mogo_redact_init();
	MarkGUCPrefixReserved("mogocred");
}
