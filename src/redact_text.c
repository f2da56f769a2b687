/*-------------------------------------------------------------------------
 *
 * redact_text.c
 *	  Whether a text that names functions of ours can hold a secret.
 *
 * The rules are those of redact_names.c: texts are read as they are, nothing
 * is allocated, and nothing fails.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

/*
 * No secret is this short: 16 characters is the least that a chosen one may
 * have. A bare word or a number as long as that may be one, typed without its
 * quotes.
 */
#define SECRET_LENGTH	16

/*
 * Whether a text that names functions of ours can hold no secret: it has no
 * literal, no comment, no sign that stands in a secret without its quotes, and
 * no word as long as a secret but our own names. Parameters ($1) are fine.
 */
static bool
is_harmless(const char *text, const char *end)
{
	const char *p = text;

	while (p < end)
	{
		const char *start = p;
		int			len;

		if (*p == '"')
		{
			for (start = ++p; p < end && *p != '"'; p++)
				;
			len = p - start;
			if (p == end || p[1] == '"')
				return false;
			p++;
		}
		else if (mogo_is_word((unsigned char) *p))
		{
			bool		number = !mogo_is_word_start((unsigned char) *p);

			for (; mogo_is_word((unsigned char) *p) || *p == '$'; p++)
				if (number && (*p < '0' || *p > '9'))
					return false;
			len = p - start;
		}
		else if (*p == '$')
		{
			for (p++; *p >= '0' && *p <= '9'; p++)
				;
			if (p == start + 1 || mogo_is_word((unsigned char) *p) || *p == '$')
				return false;	/* a dollar quote, not a parameter */
			continue;
		}
		else if (mogo_is_space((unsigned char) *p) || strchr("(),;.*=<>:[]+!|", *p))
		{
			p++;
			continue;
		}
		else
			return false;

		if (len >= SECRET_LENGTH)
		{
			int			name_len;

			if (mogo_function_at(start, &name_len) != 0 && name_len == len)
				continue;
			if (len == 16 && mogo_begins(start, "mogo_credentials"))
				continue;
			return false;
		}
	}
	return true;
}

/*
 * Whether an error context, of a record that concerns us, only says where the
 * error came up. Others quote parameters, rows, or queries with values.
 */
bool
mogo_context_is_harmless(const char *context)
{
	static const char *const places[] = {
		"PL/pgSQL function ", "SQL function \"", "while ", "parallel worker"
	};
	static const char *const queries[] = {
		"SQL statement \"", "SQL expression \"", "PL/pgSQL assignment \""
	};

	while (*context)
	{
		const char *end = NULL;

		for (int i = 0; i < lengthof(places) && end == NULL; i++)
			if (strncmp(context, places[i], strlen(places[i])) == 0)
				end = context + strcspn(context, "\n");
		for (int i = 0; i < lengthof(queries) && end == NULL; i++)
		{
			if (strncmp(context, queries[i], strlen(queries[i])) != 0)
				continue;
			context += strlen(queries[i]);
			for (end = context; *end; end++)
				if (end[0] == '"' && (end[1] == '\n' || end[1] == '\0'))
					break;
			if (*end == '\0' || !is_harmless(context, end))
				return false;
			end++;
		}
		if (end == NULL)
			return false;
		context = *end ? end + 1 : end;
	}
	return true;
}

/*
 * Judges the text of a statement; a mask that stands for a whole statement
 * (which a parallel worker is given) counts as naming what it names.
 */
MogoVerdict
mogo_judge_text(const char *text)
{
	MogoVerdict verdict = {0, true};
	const char *whole;

	if (text == NULL)
		return verdict;
	whole = mogo_skip_mask(text);
	if (whole != NULL && *whole == '\0')
	{
		verdict.names = mogo_names_in(text + 1);
		return verdict;
	}
	verdict.names = mogo_names_in(text);
	if (verdict.names != 0)
		verdict.harmless = is_harmless(text, text + strlen(text));
	return verdict;
}
