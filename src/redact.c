/*-------------------------------------------------------------------------
 *
 * redact.c
 *	  Keeps secrets out of the server's log and statistics.
 *
 * Literals are redacted, not statements: in a text that calls one of our functions
 * that takes a secret, or executes a prepared statement that does, *** stands for
 * what its literals hold. src/README.md says what would leak without each hook.
 *
 * In a record, redacted copies take the place of the parts that need it. If the client
 * is to get it too, EmitErrorReport() writes the log alone, and then we give the originals
 * back. Copies live in ErrorContext, which may be used in critical sections; without
 * memory, *** is all that is left of a part. Nothing reads a catalog or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/xact.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"

static bool redact_literals = true;
static emit_log_hook_type prev_emit_log = NULL;
static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;

/* Whether this session has called one of our functions, and with literals. */
static bool session_calls = false;
static bool session_literals = false;

/*
 * The text that was judged last, in the message that came at that time, and its copy if
 * it calls us, else NULL. While that is shown, debug_query_string points to it. It is
 * malloc'd, because a critical section may need it.
 */
static const char *judged_text = NULL;
static TimestampTz judged_at;
static char *redacted_text = NULL;
static bool has_literals;

/* Makes a pass over a text of this session's; of none for NULL. */
static MogoScan
scan(const char *sql, bool wrapped)
{
	MogoScan	s = {sql ? sql : "", NULL, MOGO_BACKSLASHES, wrapped};

	s.end = s.p + strlen(s.p);
	return s;
}

/* Tells whether a prepared statement that this session knows calls us. */
static bool
prepared_calls(const char *name, size_t len, bool quoted)
{
	char		key[2 * NAMEDATALEN] = "";
	int			n = 0;
	PreparedStatement *prepared;

	for (size_t i = 0; i < len && n < sizeof(key) - 1; i++)
	{
		key[n++] = quoted ? name[i] : pg_ascii_tolower((unsigned char) name[i]);
		i += quoted && name[i] == '"';	/* doubled */
	}
	truncate_identifier(key, n, false);
	prepared = FetchPreparedStatement(key, false);
	return prepared && mogo_calls(scan(prepared->plansource->query_string, false), NULL);
}

/* Tells whether a text calls us. Allocates nothing and never fails. */
static bool
calls(MogoScan s)
{
	return (session_calls || mogo_mentions(s.p, s.end - s.p)) && mogo_calls(s, prepared_calls);
}

/*
 * Returns the text of the statement that runs, as it was sent, if it calls us, else NULL.
 * It is judged once for each message, which may be a string of many statements; in
 * background workers, where nothing tells messages apart, each time. If it has literals,
 * the redacted text is shown from now on: in pg_stat_activity and, by debug_query_string,
 * in STATEMENT lines and to parallel maintenance workers.
 */
static const char *
our_statement(void)
{
	const char *sql = debug_query_string;
	uint64		query_id = pgstat_get_my_query_id();

	if (sql == NULL)
		return NULL;
	if (sql != redacted_text && (sql != judged_text || MyProcPort == NULL ||
								 judged_at != GetCurrentStatementStartTimestamp()))
	{
		bool		ours = calls(scan(sql, false));

		free(redacted_text);
		redacted_text = ours ? malloc(MOGO_ROOM(strlen(sql))) : NULL;
		if (redacted_text != NULL)
			*mogo_redact(redacted_text, scan(sql, false)) = '\0';
		else if (ours)
			redacted_text = strdup(MOGO_MASK);
		has_literals = redacted_text != NULL && strcmp(redacted_text, sql) != 0;
		session_calls |= ours;
		session_literals |= has_literals;
		judged_text = sql;
		judged_at = GetCurrentStatementStartTimestamp();
	}
	if (has_literals && debug_query_string != redacted_text)
	{
		debug_query_string = redacted_text;
		if (MyBEEntry != NULL && MyBEEntry->st_state == STATE_RUNNING)
		{
			pgstat_report_activity(STATE_RUNNING, redacted_text);
			pgstat_report_query_id(query_id, true);
		}
	}
	return redacted_text ? judged_text : NULL;
}

/* A statement may execute what its text has prepared since that was judged. */
static void
redact_post_parse_analyze(ParseState *pstate, Query *query, MOGO_JUMBLE_CONST JumbleState *jstate)
{
	const char *sql = pstate->p_sourcetext;
	bool		ours;

	if (redact_literals && session_calls && query->utilityStmt != NULL && our_statement() == NULL &&
		sql != NULL && sql == debug_query_string && query->stmt_location >= 0)
	{
		MogoScan	part = {sql + query->stmt_location, NULL, MOGO_BACKSLASHES};

		part.end = part.p + (query->stmt_len > 0 ? query->stmt_len : strlen(part.p));
		if (calls(part))
			judged_text = NULL;
	}
	/* pg_stat_statements ignores what has no id; it may track nested ones too */
	ours = redact_literals && our_statement() != NULL && sql == judged_text;
	if (redact_literals && query->utilityStmt != NULL &&
		(ours ? has_literals : sql != debug_query_string && calls(scan(sql, false))))
		query->queryId = 0;
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
}

/* In the extended protocol the text is shown anew. Parallel workers get es_sourceText. */
static void
redact_ExecutorRun(QueryDesc *queryDesc, ScanDirection direction,
				   uint64 count MOGO_EXECUTE_ONCE_DECL)
{
	if (session_literals && redact_literals && our_statement() != NULL &&
		queryDesc->sourceText == judged_text)
		queryDesc->estate->es_sourceText = redacted_text;
	(prev_ExecutorRun ? prev_ExecutorRun : standard_ExecutorRun)
		(queryDesc, direction, count MOGO_EXECUTE_ONCE);
	queryDesc->estate->es_sourceText = queryDesc->sourceText;
}

/* Puts *** in the place of pgaudit's parameters: the ninth field of its CSV. */
static void
blank_parameters(char *line)
{
	bool		quoted = false;

	for (int commas = 0; *line != '\0' && commas < 8; line++)
	{
		quoted ^= *line == '"';
		commas += *line == ',' && !quoted;
	}
	if (*line != '\0' && *line != '<')	/* <none>, <not logged> */
		strlcpy(line, MOGO_MASK, MOGO_MASK_LEN + 1);
}

/*
 * Puts *** in the place of what an error quotes, from the first quote to the last. In a
 * language with other quotes nothing is kept from the first value on.
 */
static void
blank_quoted(char *part, const char *format, const char *domain)
{
	const char *translated = dgettext(domain, format);
	char	   *first = strchr(part, '"');
	char	   *last = strrchr(part, '"');

	if (strchr(format, '"') && !strchr(translated, '"'))
		strlcpy(part + Min(strcspn(translated, "%"), strlen(part)), MOGO_MASK, MOGO_MASK_LEN + 1);
	else if (first != last)
	{
		memmove(first + 1 + MOGO_MASK_LEN, last, strlen(last) + 1);
		memcpy(first + 1, MOGO_MASK, MOGO_MASK_LEN);
	}
}

/*
 * Returns a copy of a part with its literals redacted: all, or only those of calls. The
 * lines of a deadlock's DETAIL are statements of their own, which may be cut.
 */
static char *
redact_part(char *part, bool all, bool wrapped)
{
	MogoScan	s = scan(part, wrapped);
	const char *end = s.end;
	char	   *copy = MemoryContextAllocExtended(ErrorContext, MOGO_ROOM(end - part),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	char	   *out = copy;

	if (copy == NULL)
	{
		strlcpy(part, MOGO_MASK, end + 1 - part);
		return part;
	}
	for (; s.p < end; s.p = s.end)
	{
		const char *next = all ? NULL : strstr(s.p, "\nProcess ");

		s.end = next ? next + 1 : end;
		if (all || calls(s))
			out = mogo_redact(out, s);
		else
			out = (char *) memcpy(out, s.p, s.end - s.p) + (s.end - s.p);
	}
	*out = '\0';
	return copy;
}

/* Redacts the parts of a record that need it. */
static void
redact_record(ErrorData *edata)
{
	const char *sql = our_statement();
	MogoScan	query = scan(edata->internalquery, false);
	const char *id = edata->message_id ? edata->message_id : "";
	bool		audit = strncmp(id, "AUDIT: ", 7) == 0;
	bool		json = strcmp(id, "duration: %.3f ms  plan:\n%s") == 0 &&
		(strstr(edata->message, "plan:\n{") || strstr(edata->message, "Query Text: \""));
	bool		error = edata->elevel >= ERROR;
	bool		ours = sql || calls(query) || calls(scan(edata->context, true)) ||
		(MyBEEntry != NULL && MyBEEntry->st_state == STATE_FASTPATH);	/* has no text */
	bool		values = ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION &&
		strcmp(edata->domain, PG_TEXTDOMAIN("mogocred")) != 0;
	char	  **parts[] = {&edata->message, &edata->detail, &edata->detail_log, &edata->hint,
	&edata->context, &edata->internalquery};
	char	   *originals[lengthof(parts)];
	bool		client = edata->output_to_client;
	bool		changed = false;

	for (int i = 0; i < lengthof(parts); i++)
	{
		char	   *part = originals[i] = *parts[i];
		bool		where = parts[i] == &edata->context || parts[i] == &edata->internalquery;
		bool		wrapped = parts[i] == &edata->context || (i == 0 && (audit || json));
		bool		call = calls(scan(part, wrapped));
		bool		open = false;
		char	   *copy;

		if (part == NULL || !(ours || call))
			continue;
		/* an error's words are PostgreSQL's, but for values in them */
		*parts[i] = copy = redact_part(part, where || (sql && !error) || (json && call), wrapped);
		if (error || (sql && strlen(part) < strlen(sql)))
			open = mogo_hide(copy, scan(sql, false));
		open |= mogo_hide(copy, query);
		if (!where && (values || (open && edata->sqlerrcode == ERRCODE_SYNTAX_ERROR)))
			blank_quoted(copy, i == 0 ? id : "", edata->domain);
		if (values && i > 0 && edata->funcname && strncmp(edata->funcname, "json_", 5) == 0)
			strlcpy(copy, MOGO_MASK, MOGO_MASK_LEN + 1);	/* quotes in other ways */
		if (audit && i == 0 && (sql || call))
			blank_parameters(copy);
		if (sql && i > 0 && strcmp(id, "%s:") == 0)
			strlcpy(copy, MOGO_MASK, MOGO_MASK_LEN + 1);	/* debug_print_parse */
		changed |= strcmp(copy, part) != 0;
	}

	if (changed && client)
	{
		edata->output_to_client = false;
		EmitErrorReport();
		edata->output_to_client = true;
		edata->output_to_server = false;
	}
	for (int i = 0; i < lengthof(parts); i++)
	{
		if (*parts[i] != originals[i])
			pfree(client ? *parts[i] : originals[i]);
		if (client)
			*parts[i] = originals[i];
	}
}

static void
redact_emit_log(ErrorData *edata)
{
	if (redact_literals)
		redact_record(edata);
	if (prev_emit_log && edata->output_to_server)
		prev_emit_log(edata);
}

/* Defines the setting and, if the library is preloaded, sets the hooks. */
void
mogo_redact_init(void)
{
	DefineCustomBoolVariable("mogocred.redact_literals",
							 "Keeps literals and parameters of calls that take secrets out of the log and the statistics.",
							 "Has an effect only if shared_preload_libraries lists mogocred.",
							 &redact_literals, true, PGC_SUSET, 0, NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_emit_log = emit_log_hook;
	emit_log_hook = redact_emit_log;
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = redact_post_parse_analyze;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = redact_ExecutorRun;
}
