/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  What an administrator may pass: names, ids, scopes, metadata, networks, expiries.
 *
 * The functions mogo_check_* return, or raise an error before anything was written:
 * 22023 for an unusable value, 22004 for a null, 54000 for a value over a cap. The caps
 * keep every client's row small enough to be read by a check and to be dumped by
 * pg_dump. None of these functions ever sees a secret.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#define MAX_LINE_CHARS		255
#define MAX_METADATA		(16 * 1024) /* bytes as text */
#define MAX_SPAN_DAYS		365000	/* a thousand years: any date in it exists */

/* As jsonb an object takes at most so many times the bytes of its text. */
#define JSONB_GROWTH		16

/* Returns whether this is a C0 or C1 control character, or DEL. */
static bool
is_control(pg_wchar c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

/* Returns whether this has Unicode's White_Space property; controls aside. */
static bool
is_white_space(pg_wchar c)
{
	return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x202F || c == 0x205F || c == 0x3000;
}

/* U+200C and U+200D, which some scripts and emoji need between two characters */
static bool
is_joiner(pg_wchar c)
{
	return c == 0x200C || c == 0x200D;
}

/*
 * Returns whether nothing is shown for this character: Unicode's format characters
 * (category Cf, which turn the direction of text around too), line and paragraph
 * separators, and the blank letters of Braille and Hangul. Joiners are the caller's.
 */
static bool
is_invisible(pg_wchar c)
{
	static const struct
	{
		pg_wchar	first;
		pg_wchar	last;
	}			ranges[] =
	{
		{0x00AD, 0x00AD}, {0x0600, 0x0605}, {0x061C, 0x061C}, {0x06DD, 0x06DD},
		{0x070F, 0x070F}, {0x0890, 0x0891}, {0x08E2, 0x08E2}, {0x115F, 0x1160},
		{0x180E, 0x180E}, {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},
		{0x2060, 0x206F}, {0x2800, 0x2800}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF},
		{0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
		{0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0001, 0xE007F}
	};

	for (int i = 0; i < lengthof(ranges); i++)
	{
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Raises 22023 for character number n (from 1) of a line. */
static void
bad_character(const char *what, const char *kind, int n, pg_wchar c)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s contains %s", what, kind),
			 errdetail("Character number %d is U+%04X.", n, c)));
}

/*
 * Reads a text as at most MAX_LINE_CHARS Unicode characters, and returns their number.
 * Raises 22023 for a longer text and for one that is not valid.
 */
static int
read_line(const text *value, const char *what, pg_wchar *characters)
{
	unsigned char utf8[MAX_LINE_CHARS * 4];
	size_t		len;
	int			n = 0;

	if (!mogo_to_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
					  (char *) utf8, sizeof(utf8), &len))
	{
		/* so many characters would fit, so one of them has no equivalent */
		if (pg_mbstrlen_with_len(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) <= MAX_LINE_CHARS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s cannot be expressed in UTF-8", what)));
		n = MAX_LINE_CHARS + 1;
	}
	else if (!mogo_valid_utf8((char *) utf8, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not valid UTF-8", what),
				 errdetail("The encoding of this database is SQL_ASCII, which stores bytes as they come.")));

	for (size_t i = 0; n <= MAX_LINE_CHARS && i < len; i += pg_utf_mblen(utf8 + i))
	{
		if (n < MAX_LINE_CHARS)
			characters[n] = utf8_to_unicode(utf8 + i);
		n++;
	}
	if (n > MAX_LINE_CHARS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too long", what),
				 errdetail("At most %d characters are possible.", MAX_LINE_CHARS)));
	return n;
}

/*
 * Checks a text that a list shows on one line: 1 to 255 characters, no white space at
 * either end, no control characters and nothing invisible, so that the list shows what
 * was typed. Raises 22023.
 */
static void
check_line(const text *value, const char *what)
{
	pg_wchar	c[MAX_LINE_CHARS];
	int			n = read_line(value, what, c);

	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", what)));
	for (int i = 0; i < n; i++)
	{
		if (is_control(c[i]))
			bad_character(what, "a control character", i + 1, c[i]);
		if (is_invisible(c[i]))
			bad_character(what, "an invisible character", i + 1, c[i]);
		if (is_white_space(c[i]) && (i == 0 || i == n - 1))
			bad_character(what, "white space at an end", i + 1, c[i]);
		if (is_joiner(c[i]) &&
			(i == 0 || i == n - 1 || is_joiner(c[i - 1]) ||
			 is_white_space(c[i - 1]) || is_white_space(c[i + 1])))
			bad_character(what, "an invisible character", i + 1, c[i]);
	}
}

/* Checks a client's name. Raises 22023. */
void
mogo_check_name(const text *name)
{
	check_line(name, "client name");
}

/* Checks the label of a secret, as names are. Raises 22023. */
void
mogo_check_label(const text *label)
{
	check_line(label, "label");
}

/*
 * Checks an external id: 1 to 255 of the characters that RFC 6749 (appendix A.1) allows
 * in a client id, and not readable as a UUID, because then it would be taken for a
 * client id. Raises 22023.
 */
void
mogo_check_external_id(const text *external_id)
{
	const char *id = VARDATA_ANY(external_id);
	size_t		len = VARSIZE_ANY_EXHDR(external_id);
	pg_uuid_t	uuid;

	if (len < 1 || len > MOGO_MAX_EXTERNAL_ID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("external id must have 1 to %d characters", MOGO_MAX_EXTERNAL_ID)));
	for (size_t i = 0; i < len; i++)
	{
		if (id[i] < 0x20 || id[i] > 0x7E)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("external id contains a character that is not printable ASCII"),
					 errdetail("It is byte number %d.", (int) i + 1)));
	}
	if (mogo_parse_uuid(id, len, &uuid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("external id must not be a UUID"),
				 errhint("Only mogo_import_client can give a client a UUID that another system made, as its client id.")));
}

/* Raises 54000 if a list has more elements than a client may have of them. */
static void
check_count(const char *what, int n, int max)
{
	if (n > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many %s", what),
				 errdetail("A client has at most %d.", max)));
}

/* Compares two texts bytewise, for qsort. */
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
 * Checks a list of scope tokens (RFC 6749 section 3.3): printable ASCII but space, '"'
 * and '\'; none empty, none null, none twice, and at most 256, each of at most 255
 * characters. Raises 22023, 22004 and 54000.
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
	check_count("scopes", ArrayGetNItems(ARR_NDIM(scopes), ARR_DIMS(scopes)), MOGO_MAX_LIST);

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
		if (VARSIZE_ANY_EXHDR(scope) > MOGO_MAX_SCOPE)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("scope number %d is too long", i + 1),
					 errdetail("At most %d characters are possible.", MOGO_MAX_SCOPE)));
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

/*
 * Returns whether metadata is so large that its text must be beyond the cap. Nobody may
 * have us print a hundred megabytes to count them: neither a large value nor a small one
 * with numbers like 1e131000, whose digits are all printed.
 */
static bool
is_huge(Datum metadata)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	size_t		digits = 0;

	if (toast_raw_datum_size(metadata) > MAX_METADATA * JSONB_GROWTH)
		return true;
	iterator = JsonbIteratorInit(&DatumGetJsonbP(metadata)->root);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		char	   *number;

		if ((token != WJB_VALUE && token != WJB_ELEM) || value.type != jbvNumeric)
			continue;
		number = DatumGetCString(DirectFunctionCall1(numeric_out,
													 NumericGetDatum(value.val.numeric)));
		digits += strlen(number);
		pfree(number);
		if (digits > MAX_METADATA)
			return true;
	}
	return false;
}

/* Prints metadata that is not huge. Returns NULL if the text is longer than the cap. */
static const char *
print_metadata(Jsonb *jsonb)
{
	StringInfoData out;

	if (JB_ROOT_IS_OBJECT(jsonb) && JB_ROOT_COUNT(jsonb) == 0)
		return "{}";
	initStringInfo(&out);
	(void) JsonbToCString(&out, &jsonb->root, VARSIZE(jsonb));
	return out.len > MAX_METADATA ? NULL : out.data;
}

/* Returns metadata as text, or NULL if that is longer than the cap. */
const char *
mogo_metadata_text(Datum metadata)
{
	return is_huge(metadata) ? NULL : print_metadata(DatumGetJsonbP(metadata));
}

/*
 * Checks metadata: a JSON object, so that every reader can rely on its members, of at
 * most 16 kB as text. Raises 22023 and 54000.
 */
void
mogo_check_metadata(Datum metadata)
{
	bool		too_long = is_huge(metadata);
	Jsonb	   *jsonb;

	if (!too_long)
	{
		jsonb = DatumGetJsonbP(metadata);
		if (!JB_ROOT_IS_OBJECT(jsonb))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("metadata must be a JSON object")));
		too_long = print_metadata(jsonb) == NULL;
	}
	if (too_long)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("metadata is too long"),
				 errdetail("At most %d bytes as text are possible.", MAX_METADATA)));
}

/*
 * Checks a list of networks: one-dimensional, none null, and at most 256. Raises 22023,
 * 22004 and 54000.
 */
void
mogo_check_cidrs(ArrayType *cidrs)
{
	if (ARR_NDIM(cidrs) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("allowed_cidrs must be a one-dimensional array")));
	check_count("networks in allowed_cidrs",
				ArrayGetNItems(ARR_NDIM(cidrs), ARR_DIMS(cidrs)), MOGO_MAX_LIST);
	if (array_contains_nulls(cidrs))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("allowed_cidrs must not contain nulls")));
}

/* Raises 22023 for an infinite expiry. */
void
mogo_check_finite(TimestampTz expires_at)
{
	if (TIMESTAMP_NOT_FINITE(expires_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry must be finite"),
				 errhint("Pass NULL for a secret with no expiry of its own.")));
}

/* Checks an expiry: a moment in the future. Raises 22023. */
void
mogo_check_expiry(TimestampTz expires_at, TimestampTz now)
{
	mogo_check_finite(expires_at);
	if (expires_at <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry must be in the future")));
}

/*
 * Returns now plus (sign 1) or minus (sign -1) an interval, in PostgreSQL's calendar.
 * Raises 22023 unless it is zero or more and at most a thousand years.
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

	/*
	 * its parts are added one by one: none may lead out of the calendar on
	 * the way
	 */
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

/* Raises 22004 if an argument that needs a value is NULL. */
void
mogo_require(FunctionCallInfo fcinfo, int argno, const char *argname)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", argname)));
}
