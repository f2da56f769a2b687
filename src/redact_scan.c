/*-------------------------------------------------------------------------
 *
 * redact_scan.c
 *	  One pass over the quotes of a text of SQL: does it call one of our
 *	  functions that take a secret, and where are its literals?
 *
 * This is not core's lexer: core_yylex() allocates and raises errors, but we read
 * texts that failed to parse or were cut, in a hook that must do neither. Nothing
 * in this file allocates, fails, or needs a backend: test/fuzz builds it alone.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

/* What takes a secret, and the type that holds one. test/t/redact_calls.pl checks this. */
static const char *const names[] = {
	"mogo_verify", "mogo_verify_digest", "mogo_verify_status", "mogo_authenticate",
	"mogo_authenticate_basic", "mogo_credentials_json", "mogo_registration_json",
	"mogo_import_client", "mogo_import_secret", "mogo_rehash_secret", "mogo_find_secret",
	"mogo_accept_invitation", "mogo_rotate_own_secret", "mogo_credentials"
};

typedef struct Token
{
	char		kind;			/* w: word, ": name, ': literal, or itself */
	bool		dynamic;		/* a literal that may be code in a DO block */
	const char *body;			/* a name, or what is in the quotes */
	size_t		len;			/* the body's */
} Token;

#define is_word(c) ((c) == '_' || IS_HIGHBIT_SET(c) || isalnum((unsigned char) (c)))

/* Tells whether two characters stand where a pass is. */
#define at(s, two) ((s)->end - (s)->p >= 2 && memcmp((s)->p, two, 2) == 0)

/* Compares with a lower-case word, without regard to case. */
static bool
same_word(const char *word, size_t len, const char *other)
{
	return len == strlen(other) && pg_strncasecmp(word, other, len) == 0;
}

/* Tells whether a word is in the list of names. */
static bool
is_name(const char *word, size_t len)
{
	for (int i = 0; i < lengthof(names); i++)
		if (same_word(word, len, names[i]))
			return true;
	return false;
}

/* Tells whether a name stands anywhere, also in a string. Most texts are asked no more. */
bool
mogo_mentions(const char *sql, size_t len)
{
	const char *end = sql + len;

	for (const char *p = sql; (p = memchr(p, '_', end - p)) != NULL; p++)
	{
		const char *start = p - 4;

		if (p - sql < 4 || !same_word(start, 5, "mogo_"))
			continue;
		while (p + 1 < end && is_word(p[1]))
			p++;
		if (is_name(start, p + 1 - start))
			return true;
	}
	return false;
}

/* Skips white space and comments. In JSON the end of a line is \n. */
static void
skip_space(MogoScan *s)
{
	const char *comment = NULL;
	int			depth = 0;

	while (s->p < s->end)
	{
		if (at(s, "/*") || (depth > 0 && at(s, "*/")))
		{
			if (depth == 0)
				comment = s->p;
			depth += *s->p == '/' ? 1 : -1;
			s->p += 2;
		}
		else if (depth > 0 || *s->p == ' ' || (*s->p >= '\t' && *s->p <= '\r'))
			s->p++;
		else if (at(s, "--"))
			while (s->p < s->end && *s->p != '\n' && *s->p != '\r' &&
				   !(s->wrapped && at(s, "\\n")))
				s->p++;
		else
			return;
	}
	if (depth > 0)
		s->open = comment;
}

/*
 * Reads what is in quotes, to behind the last: a quote that is not doubled, or the
 * tag of dollar quotes.
 */
static void
read_quoted(MogoScan *s, Token *t, size_t quote_len, bool backslashes)
{
	const char *quote = s->p;

	for (t->body = s->p += quote_len; s->p < s->end; s->p++)
	{
		if (backslashes && *s->p == '\\')
			s->p += s->p + 1 < s->end;
		else if (s->end - s->p >= quote_len && memcmp(s->p, quote, quote_len) == 0)
		{
			t->len = s->p - t->body;
			s->p += quote_len;
			if (quote_len > 1 || s->p == s->end || *s->p != *quote)
				return;
		}
	}
	t->len = s->p - t->body;
	s->open = quote;
}

/* Measures the tag of dollar quotes at s->p; 0 if there is none. */
static size_t
dollar_tag(const MogoScan *s)
{
	const char *p = s->p + 1;

	if (*s->p != '$' || (p < s->end && *p >= '0' && *p <= '9'))
		return 0;
	while (p < s->end && is_word(*p))
		p++;
	return p < s->end && *p == '$' ? p + 1 - s->p : 0;
}

/* Reads the next token. Returns false at the end, where s->open tells what was open. */
static bool
next_token(MogoScan *s, Token *t)
{
	bool		escapes;
	size_t		quote_len;

	skip_space(s);
	if (s->p >= s->end)
		return false;
	t->kind = *s->p;
	t->dynamic = s->after_do == 1 || s->body_len > 0;
	t->body = s->p;
	t->len = 0;
	escapes = at(s, "e'") || at(s, "E'");
	s->p += escapes;
	escapes |= s->escapes && *s->p == '\''; /* E'' goes on behind a line's end */
	quote_len = *s->p == '\'' || (*s->p == '"' && !s->wrapped) ? 1 : dollar_tag(s);
	/* In messages a name may follow on a quote like the first of »SELECT« */
	if (is_word(*s->p) && !(s->wrapped && IS_HIGHBIT_SET(*s->p)))
	{
		if (!isdigit((unsigned char) *s->p))
			t->kind = 'w';
		while (s->p < s->end && (is_word(*s->p) || (*s->p == '$' && t->kind == 'w')))
			s->p++;
		t->len = s->p - t->body;
	}
	else if (quote_len == 0)
		s->p++;
	else if (*s->p == '$' && (s->body_len == 0 ? s->after_do == 1 :
							  quote_len == s->body_len && memcmp(s->p, s->open, quote_len) == 0))
	{
		s->open = s->body_len == 0 ? s->p : NULL;
		s->body_len = s->open ? quote_len : 0;
		s->p += quote_len;
	}
	else
	{
		t->kind = *s->p == '"' ? '"' : '\'';
		read_quoted(s, t, quote_len, escapes || (s->backslashes && *s->p == '\''));
	}
	/* DO [LANGUAGE name] body */
	if (t->kind == 'w' && same_word(t->body, t->len, s->after_do == 1 ? "language" : "do"))
		s->after_do = s->after_do == 1 ? 2 : 1;
	else
		s->after_do /= 2;
	s->escapes = escapes;
	return true;
}

/*
 * Tells whether a text calls one of our functions: one of the names with a parenthesis
 * behind it, or EXECUTE of a prepared statement that does. Literals in a DO block may
 * be dynamic SQL, and the block may be one: a name in them counts.
 */
bool
mogo_calls(MogoScan s, bool (*prepared) (const char *name, size_t len, bool quoted))
{
	bool		name = false;
	bool		execute = false;
	Token		t;

	while (next_token(&s, &t))
	{
		bool		word = t.kind == 'w' || t.kind == '"';

		if (s.wrapped && (t.kind == '"' || t.kind == '\\'))
			continue;
		if ((name && t.kind == '(') || (word && same_word(t.body, t.len, "mogo_credentials")) ||
			(execute && word && prepared(t.body, t.len, t.kind == '"')) ||
			(t.kind == '\'' && t.dynamic && mogo_mentions(t.body, t.len)))
			return true;
		name = word && is_name(t.body, t.len);
		execute = prepared && t.kind == 'w' && same_word(t.body, t.len, "execute");
	}
	return false;
}

/* Appends to a copy. Returns its end. */
static char *
append(char *out, const char *from, size_t len)
{
	memcpy(out, from, len);
	return out + len;
}

/*
 * Copies a text with *** in the place of what its literals hold. Returns the copy's
 * end. In a text that is open nobody knows what is a literal: *** is all from the first.
 */
char *
mogo_redact(char *out, MogoScan s)
{
	const char *copied = s.p;
	char	   *first = NULL;
	Token		t;

	while (next_token(&s, &t))
	{
		if (t.kind != '\'')
			continue;
		out = append(out, copied, t.body - copied);
		out = append(out, MOGO_MASK, MOGO_MASK_LEN);
		first = first ? first : out;
		copied = t.body + t.len;
	}
	if (s.open == NULL)
		return append(out, copied, s.end - copied);
	return first ? first :
		append(append(out, copied, s.open + 1 - copied), MOGO_MASK, MOGO_MASK_LEN);
}

/*
 * Puts *** in the place of the values of a text's literals where they stand in a
 * message. A message too long to be searched for so many is replaced as a whole.
 * Tells whether the text ends in the middle of something.
 */
bool
mogo_hide(char *part, MogoScan s)
{
	int64		budget = 100 * 1000 * 1000;
	Token		t;

	while (next_token(&s, &t))
	{
		if (t.kind != '\'' || t.len < 8)	/* no secret is as short */
			continue;
		if ((budget -= strlen(part)) < 0)
			strlcpy(part, MOGO_MASK, strlen(part) + 1);
		for (char *p = part; (p = memmem(p, strlen(p), t.body, t.len)) != NULL;)
		{
			p = append(p, MOGO_MASK, MOGO_MASK_LEN);
			memmove(p, p + t.len - MOGO_MASK_LEN, strlen(p + t.len - MOGO_MASK_LEN) + 1);
		}
	}
	return s.open != NULL;
}
