/*-------------------------------------------------------------------------
 *
 * redact.c
 *	  Keeps secrets out of the server's log and statistics: the setting, and
 *	  the hooks that follow the statement that runs.
 *
 * Literals are redacted, not statements: in a text that calls a function of ours
 * that takes a secret, or executes a prepared statement that does, *** stands for
 * what its literals hold (redact_scan.c). This file judges the running statement
 * once and shows the redacted text in its place; redact_log.c looks at each record
 * on its way to the log. What leaks without each hook:
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

bool		mogo_redact_literals = true;

static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;

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
MogoScan
mogo_scan(const char *text, size_t len)
{
	return (MogoScan) {text, text + len, MOGO_BACKSLASHES};
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
	if (prepared == NULL)
		return false;
	name = prepared->plansource->query_string;
	return mogo_calls(mogo_scan(name, strlen(name)), NULL);
}

/* Tells whether a text calls us. Allocates nothing and never fails. */
bool
mogo_text_calls(MogoScan s)
{
	return (session_calls || mogo_mentions(s.p, s.end - s.p)) && mogo_calls(s, prepared_calls);
}

/* Keeps the verdict on a text, and makes its redacted copy. */
static void
keep_verdict(const char *text, bool calls)
{
	size_t		len = strlen(text);

	free(redacted_text);
	redacted_text = NULL;
	judged_text = text;
	judged_at = GetCurrentStatementStartTimestamp();
	judged_calls = calls;
	if (!calls)
		return;
	redacted_text = malloc(MOGO_ROOM(len));
	if (redacted_text == NULL)
		redacted_text = strdup(MOGO_MASK);
	else
		*mogo_redact(redacted_text, mogo_scan(text, len)) = '\0';
	if (redacted_text != NULL && strcmp(redacted_text, text) == 0)
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
const char *
mogo_statement(void)
{
	const char *text = statement_text();

	if (text == NULL)
		return NULL;
	if (text == debug_query_string &&
		(text != judged_text || MyProcPort == NULL || judged_at != GetCurrentStatementStartTimestamp()))
		keep_verdict(text, mogo_text_calls(mogo_scan(text, strlen(text))));
	return judged_calls ? text : NULL;
}

/*
 * Shows the redacted text in the place of the running statement's for as long as
 * it runs: in pg_stat_activity, where it stays when the session is idle, and in
 * debug_query_string, which STATEMENT lines and parallel maintenance workers get.
 */
void
mogo_show_redacted(void)
{
	if (mogo_statement() == NULL || redacted_text == NULL || debug_query_string == redacted_text)
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
inspect(const char *text, Query *query)
{
	bool		top = MyProcPort != NULL && text == statement_text();
	bool		calls = top && mogo_statement() != NULL;

	if (!calls && (!top || (session_calls && query->utilityStmt != NULL)))
	{
		const char *part = text + Max(query->stmt_location, 0);
		bool		whole = query->stmt_location < 0 || query->stmt_len <= 0;

		calls = mogo_text_calls(mogo_scan(part, whole ? strlen(part) : query->stmt_len));
		if (calls && top)
			keep_verdict(text, true);
	}
	if (!calls)
		return;
	session_calls = true;
	session_literals |= top && redacted_text != NULL;
	/* pg_stat_statements would keep their literals; it ignores what has no id */
	if (query->utilityStmt != NULL && (!top || redacted_text != NULL))
		query->queryId = 0;
	if (top)
		mogo_show_redacted();
}

static void
redact_post_parse_analyze(ParseState *pstate, Query *query, MOGO_JUMBLE_CONST JumbleState *jstate)
{
	if (mogo_redact_literals && pstate->p_sourcetext != NULL)
		inspect(pstate->p_sourcetext, query);
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
}

static void
redact_ExecutorRun(QueryDesc *queryDesc, ScanDirection direction,
				   uint64 count MOGO_EXECUTE_ONCE_DECL)
{
	if (session_literals && mogo_redact_literals)
	{
		mogo_show_redacted();
		/* What parallel workers are given; nothing else reads it by now */
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
	if (session_literals && mogo_redact_literals)
		mogo_show_redacted();
	(prev_ProcessUtility ? prev_ProcessUtility : standard_ProcessUtility)
		(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

/* Defines the setting and, if the library is preloaded, sets the hooks. */
void
mogo_redact_init(void)
{
	DefineCustomBoolVariable("mogocred.redact_literals",
							 "Keeps literals and parameters of calls that take secrets out of the log and the statistics.",
							 "Has an effect only if shared_preload_libraries lists mogocred.",
							 &mogo_redact_literals, true, PGC_SUSET, 0, NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = redact_post_parse_analyze;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = redact_ExecutorRun;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = redact_ProcessUtility;
	mogo_redact_log_init();
}
