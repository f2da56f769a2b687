/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  What an administrator may pass: names, scopes, metadata, expiries.
 *
 * The functions mogo_check_* return, or raise 22023 (22004 for a NULL) before
 * anything was written. None of them ever sees a secret.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#define MAX_NAME_CHARS	255
#define MAX_SPAN_DAYS	365000	/* a thousand years: any date in it can be had */

/*
 * Text in the server's encoding as UTF-8, in a buffer of outsize bytes, without
 * a terminating NUL. Returns false where it is longer or cannot be expressed;
 * unlike pg_server_to_any it raises no error for that. In an SQL_ASCII database
 * the bytes stay as they are.
 */
bool
mogo_to_utf8(const char *text, size_t len, char *out, size_t outsize, size_t *outlen)
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
			as_is = !IS_HIGHBIT_SET(text[i]);
	}
	if (as_is)
	{
		if (len > outsize)
			return false;
		memcpy(out, text, len);
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
										 unconstify(unsigned char *, (const unsigned char *) text),
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

/* Is this UTF-8, with no NUL in it? */
bool
mogo_valid_utf8(const char *text, size_t len)
{
	return pg_encoding_verifymbstr(PG_UTF8, text, len) == len;
}

/* C0, DEL and C1 controls, and what turns the direction of text around. */
static bool
is_forbidden(pg_wchar c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) ||
		(c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* Unicode's White_Space property, less the controls above. */
static bool
is_white_space(pg_wchar c)
{
	return c == 0x20 || c == 0xA0 || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
		c == 0x202F || c == 0x205F || c == 0x3000;
}

/*
 * A client's name: 1 to 255 characters, not only white space, no control and no
 * bidirectional control characters, so that a list shows what was typed.
 */
void
mogo_check_name(text *name)
{
	unsigned char utf8[MAX_NAME_CHARS * 4];
	size_t		len;
	int			nchars = 0;
	bool		blank = true;

	if (!mogo_to_utf8(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
					  (char *) utf8, sizeof(utf8), &len))
	{
		/* so many characters would fit, so one of them has no equivalent */
		if (pg_mbstrlen_with_len(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) <= MAX_NAME_CHARS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("client name cannot be expressed in UTF-8")));
		nchars = MAX_NAME_CHARS + 1;
	}
	else if (!mogo_valid_utf8((char *) utf8, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client name is not valid UTF-8"),
				 errdetail("This database's encoding is SQL_ASCII, which stores bytes as they come.")));

	for (size_t i = 0; nchars <= MAX_NAME_CHARS && i < len; i += pg_utf_mblen(utf8 + i))
	{
		pg_wchar	c = utf8_to_unicode(utf8 + i);

		if (is_forbidden(c))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("client name contains a control character"),
					 errdetail("Character number %d is U+%04X.", nchars + 1, c)));
		if (!is_white_space(c))
			blank = false;
		nchars++;
	}
	if (nchars > MAX_NAME_CHARS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client name is too long"),
				 errdetail("A client name has at most %d characters.", MAX_NAME_CHARS)));
	if (blank)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client name must not be empty or only white space")));
}

/* qsort comparator for texts, bytewise. */
static int
compare_texts(const void *a, const void *b)
{
	const text *x = *(text *const *) a;
	const text *y = *(text *const *) b;
	size_t		xlen = VARSIZE_ANY_EXHDR(x);
	size_t		ylen = VARSIZE_ANY_EXHDR(y);
	int			difference = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(xlen, ylen));

	return difference != 0 ? difference : (xlen > ylen) - (xlen < ylen);
}

/*
 * A list of scope tokens (RFC 6749 section 3.3): printable ASCII but space, '"'
 * and '\'; none empty, none NULL, none twice.
 */
void
mogo_check_scopes(ArrayType *scopes)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(scopes) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scopes must be a one-dimensional array")));

	deconstruct_array(scopes, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		text	   *scope;
		bool		bad;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("scope must not be null")));
		scope = DatumGetTextPP(elements[i]);
		elements[i] = PointerGetDatum(scope);
		bad = VARSIZE_ANY_EXHDR(scope) == 0;
		for (size_t j = 0; !bad && j < VARSIZE_ANY_EXHDR(scope); j++)
		{
			char		c = VARDATA_ANY(scope)[j];

			bad = c < 0x21 || c > 0x7E || c == '"' || c == '\\';
		}
		if (bad)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scope number %d is not a valid scope token", i + 1),
					 errdetail("A scope token is printable ASCII without space, \" and \\ (RFC 6749, section 3.3).")));
	}
	qsort(elements, n, sizeof(Datum), compare_texts);
	for (int i = 1; i < n; i++)
	{
		if (compare_texts(&elements[i - 1], &elements[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scope \"%s\" is listed twice",
							TextDatumGetCString(elements[i]))));
	}
}

/* Metadata is a JSON object, so that every reader can rely on its members. */
void
mogo_check_metadata(Datum metadata)
{
	Jsonb	   *jsonb = DatumGetJsonbP(metadata);

	if (!JB_ROOT_IS_OBJECT(jsonb))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metadata must be a JSON object")));
}

/* An expiry is a moment in the future. */
void
mogo_check_expiry(TimestampTz expires_at, TimestampTz now)
{
	if (TIMESTAMP_NOT_FINITE(expires_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry must be finite"),
				 errhint("Pass NULL for a secret that does not expire.")));
	if (expires_at <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry must be in the future")));
}

/*
 * now plus (sign 1) or minus (sign -1) an interval that must be zero or more and
 * at most a thousand years, as PostgreSQL's own calendar has it.
 */
TimestampTz
mogo_add_interval(const char *argname, Interval *span, TimestampTz now, int sign)
{
	Interval	limit = {0, MAX_SPAN_DAYS, 0};
	Interval	zero = {0, 0, 0};
	Datum		result;

	if (DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(span),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", argname)));
	/* its parts are added one by one: none may lead out of the calendar on the way */
	if (DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(span),
										 IntervalPGetDatum(&limit))) ||
		span->month > MAX_SPAN_DAYS / 30 || span->month < -MAX_SPAN_DAYS / 30 ||
		span->day > 2 * MAX_SPAN_DAYS || span->day < -2 * MAX_SPAN_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not exceed %d days", argname, MAX_SPAN_DAYS)));
	result = DirectFunctionCall2(sign > 0 ? timestamptz_pl_interval : timestamptz_mi_interval,
								 TimestampTzGetDatum(now), IntervalPGetDatum(span));
	/* '1 month -29 days' is more than zero to compare, and less in February */
	if (sign * (DatumGetTimestampTz(result) - now) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", argname)));
	return DatumGetTimestampTz(result);
}

/* Raises 22004 where an argument that needs a value is NULL. */
void
mogo_require(FunctionCallInfo fcinfo, int argno, const char *argname)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", argname)));
}
