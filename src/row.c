/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Functions that return one row or none.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "funcapi.h"

/*
 * Returns one row, or none, from a function that is declared to return a set. make is
 * called in the memory context that lives as long as the call, and returns 0 for none.
 */
Datum
mogo_one_row(FunctionCallInfo fcinfo, MogoMakeRow make, const void *arg)
{
	FuncCallContext *funcctx;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext oldcontext;

		funcctx = SRF_FIRSTCALL_INIT();
		oldcontext = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		funcctx->user_fctx = DatumGetPointer(make(fcinfo, arg));
		MemoryContextSwitchTo(oldcontext);
	}

	funcctx = SRF_PERCALL_SETUP();
	if (funcctx->user_fctx != NULL)
	{
		Datum		result = PointerGetDatum(funcctx->user_fctx);

		funcctx->user_fctx = NULL;
		SRF_RETURN_NEXT(funcctx, result);
	}
	SRF_RETURN_DONE(funcctx);
}

/*
 * Returns the shape of the row that the function in fcinfo returns. Call it before the
 * arguments are read: the function may have been declared by another version's script,
 * with fewer of them. Raises XX000 if it was not declared with so many columns.
 */
TupleDesc
mogo_row_type(FunctionCallInfo fcinfo, int ncolumns)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != ncolumns)
		elog(ERROR, "unexpected result type");
	return BlessTupleDesc(desc);
}
