/*-------------------------------------------------------------------------
 *
 * view.c
 *	  What the views show of a client's live secrets.
 *
 * The views call these functions once a row, because a subquery over the array would
 * cost more than the rest of a list of 100,000 clients. They are STABLE, although the
 * clock decides: PostgreSQL evaluates the columns of a view with a VOLATILE function
 * for every row, also if only the first page is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

/*
 * Reads those of the live secrets that have not expired from argument 0 into secrets.
 * Returns how many there are. Raises 42P16.
 */
static int
unexpired_secrets(FunctionCallInfo fcinfo, MogoLiveSecret *secrets)
{
	TimestampTz now = GetCurrentTimestamp();
	ArrayType  *live = PG_GETARG_ARRAYTYPE_P(0);
	FmgrInfo   *function = fcinfo->flinfo;
	int			left = 0;
	int			n;

	/* the type's owner can alter it; to look once a statement is enough */
	if (function->fn_extra == NULL)
		mogo_check_live_type(ARR_ELEMTYPE(live));
	function->fn_extra = function;
	n = mogo_live_secrets(live, secrets);
	for (int i = 0; i < n; i++)
	{
		if (secrets[i].expires_at > now)
			secrets[left++] = secrets[i];
	}
	return left;
}

PG_FUNCTION_INFO_V1(mogo_live_count);
PG_FUNCTION_INFO_V1(mogo_next_expiry);

/* mogo_live_count(live mogo_live_secret[]) returns integer */
Datum
mogo_live_count(PG_FUNCTION_ARGS)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT32(unexpired_secrets(fcinfo, secrets));
}

/* mogo_next_expiry(live mogo_live_secret[]) returns timestamptz: NULL for never */
Datum
mogo_next_expiry(PG_FUNCTION_ARGS)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	TimestampTz next = DT_NOEND;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	for (int i = unexpired_secrets(fcinfo, secrets) - 1; i >= 0; i--)
		next = Min(next, secrets[i].expires_at);
	if (next == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}
