/*-------------------------------------------------------------------------
 *
 * redact_log.c
 *	  Looks at each record on its way to the server's log, and replaces those
 *	  that may hold a secret; see redact.c.
 *
 * PostgreSQL's rule for an emit_log_hook is that it may clear output_to_server
 * and change nothing else. So a record that may hold a secret is dropped, and
 * another one is sent in its place with LOG_SERVER_ONLY: the client gets
 * what it would have got. The new one carries the same SQLSTATE and says what
 * is known to be safe. Where only the statement is not fit to be printed, the
 * record stays, with its severity, and STATEMENT shows a mask.
 *
 * A part of a record is safe if it cannot hold a value that somebody sent:
 * a message without any string put into it, or one that is known to be filled
 * with other things. Our own details and hints are constant; our messages may
 * quote an id, which can be a secret that somebody took for one. The hook works in aborted transactions,
 * in the postmaster and while memory is short: no catalog, no allocation but
 * that of the record it sends, all buffers small and static.
 *
 *-------------------------------------------------------------------------
 */
#include "redact.h"

#include "miscadmin.h"
#include "utils/guc.h"

static emit_log_hook_type prev_emit_log = NULL;

/* Set while our own record is sent, which comes by here too. */
static bool sending = false;

/* A line of pg_log_backend_memory_contexts() */
#define MEMORY_LINE "level: %d; %s: %s%s"

/* What there is to say in the place of a record. */
typedef struct Replacement
{
	const char *head;			/* message: so many bytes of this, */
	int			head_len;
	const char *tail;			/* and this */
	const char *detail;			/* or NULL, like the next two */
	const char *hint;
	const char *context;
} Replacement;

/*
 * Whether a format puts no string and no character into a message. Numbers
 * and the system's own error texts are no secrets.
 */
static bool
takes_no_string(const char *format)
{
	while ((format = strchr(format, '%')) != NULL)
	{
		format += 1 + strspn(format + 1, "0123456789.*-+ #'lhzjt$");
		if (*format == '\0' || strchr("diuxXofFeEgGpm%", *format) == NULL)
			return false;
		format++;
	}
	return true;
}

/*
 * Whether a message can hold no value that was sent: by the format it was
 * made from, which elog.c keeps untranslated.
 */
static bool
message_is_safe(const ErrorData *edata, bool own)
{
	/* Filled with argument names, and with names of clients and tables that exist */
	static const char *const our_starts[] = {
		"%s must not ",
		"client name \"%s\" already exists",
		"client \"%s\" has too many ",
		"table \"%s\" of extension "
	};

	/* Filled with names of objects that exist, modes, times, paths */
	static const char *const starts[] = {
		"process %d ",			/* log_lock_waits, log_lock_failures */
		"temporary file: path ",	/* log_temp_files */
		"permission denied for ",
		"must be owner of ",
		"function %s does not exist",
		"function %s is not unique",
		"cannot execute %s ",	/* read-only transaction, recovery */
		"fastpath function call: ",
		"duration: %s ms  fastpath function call: "
	};
	const char *id = edata->message_id;

	if (id == NULL)
		return false;
	if (takes_no_string(id) || strcmp(id, "duration: %s ms") == 0)
		return true;
	for (int i = 0; i < lengthof(starts); i++)
		if (strncmp(id, starts[i], strlen(starts[i])) == 0)
			return true;
	for (int i = 0; own && i < lengthof(our_starts); i++)
		if (strncmp(id, our_starts[i], strlen(our_starts[i])) == 0)
			return true;

	/* log_statement_stats and the like: a title, and figures as the detail */
	return edata->funcname != NULL && strcmp(edata->funcname, "ShowUsage") == 0;
}

/*
 * Lists of memory contexts show the beginnings of the statements whose plans
 * are kept; one that was cut may not show that it names a function of ours.
 * Other lines show names of objects only.
 */
static bool
shows_statement(const ErrorData *edata)
{
	const char *message = edata->message;

	return strstr(message, "; CachedPlan") != NULL &&
		(mogo_names_in(message) != 0 ||
		 (mogo_watchful && strcmp(message + strlen(message) - 3, "...") == 0));
}

/*
 * Whether the detail that goes with a safe message is safe too: figures, the
 * processes that wait for each other, reasons for a cancel or a retry.
 */
static bool
detail_is_safe(const ErrorData *edata)
{
	int			category = ERRCODE_TO_CATEGORY(edata->sqlerrcode);

	return category == ERRCODE_TRANSACTION_ROLLBACK ||
		category == ERRCODE_OPERATOR_INTERVENTION ||
		(edata->message_id != NULL && strncmp(edata->message_id, "process %d ", 11) == 0) ||
		strcmp(edata->funcname ? edata->funcname : "", "ShowUsage") == 0;
}

/*
 * Whether the record would be followed by the statement's text, by the rules
 * of check_log_of_query(), which 14 does not export.
 */
static bool
prints_statement(const ErrorData *edata)
{
	if (edata->hide_stmt || mogo_statement_text() == NULL)
		return false;
	if (edata->elevel == LOG || edata->elevel == LOG_SERVER_ONLY)
		return log_min_error_statement == LOG || log_min_error_statement <= ERROR;
	if (log_min_error_statement == LOG)
		return edata->elevel >= FATAL;
	return edata->elevel >= log_min_error_statement;
}

/* The word for a severity as it stands before a replaced message. */
static const char *
severity(int elevel)
{
	if (elevel == LOG || elevel == LOG_SERVER_ONLY)
		return "";
	if (elevel >= PANIC)
		return "PANIC:  ";
	if (elevel >= FATAL)
		return "FATAL:  ";
	if (elevel >= ERROR)
		return "ERROR:  ";
	if (elevel >= WARNING)
		return "WARNING:  ";
	if (elevel >= NOTICE)
		return "NOTICE:  ";
	if (elevel >= INFO)
		return "INFO:  ";
	return "DEBUG:  ";
}

/*
 * Finds what can be said in the place of a message that is not safe. The
 * mask stands for the rest.
 */
static void
shorten_message(const ErrorData *edata, const char *mask, Replacement *r)
{
	const char *message = edata->message ? edata->message : "";
	const char *statement = mogo_statement_text();
	int			len = strlen(message);
	int			statement_len = statement ? strlen(statement) : 0;
	static char tail[MOGO_MASK_SIZE + 32];

	/* Statement and duration logging end with the statement, in any language. */
	if (statement_len > 0 && len > statement_len &&
		strcmp(message + len - statement_len, statement) == 0)
	{
		r->head = message;
		r->head_len = len - statement_len;
		r->tail = mask;
		return;
	}

	/* auto_explain: the first line has the duration, the plan follows. */
	if (edata->message_id != NULL &&
		strcmp(edata->message_id, "duration: %.3f ms  plan:\n%s") == 0 &&
		strchr(message, '\n') != NULL)
	{
		r->head = message;
		r->head_len = strchr(message, '\n') - message;
		snprintf(tail, sizeof(tail), " %s", mask);
		r->tail = tail;
		return;
	}

	if (edata->message_id != NULL && strcmp(edata->message_id, MEMORY_LINE) == 0 &&
		strstr(message, " used") != NULL)
	{
		r->head = message;
		r->head_len = strstr(message, " used") + 5 - message;
		snprintf(tail, sizeof(tail), ": %s", mask);
		r->tail = tail;
		return;
	}

	/* Else the format says what happened, with none of the values. */
	r->head = edata->message_id;
	if (r->head == NULL || strspn(r->head, "%s\n: ") == strlen(r->head))
		r->head = "message";
	r->head_len = strlen(r->head);
	snprintf(tail, sizeof(tail), " %s", mask);
	r->tail = tail;
}

/*
 * Sends the record that takes another one's place. Context callbacks must not
 * run for it: they are what the first one's context came from. Interrupts wait for
 * the end of the first one: a cancel in here would be an error within an error,
 * and cost the statement's text that later records are judged by.
 */
static void
send_replacement(const ErrorData *edata, const Replacement *r, bool with_statement)
{
	sending = true;
	HOLD_INTERRUPTS();
	PG_TRY();
	{
		error_context_stack = NULL; /* PG_END_TRY brings it back */
		if (errstart(LOG_SERVER_ONLY, NULL))
		{
			errcode(edata->sqlerrcode);
			errmsg_internal("%s%.*s%s", severity(edata->elevel),
							r->head_len, r->head, r->tail);
			if (r->detail)
				errdetail_internal("%s", r->detail);
			if (r->hint)
				errhint("%s", r->hint);
			if (r->context)
				errcontext_msg("%s", r->context);
			if (edata->cursorpos > 0)
				errposition(edata->cursorpos);
			errhidestmt(!with_statement);
			errfinish(edata->filename, edata->lineno, edata->funcname);
		}
	}
	PG_FINALLY();
	{
		sending = false;
	}
	PG_END_TRY();
	RESUME_INTERRUPTS();
}

/*
 * Looks at a record; drops it and sends another if it may hold a secret.
 */
static void
redact_record(ErrorData *edata)
{
	static char mask[MOGO_MASK_SIZE];
	const char *detail = edata->detail_log ? edata->detail_log : edata->detail;
	const char *context = edata->hide_ctx ? NULL : edata->context;
	MogoVerdict statement;
	MogoNames	in_detail = mogo_names_in(detail);
	MogoNames	running;
	MogoNames	names;
	bool		involved;
	bool		with_statement;
	bool		message_ok,
				detail_ok,
				hint_ok,
				context_ok,
				query_ok;
	bool		own = edata->domain != NULL &&
		strcmp(edata->domain, PG_TEXTDOMAIN("mogocred")) == 0;
	Replacement r = {0};

	statement = mogo_judge_statement();
	running = mogo_names_running(edata->elevel >= ERROR);
	if (edata->message_id != NULL && strcmp(edata->message_id, MEMORY_LINE) == 0)
	{
		if (!shows_statement(edata))
			return;
		running = MOGO_OTHER_FUNCTION;
	}

	names = statement.names | running | mogo_names_in(edata->message) | mogo_names_in(context) |
		mogo_names_in(edata->internalquery);
	involved = names != 0;
	names |= in_detail | mogo_names_in(edata->hint);
	if (names == 0)
		return;
	mogo_make_mask(mask, names);

	/*
	 * Deadlocks and crashes quote other sessions' statements in the detail;
	 * that says nothing about the one that runs here.
	 */
	message_ok = !involved || message_is_safe(edata, own);
	if (!message_ok && statement.names != 0 && statement.harmless)
	{
		/* The statement itself is logged, and there is no value in it. */
		shorten_message(edata, mask, &r);
		message_ok = r.tail == mask;
	}
	detail_ok = detail == NULL || own ||
		(in_detail == 0 ? (!involved || (message_is_safe(edata, own) && detail_is_safe(edata)))
		 : (!involved && mogo_judge_text(detail).harmless));
	hint_ok = edata->hint == NULL || own || message_ok;
	context_ok = context == NULL || !involved || mogo_context_is_harmless(context);
	query_ok = edata->internalquery == NULL || !involved;

	/*
	 * A statement that failed to parse may hold anything anywhere. One that
	 * calls a function around ours is masked too, as far as can be known.
	 */
	with_statement = prints_statement(edata);
	if (involved &&
		(with_statement || edata->elevel >= ERROR) &&
		(statement.names == 0 || !statement.harmless ||
		 (edata->elevel >= ERROR && ERRCODE_TO_CATEGORY(edata->sqlerrcode) ==
		  ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)))
		mogo_mask_statement(names);

	if (message_ok && detail_ok && hint_ok && context_ok && query_ok)
		return;

	edata->output_to_server = false;
	if (message_ok)
	{
		r.head = edata->message ? edata->message : "";
		r.head_len = strlen(r.head);
		r.tail = "";
	}
	else
		shorten_message(edata, mask, &r);
	if (detail_ok)
		r.detail = detail;
	else if (edata->detail_log && edata->detail && mogo_names_in(edata->detail) == 0 &&
			 edata->message_id && strcmp(edata->message_id, "deadlock detected") == 0)
		r.detail = edata->detail;	/* the waits without the statements */
	else
		r.detail = "The detail was redacted by mogocred.";
	r.hint = hint_ok ? edata->hint : NULL;
	r.context = context_ok ? context : NULL;
	send_replacement(edata, &r, with_statement);
}

static void
redact_emit_log(ErrorData *edata)
{
	if (!sending && mogo_redact_statements && edata->output_to_server)
		redact_record(edata);

	/* A hook that ships records elsewhere must not see what was dropped. */
	if (prev_emit_log && edata->output_to_server)
		prev_emit_log(edata);
}

void
mogo_redact_log_init(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = redact_emit_log;
}
