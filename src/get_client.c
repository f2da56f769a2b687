/*-------------------------------------------------------------------------
 *
 * get_client.c
 *	  A client without its secret: mogo_get_client.
 *
 * For services that introspect tokens, and for those that check signed assertions
 * (private_key_jwt) against keys in the client's metadata. It reads the row as a check
 * does (lookup.c): what is committed now, on a standby too, writing and counting nothing;
 * and it raises no error for an id that a network sends.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "funcapi.h"

/* The columns of its row, in SQL's order */
static const int columns[] = {
	Anum_mogo_client_client_id, Anum_mogo_client_client_name, Anum_mogo_client_scopes,
	Anum_mogo_client_metadata, Anum_mogo_client_external_id, Anum_mogo_client_enabled,
	Anum_mogo_client_allowed_cidrs
};

/*
 * Makes the row of the client whose id is in argument 0. arg is what reads the id. The
 * values are copied before the lookup ends.
 */
static Datum
get_client(FunctionCallInfo fcinfo, const void *arg)
{
	const MogoReadArgument *read_id = arg;
	MogoPresented presented;
	MogoLookup	lookup;
	Datum		values[lengthof(columns)];
	bool		nulls[lengthof(columns)];
	TupleDesc	desc = mogo_row_type(fcinfo, lengthof(columns));
	Datum		row = (Datum) 0;

	mogo_present_nothing(&presented);
	(*read_id) (fcinfo, 0, &presented);
	if (!presented.has_id)
		return row;
	mogo_lookup_begin(&lookup, fcinfo->flinfo->fn_oid, &presented);
	if (lookup.found)
	{
		for (int i = 0; i < lengthof(columns); i++)
			values[i] = mogo_lookup_column(&lookup, columns[i], &nulls[i]);
		row = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	mogo_lookup_end(&lookup);
	return row;
}

PG_FUNCTION_INFO_V1(mogo_get_client_uuid);
PG_FUNCTION_INFO_V1(mogo_get_client_text);

/* mogo_get_client(client_id uuid) returns at most one row */
Datum
mogo_get_client_uuid(PG_FUNCTION_ARGS)
{
	static const MogoReadArgument read_id = mogo_present_uuid;

	return mogo_one_row(fcinfo, get_client, &read_id);
}

/* mogo_get_client(client_id text) returns at most one row */
Datum
mogo_get_client_text(PG_FUNCTION_ARGS)
{
	static const MogoReadArgument read_id = mogo_present_id;

	return mogo_one_row(fcinfo, get_client, &read_id);
}
