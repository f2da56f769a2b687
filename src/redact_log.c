/*-------------------------------------------------------------------------
 *
 * redact_log.c
 *	  Redacts each record on its way to the server's log; see redact.c.
 *
 * PostgreSQL offers no way to change a record, so emit_log_hook puts redacted
 * copies in the place of those parts that need it. All else stays: severity,
 * SQLSTATE, errno, file, line. If the client is to get the record as well, we call
 * EmitErrorReport() for the log alone and then give the originals back. (So deep,
 * it does not translate words like DETAIL, except for an ERROR.) Copies live in
 * ErrorContext, which may be used in critical sections; if there is no memory, ***
 * is all that is left of the part. Nothing here reads a catalog or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"

static emit_log_hook_type prev_emit_log = NULL;

/* Set while we emit a record ourselves, which comes by the hook again. */
static bool emitting = false;

/* Finds the parameters, the ninth field of pgaudit's CSV; NULL if they are not there. */
static char *
audit_parameters(char *line)
{
	bool		quoted = false;
	int			commas = 0;

	for (; *line != '\0' && commas < 8; line++)
	{
		quoted ^= *line == '"';
		commas += *line == ',' && !quoted;
	}
	return *line == '\0' || *line == '<' ? NULL : line;
}

/* Puts *** between the first and the last quote. */
static void
blank(char *part)
{
	char	   *first = strchr(part, '"');
	char	   *last = strrchr(part, '"');

	if (first != last)
	{
		memmove(first + 1 + MOGO_MASK_LEN, last, strlen(last) + 1);
		memcpy(first + 1, MOGO_MASK, MOGO_MASK_LEN);
	}
}

static bool
calls(const char *part, bool wrapped)
{
	MogoScan	s;

	if (part == NULL)
		return false;
	s = mogo_scan(part, strlen(part));
	s.wrapped = wrapped;
	return mogo_text_calls(s);
}

/*
 * Returns a copy of a part with its literals redacted: all, or only those of calls.
 * The lines of a deadlock's DETAIL are statements of their own, which may be cut.
 */
static char *
redact_part(char *part, bool all, bool wrapped)
{
	size_t		len = strlen(part);
	char	   *copy = MemoryContextAllocExtended(ErrorContext, MOGO_ROOM(len),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	char	   *out = copy;

	if (copy == NULL)
	{
		strlcpy(part, MOGO_MASK, len + 1);
		return part;
	}
	for (char *p = part, *end; *p != '\0'; p = end)
	{
		MogoScan	s;

		end = all ? NULL : strstr(p, "\nProcess ");
		end = end ? end + 1 : part + len;
		s = mogo_scan(p, end - p);
		s.wrapped = wrapped;
		if (all || mogo_text_calls(s))
			out = mogo_redact(out, s);
		else
			out = (char *) memcpy(out, p, end - p) + (end - p);
	}
	*out = '\0';
	return copy;
}

/* Redacts the parts of a record that need it. */
static void
redact_record(ErrorData *edata)
{
	const char *text = mogo_statement();
	const char *query = edata->internalquery;
	const char *id = edata->message_id ? edata->message_id : "";
	bool		audit = strncmp(id, "AUDIT: ", 7) == 0;
	bool		json = strcmp(id, "duration: %.3f ms  plan:\n%s") == 0 &&
		(strstr(edata->message, "plan:\n{") || strstr(edata->message, "Query Text: \""));
	bool		error = edata->elevel >= ERROR;
	bool		ours = text != NULL || calls(edata->context, true) || calls(query, false) ||
		(MyBEEntry != NULL && MyBEEntry->st_state == STATE_FASTPATH);	/* has no text */
	char	  **parts[] = {&edata->message, &edata->detail, &edata->detail_log, &edata->hint,
	&edata->context, &edata->internalquery};
	char	   *originals[lengthof(parts)];
	bool		client = edata->output_to_client;
	bool		changed = false;

	mogo_show_redacted();
	for (int i = 0; i < lengthof(parts); i++)
	{
		char	   *part = originals[i] = *parts[i];
		bool		wrapped = i == 0 ? audit || json : i == 4;
		bool		call = part != NULL && calls(part, wrapped);
		char	   *copy;
		char	   *p;

		if (part == NULL || !(ours || call))
			continue;
		/* An error's own words are PostgreSQL's; where it happened is ours to redact */
		copy = redact_part(part, i >= 4 || (text != NULL && !error) || (json && call), wrapped);
		if (text != NULL && (error || strlen(part) < strlen(text)))
			mogo_hide(copy, mogo_scan(text, strlen(text)));
		if (query != NULL)
			mogo_hide(copy, mogo_scan(query, strlen(query)));
		if (i < 3 && ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION)
			blank(copy);
		if (i == 0 && audit && (text != NULL || call) && (p = audit_parameters(copy)) != NULL)
			strcpy(p, MOGO_MASK);
		if (i == 1 && text != NULL && strstr(copy, ":constvalue ") != NULL)
			strcpy(copy, MOGO_MASK);	/* debug_print_plan */
		if (copy != part && strcmp(copy, part) == 0)
			pfree(copy);
		else
			*parts[i] = copy;
		changed |= *parts[i] != part;
	}

	if (changed && client)
	{
		edata->output_to_client = false;
		emitting = true;
		PG_TRY();
		{
			EmitErrorReport();
		}
		PG_FINALLY();
		{
			emitting = false;
		}
		PG_END_TRY();
		edata->output_to_client = true;
		edata->output_to_server = false;
	}
	for (int i = 0; i < lengthof(parts); i++)
	{
		if (*parts[i] == originals[i])
			continue;
		pfree(client ? *parts[i] : originals[i]);
		if (client)
			*parts[i] = originals[i];
	}
}

static void
redact_emit_log(ErrorData *edata)
{
	if (mogo_redact_literals && !emitting && edata->output_to_server)
		redact_record(edata);
	if (prev_emit_log && edata->output_to_server)
		prev_emit_log(edata);
}

void
mogo_redact_log_init(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = redact_emit_log;
}
