/*-------------------------------------------------------------------------
 *
 * redact_scan.c
 *	  One pass over the quotes of a text of SQL: does it call a function of
 *	  ours that takes a secret, and where are its literals?
 *
 * This is not core's lexer. core_yylex() raises an error at the first thing that
 * it does not like and allocates as it goes, but we read texts that failed to
 * parse or were cut, in a hook that must do neither. Only quotes, comments and
 * names matter here, and their rules are few. Nothing in this file allocates,
 * fails, or needs a backend: test/fuzz builds it alone.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

/* Shorter values are not looked for in messages: no secret is as short. */
#define SHORTEST_VALUE 8

/*
 * The functions that take a secret or a code; and the type that holds one, which
 * counts without a parenthesis, too. To add a name, add it here:
 * test/t/redact_calls.pl compares this list with the catalog.
 */
#define TYPE_NAME "mogo_credentials"
static const char *const names[] = {
	"mogo_verify", "mogo_verify_digest", "mogo_verify_status",
	"mogo_authenticate", "mogo_authenticate_basic",
	"mogo_credentials_json", "mogo_registration_json",
	"mogo_import_client", "mogo_import_secret",
	"mogo_rehash_secret", "mogo_find_secret",
	"mogo_accept_invitation", "mogo_rotate_own_secret", TYPE_NAME
};

typedef struct Token
{
	char		kind;			/* w: word, ": name, ': literal, or itself */
	bool		dynamic;		/* a literal that may be code in a DO block */
	const char *start;
	const char *body;			/* a name, or what is in the quotes */
	size_t		len;			/* the body's */
} Token;

static bool
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80 ||
		(c >= '0' && c <= '9');
}

/* Compares with a lower-case word, without regard to case. */
static bool
same_word(const char *word, size_t len, const char *other)
{
	for (; len > 0 && *other != '\0'; len--, word++, other++)
		if ((*word >= 'A' && *word <= 'Z' ? *word - 'A' + 'a' : *word) != *other)
			return false;
	return len == 0 && *other == '\0';
}

/* Finds a word in the list of names; NULL if it is not there. */
static const char *
find_name(const char *word, size_t len)
{
	for (int i = 0; i < lengthof(names); i++)
		if (same_word(word, len, names[i]))
			return names[i];
	return NULL;
}

/*
 * Tells whether one of the names stands anywhere in a text, also in a string, in
 * a comment or behind a letter. This is all that is asked about most texts.
 */
bool
mogo_mentions(const char *sql, size_t len)
{
	const char *end = sql + len;
	const char *p = sql;

	while (p < end && (p = memchr(p, '_', end - p)) != NULL)
	{
		const char *start = p++ - 4;

		if (start < sql || !same_word(start, 5, "mogo_"))
			continue;
		while (p < end && is_word(*p))
			p++;
		if (find_name(start, p - start) != NULL)
			return true;
	}
	return false;
}

/* Tells whether two characters stand at s->p. */
static bool
at(const MogoScan *s, const char *two)
{
	return s->end - s->p >= 2 && memcmp(s->p, two, 2) == 0;
}

/* Skips white space and comments. In JSON the end of a line is \n. */
static void
skip_space(MogoScan *s)
{
	const char *start;
	int			depth = 0;

	for (start = s->p; s->p < s->end; start = s->p)
	{
		if (*s->p == ' ' || (*s->p >= '\t' && *s->p <= '\r'))
			s->p++;
		else if (at(s, "--"))
			while (s->p < s->end && *s->p != '\n' && *s->p != '\r' &&
				   !(s->wrapped && at(s, "\\n")))
				s->p++;
		else if (at(s, "/*"))
			do
			{
				bool		two = at(s, "/*") || at(s, "*/");

				depth += !two ? 0 : *s->p == '/' ? 1 : -1;
				s->p += two ? 2 : 1;
			} while (depth > 0 && s->p < s->end);
		else
			return;
		if (depth > 0)
			s->open = start;
	}
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
	s->open = t->start;
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
	size_t		tag;

	skip_space(s);
	if (s->p >= s->end)
	{
		if (s->body_len > 0 && s->open == NULL)
			s->open = s->body;
		return false;
	}
	memset(t, 0, sizeof(*t));
	t->kind = *s->p;
	t->dynamic = s->after_do == 1 || s->body_len > 0;
	t->start = t->body = s->p;
	/* In messages a name may follow on a quote like the first of »SELECT« */
	if (is_word(*s->p) && !(s->wrapped && IS_HIGHBIT_SET(*s->p)))
	{
		if (*s->p < '0' || *s->p > '9')
			t->kind = 'w';
		while (s->p < s->end && (is_word(*s->p) || (*s->p == '$' && t->kind == 'w')))
			s->p++;
		t->len = s->p - t->body;
		if (s->p < s->end && *s->p == '\'' && same_word(t->body, t->len, "e"))
		{
			t->kind = '\'';
			read_quoted(s, t, 1, true);
		}
	}
	else if (*s->p == '\'' || (*s->p == '"' && !s->wrapped))
	{
		if (s->values)
			t->kind = '\'';
		read_quoted(s, t, 1, s->backslashes && *s->p == '\'');
	}
	else if ((tag = dollar_tag(s)) == 0)
		s->p++;
	else if (tag == s->body_len && memcmp(s->p, s->body, tag) == 0)
	{
		s->p += tag;
		s->body_len = 0;
	}
	else if (s->after_do == 1 && s->body_len == 0)
	{
		s->body = s->p;
		s->p += s->body_len = tag;
	}
	else
	{
		t->kind = '\'';
		read_quoted(s, t, tag, false);
	}
	/* DO [LANGUAGE name] body */
	if (t->kind == 'w' && same_word(t->body, t->len, "do"))
		s->after_do = 1;
	else if (s->after_do == 1 && t->kind == 'w' && same_word(t->body, t->len, "language"))
		s->after_do = 2;
	else
		s->after_do = s->after_do == 2 ? 1 : 0;
	return true;
}

/*
 * Tells whether a text calls one of our functions: one of the names with a parenthesis
 * behind it, or EXECUTE of a prepared statement that does. Literals in a DO block may
 * be dynamic SQL, and the block may be one: a name in them counts.
 */
bool
mogo_calls(MogoScan s, MogoPrepared prepared)
{
	Token		t;
	Token		next;

	while (next_token(&s, &t))
	{
		MogoScan	ahead = s;
		const char *name = t.kind == 'w' || t.kind == '"' ? find_name(t.body, t.len) : NULL;

		if (t.kind == '\'' && t.dynamic && mogo_mentions(t.body, t.len))
			return true;
		if (name == NULL && !(prepared && t.kind == 'w' && same_word(t.body, t.len, "execute")))
			continue;
		if (name != NULL && strcmp(name, TYPE_NAME) == 0)
			return true;
		do
			if (!next_token(&ahead, &next))
				return false;
		while (s.wrapped && (next.kind == '"' || next.kind == '\\'));
		if (name != NULL ? next.kind == '(' : (next.kind == 'w' || next.kind == '"') &&
			prepared(next.body, next.len, next.kind == '"'))
			return true;
	}
	return false;
}

/* Tells whether a text ends in the middle of something: it was cut, or a quote is missing. */
bool
mogo_is_open(MogoScan s)
{
	Token		t;

	while (next_token(&s, &t))
		;
	return s.open != NULL;
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
	bool		open = mogo_is_open(s);
	const char *copied = s.p;
	Token		t;

	while (next_token(&s, &t))
	{
		if (t.kind != '\'')
			continue;
		out = append(out, copied, t.body - copied);
		out = append(out, MOGO_MASK, MOGO_MASK_LEN);
		if (open)
			return out;
		copied = t.body + t.len;
	}
	if (!open)
		return append(out, copied, s.end - copied);
	out = append(out, copied, s.open + 1 - copied);
	return append(out, MOGO_MASK, MOGO_MASK_LEN);
}

/*
 * Puts *** in the place of the values of a text's literals where they stand in a
 * message. A message too long to be searched for so many is replaced as a whole.
 */
void
mogo_hide(char *part, MogoScan s)
{
	int64		budget = 100 * 1000 * 1000;
	Token		t;

	while (next_token(&s, &t))
	{
		char	   *end = part + strlen(part);

		if (t.kind != '\'' || t.len < SHORTEST_VALUE || t.len > end - part)
			continue;
		if ((budget -= end - part) < 0)
			end = append(part, MOGO_MASK "", MOGO_MASK_LEN + 1) - 1;
		for (char *p = part; (p = memmem(p, end - p, t.body, t.len)) != NULL;)
		{
			p = append(p, MOGO_MASK, MOGO_MASK_LEN);
			end -= t.len - MOGO_MASK_LEN;
			memmove(p, p + t.len - MOGO_MASK_LEN, end - p + 1);
		}
	}
}
