/*-------------------------------------------------------------------------
 *
 * redact.c
 *	  Keeps secrets out of the server's log and statistics: the setting, and
 *	  the hooks that follow the statement that runs.
 *
 * Redaction goes by names: a statement concerns us when its text names a
 * function of the extension, or executes a prepared statement that does
 * (redact_names.c). What may then hold a secret is its text, unless that is
 * harmless (redact_text.c), its parameters, and most that is said about it. This file masks
 * the text where other sessions read it (pg_stat_activity, STATEMENT lines,
 * parallel workers) and keeps it out of pg_stat_statements; redact_log.c
 * looks at each record on its way to the log. doc/redaction.md says what the
 * administrator sees, and what cannot be caught.
 *
 * All state is the backend's own, and no hook takes a lock. Prepared
 * parameterised statements pay for a pointer and a flag, no more: their text
 * is judged once, when it is parsed.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"

/* mogocred.redact_statements */
bool		mogo_redact_statements = true;

static object_access_hook_type prev_object_access = NULL;
static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/*
 * Whether this session has ever parsed a statement of ours with a value in
 * it, or a utility statement that names one. Until then no other hook than
 * that on parse analysis has anything to do.
 */
bool		mogo_watchful = false;

/*
 * The mask that debug_query_string points to while a statement is masked, and
 * what it pointed to before. PostgreSQL sets it anew for each message.
 */
static char mask[MOGO_MASK_SIZE];
static const char *masked_text = NULL;

/*
 * The verdict on the running statement, so that a string of many statements
 * is not read once for each of them, and that one that drops the prepared
 * statement it executed is still known at its end. It holds for the text at
 * this address until MessageContext, where the message lives, is reset.
 */
static const char *judged_text = NULL;
static MogoVerdict judged;
static MemoryContextCallback message_callback;
static bool message_watched = false;

/*
 * Functions named by the portals that run under a statement that does not
 * name them (FETCH, COMMIT), and by those that have just failed there.
 */
static MogoNames running = 0;
static MogoNames failed = 0;

/* The function of ours that a fast-path call is about, which has no text. */
static MogoNames fast_path = 0;

/*
 * Forgets the verdict when the message that it was about goes away.
 */
static void
message_gone(void *arg)
{
	message_watched = false;
	judged_text = NULL;
	failed = 0;
}

/*
 * Returns the text of the statement that this session runs, as it was sent,
 * or NULL where none runs.
 */
const char *
mogo_statement_text(void)
{
	return debug_query_string == mask ? masked_text : debug_query_string;
}

/*
 * Returns the verdict on that statement. Allocates nothing and never fails.
 */
MogoVerdict
mogo_judge_statement(void)
{
	const char *text = mogo_statement_text();
	MogoVerdict verdict;

	if (text != NULL && text == judged_text)
		return judged;
	verdict = mogo_judge_text(text);

	/* Background workers have no messages; their statements are judged anew. */
	if (text != NULL && MessageContext != NULL && MyProcPort != NULL)
	{
		if (!message_watched)
		{
			message_callback.func = message_gone;
			MemoryContextRegisterResetCallback(MessageContext, &message_callback);
			message_watched = true;
		}
		judged_text = text;
		judged = verdict;
	}
	return verdict;
}

/*
 * Whether a fast-path call runs, as far as that can be known.
 */
static bool
in_fast_path(void)
{
	return debug_query_string == NULL && MyBEEntry != NULL &&
		(MyBEEntry->st_state == STATE_FASTPATH ||
		 MyBEEntry->st_state == STATE_DISABLED);
}

/*
 * The functions of ours at work in ways that the statement's text does not
 * show; forget says that the failure has been reported.
 */
MogoNames
mogo_names_running(bool forget)
{
	MogoNames	names = running | failed;

	if (in_fast_path())
		names |= fast_path;
	if (forget)
		failed = 0;
	return names;
}

/*
 * Puts a mask in the place of the running statement's text, for as long as it
 * runs: in pg_stat_activity, where it also stays when the session is idle,
 * and in debug_query_string, which is what STATEMENT lines print and what
 * parallel maintenance workers are given. (current_query() shows it too.)
 */
void
mogo_mask_statement(MogoNames names)
{
	if (debug_query_string == NULL)
		return;
	mogo_make_mask(mask, names);
	if (debug_query_string != mask)
	{
		masked_text = debug_query_string;
		debug_query_string = mask;
	}
	if (MyBEEntry != NULL && MyBEEntry->st_state == STATE_RUNNING)
		pgstat_report_activity(STATE_RUNNING, mask);
}

/*
 * Gives the portal that runs the mask for a text where it puts its whole result
 * aside (RETURNING, EXPLAIN, CALL): an Execute that fetches the rest shows the
 * portal's text again, and comes by no hook. Nothing else is done with it by then.
 */
static void
mask_portal(void)
{
	Portal		portal = ActivePortal;
	char	   *text;

	if (portal == NULL || list_length(portal->stmts) != 1 ||
		(portal->strategy != PORTAL_ONE_RETURNING &&
		 portal->strategy != PORTAL_ONE_MOD_WITH &&
		 portal->strategy != PORTAL_UTIL_SELECT) ||
		mogo_skip_mask(portal->sourceText) != NULL)
		return;
	text = MemoryContextAlloc(portal->portalContext, MOGO_MASK_SIZE);
	strlcpy(text, mask, MOGO_MASK_SIZE);
	portal->sourceText = text;
}

/*
 * Masks the running statement if it needs that and is not masked. In the
 * extended protocol PostgreSQL shows the text again at Bind and at Execute.
 */
static void
mask_again(void)
{
	if (debug_query_string != mask)
	{
		MogoVerdict verdict = mogo_judge_statement();

		if (verdict.names == 0 || verdict.harmless)
			return;
		mogo_mask_statement(verdict.names);
	}
	mask_portal();
}

/*
 * Judges one statement of a string. The scripts of extensions are strings of
 * thousands, each of which is analyzed with the whole text at hand.
 */
static MogoVerdict
judge_part(const char *text, const Query *query)
{
	MogoVerdict verdict;
	char	   *part;

	if (query->stmt_location < 0)
		return mogo_judge_text(text);
	text += query->stmt_location;
	if (query->stmt_len == 0)
		return mogo_judge_text(text);
	part = pnstrdup(text, query->stmt_len);
	verdict = mogo_judge_text(part);
	pfree(part);
	return verdict;
}

/*
 * Parse analysis of one statement is done: mask its text if it holds values,
 * and keep it out of pg_stat_statements, which ignores statements without a
 * query id. Its own hook looks at the id after ours in either order, so that
 * either library may be loaded first.
 */
static void
inspect_statement(const char *text, Query *query)
{
	bool		top = text != NULL && text == mogo_statement_text();
	MogoVerdict verdict;

	if (text == NULL)
		return;
	if (top)
	{
		verdict = mogo_judge_statement();

		/* The string may since have prepared what it executes now. */
		if (query->utilityStmt != NULL &&
			(IsA(query->utilityStmt, ExecuteStmt) ||
			 IsA(query->utilityStmt, ExplainStmt) ||
			 IsA(query->utilityStmt, CreateTableAsStmt)))
		{
			MogoNames	names = judge_part(text, query).names;

			if ((names & ~verdict.names) != 0)
			{
				verdict.names |= names;
				verdict.harmless = false;
				if (text == judged_text)
					judged = verdict;
			}
		}
	}
	else
		verdict = judge_part(text, query);

	if (verdict.names == 0)
		return;
	if (!verdict.harmless || query->utilityStmt != NULL)
	{
		mogo_watchful = true;
		query->queryId = 0;
	}
	if (top && !verdict.harmless)
		mogo_mask_statement(verdict.names);
}

static void
redact_post_parse_analyze(ParseState *pstate, Query *query, JumbleState *jstate)
{
	if (mogo_redact_statements)
		inspect_statement(pstate->p_sourcetext, query);
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
}

/*
 * Parallel workers show and log the text that the executor's state holds.
 * It is masked when the executor has started, because start-up computes error
 * positions in it; auto_explain reads the QueryDesc's, which stays.
 */
static void
redact_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	if (mogo_watchful && mogo_redact_statements)
		mask_again();

	if (prev_ExecutorStart)
		prev_ExecutorStart(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);

	if (mogo_watchful && mogo_redact_statements &&
		queryDesc->plannedstmt->parallelModeNeeded)
	{
		MogoVerdict verdict = mogo_judge_text(queryDesc->sourceText);

		if (verdict.names != 0 && !verdict.harmless)
		{
			EState	   *estate = queryDesc->estate;
			char	   *text = MemoryContextAlloc(estate->es_query_cxt, MOGO_MASK_SIZE);

			mogo_make_mask(text, verdict.names);
			estate->es_sourceText = text;
		}
	}
}

/*
 * Runs a query. Where a FETCH, say, runs a query of ours that it does not
 * name, the log hook learns of it from the variables set here.
 */
static void
redact_ExecutorRun(QueryDesc *queryDesc, ScanDirection direction,
				   uint64 count MOGO_EXECUTE_ONCE_DECL)
{
	MogoNames	names = 0;

	if (mogo_watchful && mogo_redact_statements)
	{
		mask_again();
		if (mogo_judge_statement().names == 0)
			names = mogo_names_in(queryDesc->sourceText);
	}
	if (names == 0)
	{
		if (prev_ExecutorRun)
			prev_ExecutorRun(queryDesc, direction, count MOGO_EXECUTE_ONCE);
		else
			standard_ExecutorRun(queryDesc, direction, count MOGO_EXECUTE_ONCE);
	}
	else
	{
		MogoNames	before = running;

		running |= names;
		PG_TRY();
		{
			if (prev_ExecutorRun)
				prev_ExecutorRun(queryDesc, direction, count MOGO_EXECUTE_ONCE);
			else
				standard_ExecutorRun(queryDesc, direction, count MOGO_EXECUTE_ONCE);
			running = before;
		}
		PG_CATCH();
		{
			running = before;
			failed |= names;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
}

static void
redact_ProcessUtility(PlannedStmt *pstmt, const char *queryString,
					  bool readOnlyTree, ProcessUtilityContext context,
					  ParamListInfo params, QueryEnvironment *queryEnv,
					  DestReceiver *dest, QueryCompletion *qc)
{
	/* A portal of the extended protocol may run a harmless statement of ours. */
	if (mogo_redact_statements && IsA(pstmt->utilityStmt, FetchStmt))
		mogo_watchful = true;

	if (mogo_watchful && mogo_redact_statements)
		mask_again();
	if (prev_ProcessUtility)
		prev_ProcessUtility(pstmt, queryString, readOnlyTree, context, params,
							queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
}

/*
 * A function is about to be executed. Only fast-path calls (PQfn) have no
 * statement; their arguments are read after this.
 */
static void
redact_object_access(ObjectAccessType access, Oid classId, Oid objectId,
					 int subId, void *arg)
{
	if (access == OAT_FUNCTION_EXECUTE && in_fast_path() && mogo_redact_statements)
	{
		char	   *name = get_func_name(objectId);

		fast_path = mogo_names_in(name);
		if (name != NULL)
			pfree(name);
	}
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);
}

/*
 * Defines the setting and, where the library is preloaded, sets the hooks.
 * Without preloading a session would be covered or not by chance.
 */
void
mogo_redact_init(void)
{
	DefineCustomBoolVariable("mogocred.redact_statements",
							 "Keeps statements that call mogocred's functions with literals, and their parameters, out of the log and the statistics.",
							 "Has an effect only where shared_preload_libraries lists mogocred.",
							 &mogo_redact_statements,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	if (!process_shared_preload_libraries_in_progress)
		return;

	prev_object_access = object_access_hook;
	object_access_hook = redact_object_access;
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = redact_post_parse_analyze;
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = redact_ExecutorStart;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = redact_ExecutorRun;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = redact_ProcessUtility;
	mogo_redact_log_init();
}
