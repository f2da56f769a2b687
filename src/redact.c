/*-------------------------------------------------------------------------
 *
 * redact.c
 *	  Keeps secrets out of the server's log and statistics.
 *
 * Literals are redacted, not statements: in a text that calls a function of ours
 * that takes a secret, or executes a prepared statement that does, *** stands for
 * what its literals hold (redact_scan.c). What leaks without each hook:
 *
 * emit_log_hook		every record: statement and duration logging, parameters,
 *						CONTEXT, auto_explain, pgaudit, deadlocks
 * post_parse_analyze	pg_stat_activity; utility statements in pg_stat_statements
 * ExecutorRun			pg_stat_activity in the extended protocol, where PostgreSQL
 *						shows the text anew at Execute; parallel workers
 * ProcessUtility		pg_stat_activity, for a utility statement sent likewise
 *
 * A session that never calls us pays for a memchr() over each text it analyzes.
 *
 * PostgreSQL offers no way to change a record, so emit_log_hook puts redacted
 * copies in the place of those parts that need it. All else stays: severity,
 * SQLSTATE, errno, file, line. If the client is to get the record as well, we call
 * EmitErrorReport() for the log alone and then give the originals back. (So deep,
 * it does not translate words like DETAIL, except for an ERROR.) Copies live in
 * ErrorContext, which may be used in critical sections; if there is no memory, ***
 * is all that is left of a part. Nothing there reads a catalog or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

#include "access/xact.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* mogocred.redact_literals */
static bool redact_literals = true;

static emit_log_hook_type prev_emit_log = NULL;
static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/* Set while we emit a record ourselves, which comes by the hook again. */
static bool emitting = false;

/* Whether this session has analyzed a call of ours, and one with literals. */
static bool session_calls = false;
static bool session_literals = false;

/*
 * The text that was judged last, in the message that came at that time, and its
 * redacted copy, to which debug_query_string points while it is shown; NULL if
 * there is nothing to redact. It is malloc'd: a critical section may need it.
 */
static const char *judged_text = NULL;
static TimestampTz judged_at;
static bool judged_calls;
static char *redacted_text = NULL;

/* Makes a pass over a text of this session's. */
static MogoScan
scan(const char *sql, size_t len, bool wrapped)
{
	return (MogoScan)
	{
		sql, sql + len, MOGO_BACKSLASHES, wrapped
	};
}

/* Tells whether a prepared statement that this session knows calls us. */
static bool
prepared_calls(const char *name, size_t len, bool quoted)
{
	char		key[2 * NAMEDATALEN];
	int			n = 0;
	PreparedStatement *prepared;

	for (size_t i = 0; i < len && n < sizeof(key) - 1; i++)
	{
		key[n++] = quoted ? name[i] : pg_ascii_tolower((unsigned char) name[i]);
		i += quoted && name[i] == '"';	/* doubled */
	}
	key[n] = '\0';
	truncate_identifier(key, n, false);
	prepared = FetchPreparedStatement(key, false);
	name = prepared ? prepared->plansource->query_string : "";
	return mogo_calls(scan(name, strlen(name), false), NULL);
}

/* Tells whether a text calls us. Allocates nothing and never fails. */
static bool
calls(const char *sql, size_t len, bool wrapped)
{
	return (session_calls || mogo_mentions(sql, len)) &&
		mogo_calls(scan(sql, len, wrapped), prepared_calls);
}

/* Keeps the verdict on a text, and makes its redacted copy. */
static void
keep_verdict(const char *sql, bool text_calls)
{
	size_t		len = strlen(sql);

	free(redacted_text);
	redacted_text = NULL;
	judged_text = sql;
	judged_at = GetCurrentStatementStartTimestamp();
	judged_calls = text_calls;
	if (!text_calls)
		return;
	redacted_text = malloc(MOGO_ROOM(len));
	if (redacted_text == NULL)
		redacted_text = strdup(MOGO_MASK);
	else
		*mogo_redact(redacted_text, scan(sql, len, false)) = '\0';
	if (redacted_text != NULL && strcmp(redacted_text, sql) == 0)
	{
		free(redacted_text);
		redacted_text = NULL;
	}
}

/* Returns the text of the statement that runs, as it was sent; or NULL. */
static const char *
statement_text(void)
{
	return debug_query_string != NULL && debug_query_string == redacted_text ?
		judged_text : debug_query_string;
}

/*
 * Returns that text if it calls us, else NULL. It is judged once for each message,
 * which may be a string of many statements; in background workers, each time.
 */
static const char *
our_statement(void)
{
	const char *sql = statement_text();

	if (sql == NULL)
		return NULL;
	if (sql == debug_query_string && (sql != judged_text || MyProcPort == NULL ||
									  judged_at != GetCurrentStatementStartTimestamp()))
		keep_verdict(sql, calls(sql, strlen(sql), false));
	return judged_calls ? sql : NULL;
}

/*
 * Shows the redacted text in the place of the running statement's for as long as
 * it runs: in pg_stat_activity, where it stays when the session is idle, and in
 * debug_query_string, which STATEMENT lines and parallel maintenance workers get.
 */
static void
show_redacted(void)
{
	if (our_statement() == NULL || redacted_text == NULL || debug_query_string == redacted_text)
		return;
	debug_query_string = redacted_text;
	if (MyBEEntry != NULL && MyBEEntry->st_state == STATE_RUNNING)
		pgstat_report_activity(STATE_RUNNING, redacted_text);
}

/*
 * Parse analysis of one statement is done. A top-level text was judged as a whole,
 * but may execute what it has prepared since. Of other texts, like the script of an
 * extension, the statement's own part is read.
 */
static void
inspect(const char *sql, Query *query)
{
	bool		top = MyProcPort != NULL && sql == statement_text();
	bool		ours = top && our_statement() != NULL;
	const char *part = sql + Max(query->stmt_location, 0);
	bool		whole = query->stmt_location < 0 || query->stmt_len <= 0;

	if (!ours && (!top || (session_calls && query->utilityStmt != NULL)))
	{
		ours = calls(part, whole ? strlen(part) : query->stmt_len, false);
		if (ours && top)
			keep_verdict(sql, true);
	}
	if (!ours)
		return;
	session_calls = true;
	session_literals |= top && redacted_text != NULL;
	/* pg_stat_statements would keep their literals; it ignores what has no id */
	if (query->utilityStmt != NULL && (!top || redacted_text != NULL))
		query->queryId = 0;
	if (top)
		show_redacted();
}

static void
redact_post_parse_analyze(ParseState *pstate, Query *query, MOGO_JUMBLE_CONST JumbleState *jstate)
{
	if (redact_literals && pstate->p_sourcetext != NULL)
		inspect(pstate->p_sourcetext, query);
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
}

static void
redact_ExecutorRun(QueryDesc *queryDesc, ScanDirection direction,
				   uint64 count MOGO_EXECUTE_ONCE_DECL)
{
	if (session_literals && redact_literals)
	{
		show_redacted();
		/* What parallel workers are given */
		if (redacted_text != NULL && queryDesc->sourceText == judged_text)
			queryDesc->estate->es_sourceText = redacted_text;
	}
	(prev_ExecutorRun ? prev_ExecutorRun : standard_ExecutorRun)
		(queryDesc, direction, count MOGO_EXECUTE_ONCE);
	queryDesc->estate->es_sourceText = queryDesc->sourceText;
}

static void
redact_ProcessUtility(PlannedStmt *pstmt, const char *queryString,
					  bool readOnlyTree, ProcessUtilityContext context,
					  ParamListInfo params, QueryEnvironment *queryEnv,
					  DestReceiver *dest, QueryCompletion *qc)
{
	if (session_literals && redact_literals)
		show_redacted();
	(prev_ProcessUtility ? prev_ProcessUtility : standard_ProcessUtility)
		(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
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
		memcpy(line, MOGO_MASK, sizeof(MOGO_MASK));
}

/* Puts *** between the first and the last quote. */
static void
blank_value(char *part)
{
	char	   *first = strchr(part, '"');
	char	   *last = strrchr(part, '"');

	if (first != last)
	{
		memmove(first + 1 + MOGO_MASK_LEN, last, strlen(last) + 1);
		memcpy(first + 1, MOGO_MASK, MOGO_MASK_LEN);
	}
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
		end = all ? NULL : strstr(p, "\nProcess ");
		end = end ? end + 1 : part + len;
		if (all || calls(p, end - p, wrapped))
			out = mogo_redact(out, scan(p, end - p, wrapped));
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
	const char *sql = our_statement();
	const char *query = edata->internalquery;
	const char *id = edata->message_id ? edata->message_id : "";
	bool		audit = strncmp(id, "AUDIT: ", 7) == 0;
	bool		json = strcmp(id, "duration: %.3f ms  plan:\n%s") == 0 &&
		(strstr(edata->message, "plan:\n{") || strstr(edata->message, "Query Text: \""));
	bool		error = edata->elevel >= ERROR;
	bool		ours = sql || (query && calls(query, strlen(query), false)) ||
		(edata->context && calls(edata->context, strlen(edata->context), true)) ||
		(MyBEEntry != NULL && MyBEEntry->st_state == STATE_FASTPATH);	/* has no text */
	bool		quotes = (ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION &&
						  strcmp(edata->domain, PG_TEXTDOMAIN("mogocred")) != 0) ||
		(edata->sqlerrcode == ERRCODE_SYNTAX_ERROR &&
		 (mogo_is_open(scan(sql, sql ? strlen(sql) : 0, false)) ||
		  mogo_is_open(scan(query, query ? strlen(query) : 0, false))));
	char	  **parts[] = {&edata->message, &edata->detail, &edata->detail_log, &edata->hint,
	&edata->context, &edata->internalquery};
	char	   *originals[lengthof(parts)];
	bool		client = edata->output_to_client;
	bool		changed = false;

	show_redacted();
	for (int i = 0; i < lengthof(parts); i++)
	{
		char	   *part = originals[i] = *parts[i];
		bool		where = parts[i] == &edata->context || parts[i] == &edata->internalquery;
		bool		wrapped = parts[i] == &edata->context || (i == 0 && (audit || json));
		bool		call = part != NULL && calls(part, strlen(part), wrapped);
		char	   *copy;

		if (part == NULL || !(ours || call))
			continue;

		/*
		 * An error's own words are PostgreSQL's, but for values that they
		 * quote
		 */
		copy = redact_part(part, where || (sql && !error) || (json && call), wrapped);
		if (sql && (error || strlen(part) < strlen(sql)))
			mogo_hide(copy, scan(sql, strlen(sql), false));
		if (query)
			mogo_hide(copy, scan(query, strlen(query), false));
		if (quotes && !where)
			blank_value(copy);
		if (audit && i == 0 && (sql || call))
			blank_parameters(copy);
		if (sql && strstr(copy, ":constvalue ") != NULL)
			memcpy(copy, MOGO_MASK, sizeof(MOGO_MASK)); /* debug_print_plan and
														 * its like */
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
	if (redact_literals && !emitting)
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
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = redact_ProcessUtility;
}
