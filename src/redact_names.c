/*-------------------------------------------------------------------------
 *
 * redact_names.c
 *	  Which functions of ours a text names, and the mask that says so.
 *
 * Texts are read as they are, not parsed: they come from statements that fail
 * to parse, from strings inside DO blocks and function bodies, and from log
 * records. So a name counts wherever it stands, in a literal or a comment as
 * well; that errs on the side of redaction.
 *
 * Everything here may be called where nothing may fail: in an aborted
 * transaction, in a log hook while memory is short, in the postmaster. It
 * allocates nothing, reads no catalog and raises no error.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

#include <ctype.h>

#include "commands/prepare.h"
#include "mb/pg_wchar.h"

#define MASK_START		"<redacted by mogocred: "

/* A mask names so many functions, then "...": it must fit MOGO_MASK_SIZE. */
#define MASK_NAMES		2

/* An EXECUTE can run a statement that is an EXECUTE; twice is plenty. */
#define MAX_EXECUTE		2

/* What stands in a name for what cannot be told here: a character, all of it. */
#define UNTOLD_CHAR		'\001'
#define UNTOLD_NAME		"\002"

/*
 * The functions of the extension, without their prefix. A TAP test compares
 * this list with the catalog.
 */
static const char *const functions[] = {
	"add_client", "credentials_json", "registration_json", "verify",
	"verify_digest", "verify_status", "authenticate", "authenticate_basic",
	"add_secret", "rotate_secret", "revoke_secret", "disable_client",
	"enable_client", "remove_client", "update_client", "import_client",
	"purge", "purge_audit", "grant_admin", "grant_verifier", "revoke_access",
	"uses", "last_used_at", "failed_checks", "usage_status"
};

StaticAssertDecl(lengthof(functions) < 32, "MogoNames has 32 bits");

/*
 * How many characters may still be read more than once, behind EXECUTE or
 * U&"". A hostile text could have all of it read over and over; one that has
 * used this up counts as naming something of ours.
 */
static int64 budget;

static bool names_found(const char *text, int depth, MogoNames *names);

bool
mogo_is_word_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		IS_HIGHBIT_SET(c);
}

bool
mogo_is_word(unsigned char c)
{
	return mogo_is_word_start(c) || (c >= '0' && c <= '9');
}

bool
mogo_is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Compares the beginning of a text with a lower-case ASCII word, in any case.
 * Returns whether it begins so.
 */
bool
mogo_begins(const char *text, const char *word)
{
	for (; *word; text++, word++)
		if (pg_ascii_tolower((unsigned char) *text) != (unsigned char) *word)
			return false;
	return true;
}

/*
 * The function whose name stands at p. A character before the name does not
 * matter: it may be the n of a "\n" in an escape string, and a function of
 * somebody else whose name ends in one of ours is most likely a wrapper.
 * Returns its bit, or 0; sets the name's length.
 */
MogoNames
mogo_function_at(const char *p, int *len)
{
	if (!mogo_begins(p, "mogo_"))
		return 0;
	for (int i = 0; i < lengthof(functions); i++)
	{
		int			n = 5 + strlen(functions[i]);

		if (mogo_begins(p + 5, functions[i]) && !mogo_is_word((unsigned char) p[n]))
		{
			*len = n;
			return (MogoNames) 1 << i;
		}
	}
	return 0;
}

/*
 * Skips white space and comments.
 * Returns the first other character's address.
 */
static const char *
skip_space(const char *p)
{
	const char *start = p;

	for (;;)
	{
		if (mogo_is_space((unsigned char) *p))
			p++;
		else if (p[0] == '-' && p[1] == '-')
		{
			while (*p && *p != '\n' && *p != '\r')
				p++;
		}
		else if (p[0] == '/' && p[1] == '*')
		{
			int			depth = 1;

			for (p += 2; *p && depth > 0; p++)
			{
				if (p[0] == '/' && p[1] == '*')
					depth++, p++;
				else if (p[0] == '*' && p[1] == '/')
					depth--, p++;
			}
		}
		else
			break;
	}
	budget -= p - start;
	return p;
}

/*
 * Whether the word of len bytes at p, which starts with mogo_ and is none of
 * our names, looks like a call: a parenthesis follows, and what stands before
 * the name (and its schema) does not make it a table with its columns.
 */
static bool
looks_called(const char *text, const char *p, int len)
{
	static const char *const before[] = {
		"into", "table", "exists", "references", "on", "with", "view", "copy",
		"recursive"
	};
	const char *end = p + len;
	const char *start;

	end += *end == '"';
	if (*skip_space(end) != '(')
		return false;

	for (;;)
	{
		if (p > text && p[-1] == '"')
			p--;
		if (p == text || p[-1] != '.')
			break;
		for (p--; p > text && (mogo_is_word((unsigned char) p[-1]) || p[-1] == '"'); p--)
			;
	}
	while (p > text && mogo_is_space((unsigned char) p[-1]))
		p--;
	for (start = p; start > text && mogo_is_word((unsigned char) start[-1]); start--)
		;
	for (int i = 0; i < lengthof(before); i++)
		if (strlen(before[i]) == p - start && mogo_begins(start, before[i]))
			return false;
	return true;
}

/*
 * Reads the number of n hexadecimal digits at p.
 * Returns it, or -1 where there is something else.
 */
static int
read_hex(const char *p, int n)
{
	int			value = 0;

	for (; n > 0; n--, p++)
	{
		if (*p >= '0' && *p <= '9')
			value = value * 16 + *p - '0';
		else if (pg_ascii_tolower((unsigned char) *p) >= 'a' &&
				 pg_ascii_tolower((unsigned char) *p) <= 'f')
			value = value * 16 + pg_ascii_tolower((unsigned char) *p) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/*
 * Reads the SQL identifier at p: a word, a quoted one, or a quoted one with
 * Unicode escapes (U&"..." UESCAPE '!'). Writes it to name as PostgreSQL would
 * look it up, cut to NAMEDATALEN - 1 bytes; or what stands for the untold.
 * Returns the address behind it, or NULL where there is none.
 */
static const char *
read_identifier(const char *p, char name[NAMEDATALEN])
{
	int			len = 0;
	int			escape = 0;
	bool		told = true;
	int			limit = NAMEDATALEN - 1;

	if (mogo_is_word_start((unsigned char) *p) && !mogo_begins(p, "u&\""))
	{
		bool		one_byte = pg_database_encoding_max_length() == 1;

		for (; mogo_is_word((unsigned char) *p) || *p == '$'; p++)
		{
			unsigned char c = pg_ascii_tolower((unsigned char) *p);

			if (IS_HIGHBIT_SET(c) && one_byte && isupper(c))
				c = tolower(c);
			if (len < limit)
				name[len++] = c;
		}
	}
	else
	{
		if (mogo_begins(p, "u&\""))
		{
			const char *end = p + 3;

			/* The escape character is named behind the identifier. */
			escape = '\\';
			while (*end && *end != '"')
				end++;
			if (*end)
				end = skip_space(end + 1);
			if (mogo_begins(end, "uescape"))
			{
				/* E'\x21' and $$!$$ will do for PostgreSQL, too */
				end = skip_space(end + 7);
				told = end[0] == '\'' && end[1] != '\0' && end[1] != '\'' && end[2] == '\'';
				if (told)
					escape = (unsigned char) end[1];
			}
			p += 2;
		}
		if (*p != '"')
			return NULL;
		for (p++; *p; p++)
		{
			int			c = (unsigned char) *p;

			if (c == '"')
			{
				if (p[1] != '"')
					break;
				p++;
			}
			else if (escape && c == escape && p[1] == '+' && read_hex(p + 2, 6) >= 0)
			{
				c = read_hex(p + 2, 6);
				p += 7;
			}
			else if (escape && c == escape && read_hex(p + 1, 4) >= 0)
			{
				c = read_hex(p + 1, 4);
				p += 4;
			}
			/* One byte will do: no name of ours has it, a prepared statement may. */
			if (len < limit)
				name[len++] = c > 0x7f && escape ? UNTOLD_CHAR : c;
		}
		if (*p)
			p++;
	}
	name[len] = '\0';
	if (len == limit)
		name[pg_mbcliplen(name, len, limit)] = '\0';
	if (!told)
		strlcpy(name, UNTOLD_NAME, NAMEDATALEN);
	return p;
}

/*
 * The prepared statement that "EXECUTE name" at p runs, if this session knows
 * it. Looks into the session's own hash table, which needs no transaction.
 * Returns whether it names functions of ours, which are added to names.
 */
static bool
executed_found(const char *p, int depth, MogoNames *names)
{
	char		name[NAMEDATALEN];
	PreparedStatement *prepared;

	if (mogo_is_word((unsigned char) p[7]) || depth >= MAX_EXECUTE)
		return false;
	if (read_identifier(skip_space(p + 7), name) == NULL || name[0] == '\0')
		return false;
	if (strchr(name, UNTOLD_CHAR) != NULL || strcmp(name, UNTOLD_NAME) == 0)
	{
		*names |= MOGO_OTHER_FUNCTION;
		return true;
	}
	prepared = FetchPreparedStatement(name, false);
	if (prepared == NULL)
		return false;
	budget -= strlen(prepared->plansource->query_string);
	return names_found(prepared->plansource->query_string, depth + 1, names);
}

/*
 * The mask at p, if there is a whole one. It names functions, but shows no
 * statement.
 * Returns the address behind it, or NULL.
 */
const char *
mogo_skip_mask(const char *p)
{
	if (strncmp(p, MASK_START, sizeof(MASK_START) - 1) != 0)
		return NULL;
	p += sizeof(MASK_START) - 1;
	while ((*p >= 'a' && *p <= 'z') || *p == '_' || *p == ',' || *p == ' ' || *p == '.')
		p++;
	return *p == '>' ? p + 1 : NULL;
}

/*
 * Looks for our functions' names, and for EXECUTE of a statement with one.
 * Returns whether there is one; the set is added to names.
 */
static bool
names_found(const char *text, int depth, MogoNames *names)
{
	MogoNames	found = 0;

	for (const char *p = text; *p; p++)
	{
		if (budget < 0)
		{
			found |= MOGO_OTHER_FUNCTION;
			break;
		}
		switch (*p)
		{
			case 'm':
			case 'M':
				{
					int			len = 1;
					MogoNames	function = mogo_function_at(p, &len);

					if (function == 0 && mogo_begins(p, "mogo_"))
					{
						while (mogo_is_word((unsigned char) p[len]))
							len++;
						if (looks_called(text, p, len))
							function = MOGO_OTHER_FUNCTION;
					}
					found |= function;
					p += len - 1;
					break;
				}
			case 'e':
			case 'E':
				if (mogo_begins(p, "execute"))
					(void) executed_found(p, depth, &found);
				break;
			case 'u':
			case 'U':
				if (mogo_begins(p, "u&\""))
				{
					char		name[NAMEDATALEN];
					int			len;

					if (read_identifier(p, name) != NULL)
						found |= strcmp(name, UNTOLD_NAME) == 0 ? MOGO_OTHER_FUNCTION :
							mogo_function_at(name, &len);
				}
				break;
			case '<':
				{
					const char *end = mogo_skip_mask(p);

					if (end != NULL)
						p = end - 1;
					break;
				}
		}
	}
	*names |= found;
	return found != 0;
}

/*
 * The functions of ours that a text names. A mask inside it does not count,
 * because it hides what it stands for.
 * Returns their set, 0 for none and for NULL.
 */
MogoNames
mogo_names_in(const char *text)
{
	MogoNames	names = 0;

	if (text != NULL)
	{
		budget = 65536 + 16 * (int64) strlen(text);
		(void) names_found(text, 0, &names);
	}
	return names;
}

/*
 * Writes the text that stands for a statement or a value, like
 * "<redacted by mogocred: mogo_verify>".
 */
void
mogo_make_mask(char *mask, MogoNames names)
{
	int			len;
	int			count = 0;

	strlcpy(mask, MASK_START, MOGO_MASK_SIZE);
	len = sizeof(MASK_START) - 1;
	for (int i = 0; i < lengthof(functions); i++)
	{
		if ((names & ((MogoNames) 1 << i)) == 0)
			continue;
		if (count == MASK_NAMES)
		{
			len += snprintf(mask + len, MOGO_MASK_SIZE - len, ", ...");
			break;
		}
		len += snprintf(mask + len, MOGO_MASK_SIZE - len, "%smogo_%s",
						count++ > 0 ? ", " : "", functions[i]);
	}
	if (count == 0)
		len += snprintf(mask + len, MOGO_MASK_SIZE - len, "mogo_...");
	strlcpy(mask + len, ">", MOGO_MASK_SIZE - len);
}
