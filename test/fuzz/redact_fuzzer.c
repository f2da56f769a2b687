/*-------------------------------------------------------------------------
 *
 * redact_fuzzer.c
 *	  libFuzzer harness for src/redact_scan.c, which reads the texts of
 *	  statements to find calls and literals.
 *
 * Each input is used twice. As a text, it must not crash the scanner, a redacted
 * copy must fit its room, and redacting it again must change nothing. As a recipe,
 * it says which pieces a statement is made of: then it is known what calls us and
 * what is a literal, and no literal of a call may survive.
 *
 * Run by "make check-fuzz"; see test/deep/run.sh.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <assert.h>
#include <unistd.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "sEcReT-0123456789"

/* A prepared statement calls us if its name begins with p. */
static bool
prepared(const char *name, size_t len, bool quoted)
{
	return len > 0 && *name == 'p';
}

static MogoScan
scan(const char *text, size_t len, unsigned flags)
{
	return (MogoScan) {text, text + len, (flags & 1) != 0, (flags & 2) != 0};
}

/* Redacts a text of exactly that room. Returns the copy's length. */
static size_t
redact(char **copy, const char *text, size_t len, unsigned flags)
{
	char	   *end;

	*copy = malloc(MOGO_ROOM(len));
	end = mogo_redact(*copy, scan(text, len, flags));
	assert(end - *copy <= MOGO_ROOM(len) - 1);
	return end - *copy;
}

/* Any text. */
static void
fuzz_text(const char *text, size_t len, unsigned flags)
{
	char	   *once;
	char	   *twice;
	char	   *part = malloc(2 * len + 1);
	size_t		once_len = redact(&once, text, len, flags);
	size_t		twice_len = redact(&twice, once, once_len, flags);

	assert(once_len == twice_len && memcmp(once, twice, once_len) == 0);
	if (mogo_calls(scan(text, len, flags), NULL))
		assert(mogo_mentions(text, len));
	(void) mogo_calls(scan(text, len, flags), prepared);

	/* A message that has the text in it twice; messages hold no NUL. */
	memcpy(part, text, len);
	memcpy(part + len, text, len);
	for (size_t i = 0; i < 2 * len; i++)
		part[i] = part[i] ? part[i] : ' ';
	part[2 * len] = '\0';
	mogo_hide(part, scan(text, len, flags));
	assert(strlen(part) <= 2 * len);
	free(part);
	free(once);
	free(twice);
}

/* The pieces of statements: what makes a call, what is a literal, and the rest. */
static const struct
{
	const char *text;
	bool		call;
	bool		literal;
}			pieces[] =
{
	{"select "}, {", "}, {" from t where "}, {") "}, {";"}, {" 12.5 "}, {" $1 "}, {"\n"}, {" a$b "},
	{" -- it's mogo_verify('\n"}, {" /* don't /* ' */ mogo_verify( */ "}, {" \"o'brien\" "},
	{" \"a\"\"'b\" "}, {" mogo_verify "}, {" \"MOGO_VERIFY\"(", true}, {" mogo_verifyx("}, {" xmogo_verify("},
	{" '" SECRET "' ", false, true}, {" 'it''s " SECRET "''' ", false, true},
	{" e'\\'" SECRET "\\\\' ", false, true}, {" E'''" SECRET "' ", false, true},
	{" $$ ' " SECRET " $x$ \" $$ ", false, true}, {" $x$ $$ " SECRET " $x$ ", false, true},
	{" U&'" SECRET "' ", false, true}, {" ' mogo_verify(" SECRET "' ", false, true},
	{" mogo_verify(", true}, {" MOGO_verify /* ' */ (", true}, {" \"mogo_verify\" -- '\n (", true},
	{" a.mogo_find_secret(", true}, {" ::mogo_credentials ", true}, {" execute p(", true},
	{" execute \"p\"(", true}, {" do $q$ begin perform mogo_verify('" SECRET "'); end $q$;", true},
	{" do language plpgsql $$ execute 'mogo_verify(" SECRET "' $$;", true},
	{" do 'mogo_verify(''" SECRET "'')';", true}, {" do $q$ begin null; end $q$;"},
	{" do $q$ x := '" SECRET "'; $q$;", false, true}, {" insert into t do nothing "},
};

/* A statement of pieces, in CSV or not. */
static void
fuzz_pieces(const uint8_t *data, size_t size, unsigned flags)
{
	size_t		room = size * 80 + 1;
	char	   *text = malloc(2 * room);
	size_t		len = 0;
	bool		call = false;
	char	   *copy;
	size_t		copy_len;
	bool		bare_name = false;

	for (size_t i = 0; i < size; i++)
	{
		const char *piece;
		int			n = data[i] % lengthof(pieces);

		/* Names with an apostrophe are not told from literals in CSV and JSON. */
		if ((flags & 2) && strchr(pieces[n].text, '"') && !pieces[n].call &&
			!pieces[n].literal)
			continue;
		if ((flags & 2) && strstr(pieces[n].text, "$x$ \""))
			continue;
		call |= pieces[n].call;
		/* "mogo_verify" with anything that begins with a parenthesis later on */
		bare_name |= strcmp(pieces[n].text, " mogo_verify ") == 0;
		for (piece = pieces[n].text; *piece; piece++)
		{
			if ((flags & 2) && *piece == '"')
				text[len++] = '"';
			text[len++] = *piece;
		}
	}
	if (getenv("FUZZ_PRINT"))
		(void) !write(STDERR_FILENO, text, len);
	if (!bare_name)
		assert(mogo_calls(scan(text, len, flags), prepared) == call);
	copy_len = redact(&copy, text, len, flags);
	assert(memmem(copy, copy_len, SECRET, strlen(SECRET)) == NULL);
	free(copy);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text;

	if (size == 0)
		return 0;
	/* a copy of just that size, so that one byte too far is seen */
	text = malloc(size == 1 ? 1 : size - 1);
	memcpy(text, data + 1, size - 1);
	fuzz_text(text, size - 1, data[0]);
	fuzz_pieces(data + 1, Min(size - 1, 64), data[0] & 2);
	free(text);
	return 0;
}
