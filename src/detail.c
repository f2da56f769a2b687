/*-------------------------------------------------------------------------
 *
 * detail.c
 *	  What the audit says about clients and secrets, as members of a JSON object.
 *
 * The audit alone has to answer which scopes and networks a client had on some day. So
 * the record of a client that was added, imported or removed has all its properties, and
 * that of a change the old and the new value of each property that changed. Nothing here
 * ever sees a secret, a hash or a salt.
 *
 * What is stored may be beyond the caps of validate.c: it may be from before there were
 * any, or the tables' owner may have written it. Such a value is recorded as null,
 * which no list and no metadata ever is: it could be too large to be printed, and a
 * caller that replaces it by a smaller one must not fail because of that.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/detoast.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* Appends scopes or networks as a JSON array, or null for more than a client may have. */
void
mogo_append_list(StringInfo out, Datum list)
{
	ArrayType  *array;
	text	   *json;

	if (toast_raw_datum_size(list) > MOGO_MAX_LIST * (MOGO_MAX_SCOPE + VARHDRSZ))
	{
		appendStringInfoString(out, "null");
		return;
	}
	array = DatumGetArrayTypeP(list);
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > MOGO_MAX_LIST)
	{
		appendStringInfoString(out, "null");
		return;
	}

	/*
	 * asking how an element is printed takes its time, and most lists are
	 * empty
	 */
	if (ARR_NDIM(array) == 0)
	{
		appendStringInfoString(out, "[]");
		return;
	}
	json = DatumGetTextPP(DirectFunctionCall1(array_to_json, PointerGetDatum(array)));
	appendBinaryStringInfo(out, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
}

/* Appends metadata, or null for more than a client may have. */
void
mogo_append_metadata(StringInfo out, Datum metadata)
{
	const char *json = mogo_metadata_text(metadata);

	appendStringInfoString(out, json != NULL ? json : "null");
}

/* Appends a client's properties as four members. external_id may be NULL. */
void
mogo_append_properties(StringInfo out, const text *external_id, Datum scopes,
					   Datum metadata, Datum allowed_cidrs)
{
	appendStringInfoString(out, "\"external_id\": ");
	mogo_append_text(out, external_id);
	appendStringInfoString(out, ", \"scopes\": ");
	mogo_append_list(out, scopes);
	appendStringInfoString(out, ", \"metadata\": ");
	mogo_append_metadata(out, metadata);
	appendStringInfoString(out, ", \"allowed_cidrs\": ");
	mogo_append_list(out, allowed_cidrs);
}

/* Appends what a new secret was given, as two members. label may be NULL. */
void
mogo_append_secret(StringInfo out, TimestampTz expires_at, const text *label)
{
	appendStringInfoString(out, "\"expires_at\": ");
	mogo_append_time(out, expires_at);
	appendStringInfoString(out, ", \"label\": ");
	mogo_append_text(out, label);
}
