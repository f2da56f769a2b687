/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Encodings, texts and ids as JSON strings, and wiping copies.
 *
 * Nothing here reads a table or keeps state. A function that makes a copy of what
 * may be a secret wipes that copy itself, or says that its caller has to.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <uuid/uuid.h>

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"

/*
 * Writes a string of the server's encoding as UTF-8 into a buffer of outsize bytes,
 * without a terminating NUL. Returns false if it is longer or has no equivalent;
 * unlike pg_server_to_any it raises no error then. In an SQL_ASCII database the bytes
 * stay as they are.
 */
bool
mogo_to_utf8(const char *str, size_t len, char *out, size_t outsize, size_t *outlen)
{
	int			encoding = GetDatabaseEncoding();
	Oid			proc;
	bool		as_is = encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
	unsigned char *buffer;
	int			done;

	if (!as_is)
	{
		/* ASCII is the same everywhere */
		as_is = true;
		for (size_t i = 0; as_is && i < len; i++)
			as_is = !IS_HIGHBIT_SET(str[i]);
	}
	if (as_is)
	{
		if (len > outsize)
			return false;
		memcpy(out, str, len);
		*outlen = len;
		return true;
	}

	/* no character gets longer than by this factor; more would not fit anyway */
	if (len > outsize * MAX_CONVERSION_GROWTH)
		return false;
	proc = FindDefaultConversionProc(encoding, PG_UTF8);
	if (!OidIsValid(proc))
		return false;
	buffer = palloc(len * MAX_CONVERSION_GROWTH + 1);
	done = pg_do_encoding_conversion_buf(proc, encoding, PG_UTF8,
										 unconstify(unsigned char *, (const unsigned char *) str),
										 len, buffer,
										 len * MAX_CONVERSION_GROWTH + 1, true);
	*outlen = strlen((char *) buffer);
	if (done == len && *outlen <= outsize)
		memcpy(out, buffer, *outlen);
	else
		done = -1;
	explicit_bzero(buffer, len * MAX_CONVERSION_GROWTH + 1);
	pfree(buffer);
	return done == len;
}

/* Returns whether this is UTF-8 with no NUL in it. */
bool
mogo_valid_utf8(const char *str, size_t len)
{
	return pg_encoding_verifymbstr(PG_UTF8, str, len) == len;
}

/* Returns a UUID in its usual form, in palloc'd memory. */
char *
mogo_uuid_text(const pg_uuid_t *uuid)
{
	char	   *result = palloc(UUID_STR_LEN);

	uuid_unparse_lower(uuid->data, result);
	return result;
}

/* Appends a UUID as a JSON string, or null for NULL. */
void
mogo_append_uuid(StringInfo out, const pg_uuid_t *uuid)
{
	char		str[UUID_STR_LEN];

	if (uuid == NULL)
		appendStringInfoString(out, "null");
	else
	{
		uuid_unparse_lower(uuid->data, str);
		appendStringInfoChar(out, '"');
		appendStringInfoString(out, str);
		appendStringInfoChar(out, '"');
	}
}

/* Appends a text as a JSON string, by way of a copy that we wipe, or null for NULL. */
void
mogo_append_text(StringInfo out, const text *value)
{
	char	   *copy;

	if (value == NULL)
	{
		appendStringInfoString(out, "null");
		return;
	}
	copy = text_to_cstring(value);
	escape_json(out, copy);
	explicit_bzero(copy, strlen(copy));
	pfree(copy);
}

/*
 * Appends a moment as a JSON string that PostgreSQL reads in any session, or null for
 * infinity.
 */
void
mogo_append_time(StringInfo out, TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		appendStringInfoString(out, "null");
	else
		appendStringInfo(out, "\"%s\"", timestamptz_to_str(at));
}

/*
 * Wipes an argument that holds a secret, if fetching it made a copy (because it was
 * compressed or out of line). The original is the caller's.
 */
void
mogo_wipe_copy(struct varlena *value, Datum original)
{
	if ((Pointer) value != DatumGetPointer(original))
		explicit_bzero(value, VARSIZE_ANY(value));
}
