/*-------------------------------------------------------------------------
 *
 * change.c
 *	  Statements on our tables, new rows in them, and who we are meanwhile.
 *
 * The administrator's functions run as their caller, who has no right on the tables.
 * Only around one statement or one row at a time do we become the tables' owner. Every
 * name and operator in a statement is qualified, and NULLIF, IN, LIKE and the like, which
 * look for an operator by search_path, are not used; so no search_path plays a part.
 * SECURITY_RESTRICTED_OPERATION and SECURITY_LOCAL_USERID_CHANGE keep triggers and
 * rules that the owner put on the tables from doing more than the statement, and
 * settings that it changes (the caller's search_path, say) go back to what they were.
 * SECURITY_NOFORCE_RLS makes row-level security hide nothing from us that a check would
 * see. After an error, PostgreSQL's transaction abort restores the caller's identity
 * and settings.
 *
 * Rules for every change: mogo_begin first, because 25006 comes before all other errors;
 * then validate; then find out with mogo_read_latest whether there is anything to
 * change, because a change that changes nothing must lock, write and record nothing;
 * then lock the client's row (secret.c), then write, each row once; then mogo_record,
 * then mogo_end. So changes to one client are serialised by its row. No lock is taken
 * that a check needs.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* So much of a client's name is enough to find its row by. */
#define CONTEXT_NAME_BYTES	128

/*
 * Raises 55000 if another of our tables belongs to a role without the rights of
 * mogo_client's owner. We run statements on all of them as that owner, so a trigger
 * that another role put on a table of its own (the audit, say) would run with more
 * rights than that role has.
 */
static void
check_owners(const MogoChange *change)
{
	for (int i = 0; i < MOGO_TABLES; i++)
	{
		const char *name = mogo_table_name(i);
		HeapTuple	tuple = SearchSysCache2(RELNAMENSP, CStringGetDatum(name),
											ObjectIdGetDatum(change->schema));
		Oid			other;

		/* a statement that needs it raises an error if it is not there */
		if (!HeapTupleIsValid(tuple))
			continue;
		other = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
		if (other != change->owner && !has_privs_of_role(other, change->owner))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("tables \"mogo_client\" and \"%s\" of extension mogocred have different owners",
							name),
					 errhint("Give all tables of the extension to the same role.")));
	}
}

/*
 * Adds to an error which client it is about, because a statement may be about many; the
 * messages for a name or an id that exists, or does not, say so themselves. A name that
 * was not checked yet can hold anything, so control characters become '?', and bytes that
 * SQL_ASCII cannot tell the meaning of, because a client may not be able to read them.
 */
static void
client_context(void *arg)
{
	const MogoChange *change = arg;
	bool		ascii = GetDatabaseEncoding() == PG_SQL_ASCII;
	int			code = geterrcode();

	if (code == ERRCODE_UNIQUE_VIOLATION || code == ERRCODE_UNDEFINED_OBJECT)
		return;
	if (change->client_name != NULL)
	{
		const char *name = VARDATA_ANY(change->client_name);
		int			len = VARSIZE_ANY_EXHDR(change->client_name);
		char	   *copy;

		len = pg_mbcliplen(name, len, CONTEXT_NAME_BYTES);
		copy = pnstrdup(name, len);
		for (char *c = copy; *c != '\0'; c++)
		{
			if ((unsigned char) *c < 0x20 || *c == 0x7F || (ascii && IS_HIGHBIT_SET(*c)))
				*c = '?';
		}
		errcontext("client \"%s\"", copy);
	}
	else if (change->client_id != NULL)
		errcontext("client \"%s\"", mogo_uuid_text(change->client_id));
}

/*
 * Prepares for statements on our tables: finds the schema and the owner of one of them,
 * and connects to SPI. The caller's memory context stays current, so what is allocated
 * outlives mogo_end. Only usage_flush.c calls this directly, because it has no caller;
 * all others start with mogo_begin.
 */
void
mogo_begin_as_owner_of(MogoChange *change, Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	HeapTuple	tuple;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	change->schema = ((Form_pg_class) GETSTRUCT(tuple))->relnamespace;
	change->owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	check_owners(change);

	change->client_name = NULL;
	change->client_id = NULL;
	change->context.callback = client_context;
	change->context.arg = change;
	change->context.previous = error_context_stack;
	error_context_stack = &change->context;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
}

/*
 * Starts a change: refuses a read-only transaction, a standby and a parallel worker
 * (25006, 25000), then prepares as above. nargs is the number of arguments that the
 * script declares, command names the SQL function in messages. Raises 55000 if the
 * function was declared otherwise, as it is by the script of another version until ALTER
 * EXTENSION UPDATE has run.
 */
void
mogo_begin(MogoChange *change, FunctionCallInfo fcinfo, int nargs, const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	PreventCommandDuringRecovery(command);
	if (PG_NARGS() != nargs)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("function %s was declared by another version of extension mogocred", command),
				 errhint("Run ALTER EXTENSION mogocred UPDATE.")));
	mogo_begin_as_owner_of(change, mogo_table(fcinfo->flinfo->fn_oid, MOGO_CLIENT));
}

/*
 * Ends a change. Results of statements are gone after it. Must not be called inside a
 * PG_TRY, whose end would restore our entry in the stack of error contexts.
 */
void
mogo_end(MogoChange *change)
{
	SPI_finish();
	error_context_stack = change->context.previous;
}

/*
 * Makes the plan of a statement, or keeps the one there is if our schema is still the
 * same by oid and by name: its name is in the statement's text.
 */
static void
prepare(const MogoChange *change, MogoStatement *statement)
{
	Oid			schema = change->schema;
	char	   *name = get_namespace_name(schema);
	StringInfoData sql;
	const char *rest = statement->sql;
	const char *mark;
	SPIPlanPtr	plan;

	if (name == NULL)
		elog(ERROR, "cache lookup failed for schema %u", schema);
	if (statement->plan != NULL && statement->schema == schema &&
		strcmp(NameStr(statement->schema_name), name) == 0)
		return;

	/*
	 * The plan for the old name is left where it is: a trigger that renamed
	 * our schema may have been called by that very plan.
	 */
	initStringInfo(&sql);
	while ((mark = strstr(rest, "@extschema@")) != NULL)
	{
		appendBinaryStringInfo(&sql, rest, mark - rest);
		appendStringInfoString(&sql, quote_identifier(name));
		rest = mark + strlen("@extschema@");
	}
	appendStringInfoString(&sql, rest);

	/* a generic plan, because auto_explain would log a custom one with hashes */
	plan = SPI_prepare_cursor(sql.data, statement->nargs, statement->argtypes,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	statement->plan = plan;
	statement->schema = schema;
	namestrcpy(&statement->schema_name, name);
}

/* Who we were before we became the tables' owner. */
typedef struct Caller
{
	Oid			user;
	int			security_context;
	int			guc_level;
} Caller;

/* Gives a setting another value until become_caller. */
static void
set_meanwhile(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

/* Makes the tables' owner the current user, until become_caller. */
static void
become_owner(const MogoChange *change, Caller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->security_context);
	SetUserIdAndSecContext(change->owner, caller->security_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	caller->guc_level = NewGUCNestLevel();
}

/*
 * Takes away what the caller could do to a statement by settings, until become_caller. The
 * search_path is the one of core's RestrictSearchPath() (17): a second lock, if we forgot
 * to qualify a name. And who has trees and plans printed would be shown hashes.
 */
static void
restrict_settings(void)
{
	set_meanwhile("search_path", "pg_catalog, pg_temp");
	if (client_min_messages < NOTICE)
		set_meanwhile("client_min_messages", "notice");
	if (Debug_print_parse)
		set_meanwhile("debug_print_parse", "off");
	if (Debug_print_rewritten)
		set_meanwhile("debug_print_rewritten", "off");
	if (Debug_print_plan)
		set_meanwhile("debug_print_plan", "off");
}

/* Restores what become_owner noted, and every setting that changed meanwhile. */
static void
become_caller(const Caller *caller)
{
	AtEOXact_GUC(false, caller->guc_level);
	SetUserIdAndSecContext(caller->user, caller->security_context);
}

/*
 * Raises an error because a trigger on our tables suppressed a row. Otherwise a caller
 * would be told of a client that does not exist, or a client would be changed without a
 * record.
 */
static void
suppressed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			 errmsg("a change of a row in one of mogocred's tables was suppressed")));
}

/*
 * Raises 40001, as PostgreSQL does, because an older snapshot does not show what another
 * session has committed and this change must not pass over. The caller can retry.
 */
void
mogo_stale_snapshot(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/*
 * Runs a statement as the tables' owner and returns the number of rows. read_only: with
 * the active snapshot, else with a new one.
 */
static uint64
run_statement(const MogoChange *change, MogoStatement *statement, const Datum *values,
			  const bool *nulls, bool read_only)
{
	MemoryContext context = CurrentMemoryContext;
	Caller		caller;
	char		flags[lengthof(statement->argtypes)];
	int			result;

	for (int i = 0; i < statement->nargs; i++)
		flags[i] = nulls != NULL && nulls[i] ? 'n' : ' ';

	become_owner(change, &caller);
	restrict_settings();
	prepare(change, statement);
	result = SPI_execute_plan(statement->plan, unconstify(Datum *, values), flags,
							  read_only, 0);
	become_caller(&caller);
	/* SPI leaves its own context current, which mogo_end frees */
	MemoryContextSwitchTo(context);

	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Runs a statement and returns the number of rows. nulls may be NULL if no value is. In
 * READ COMMITTED each statement sees what was committed before it, so also what we
 * waited for at the client's row.
 */
uint64
mogo_execute(const MogoChange *change, MogoStatement *statement,
			 const Datum *values, const bool *nulls)
{
	return run_statement(change, statement, values, nulls, false);
}

/*
 * Runs a SELECT that sees what is committed now, at any isolation level. What it finds
 * decides only that nothing has to be changed: a revocation must not be skipped because
 * an older snapshot shows the secret as revoked already.
 */
uint64
mogo_read_latest(const MogoChange *change, MogoStatement *statement,
				 const Datum *values, const bool *nulls)
{
	uint64		rows;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	rows = run_statement(change, statement, values, nulls, true);
	PopActiveSnapshot();
	return rows;
}

/* Runs a statement that has to change one row. Raises 09000 if it did not. */
void
mogo_change_row(const MogoChange *change, MogoStatement *statement,
				const Datum *values, const bool *nulls)
{
	if (mogo_execute(change, statement, values, nulls) != 1)
		suppressed();
}

/*
 * Opens one of our tables for writing. While we waited for the lock the table may have
 * been renamed or dropped, and its name may be another's now, so we look it up again
 * until it is that of the table which we have locked. Raises 42P01.
 */
static Relation
open_table(const MogoChange *change, MogoTable table)
{
	Oid			relid = mogo_table_in(change->schema, table);
	Relation	rel;

	for (;;)
	{
		Oid			now;

		LockRelationOid(relid, RowExclusiveLock);
		now = mogo_table_in(change->schema, table);
		if (now == relid)
			break;
		UnlockRelationOid(relid, RowExclusiveLock);
		relid = now;
	}
	rel = table_open(relid, NoLock);
	mogo_check_table(rel, table);
	return rel;
}

/* Makes an open table the target of one row, with its indexes, in estate's context. */
static ResultRelInfo *
open_target(EState *estate, Relation rel)
{
	ResultRelInfo *target = makeNode(ResultRelInfo);

	estate->es_output_cid = GetCurrentCommandId(true);
	InitResultRelInfo(target, rel, 0, NULL, 0);
	/* where triggers look for it */
	estate->es_opened_result_relations = list_make1(target);
	ExecOpenIndices(target, false);
	return target;
}

/* Stores the row: the columns that we know, any others NULL. Raises 09000. */
static void
store_row(EState *estate, ResultRelInfo *target, int ncolumns,
		  const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = table_slot_create(target->ri_RelationDesc, &estate->es_tupleTable);

	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_isnull[i] = i >= ncolumns || nulls[i];
		slot->tts_values[i] = slot->tts_isnull[i] ? (Datum) 0 : values[i];
	}
	ExecStoreVirtualTuple(slot);

	AfterTriggerBeginQuery();
	ExecSimpleRelationInsert(target, estate, slot);
	if (!ItemPointerIsValid(&slot->tts_tid))
		suppressed();
	AfterTriggerEndQuery(estate);
}

/*
 * Closes the target's indexes, as ExecCloseIndices does, but keeps their locks, like the
 * table's, until the transaction ends.
 */
static void
close_target(EState *estate, ResultRelInfo *target)
{
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		mogo_index_insert_cleanup(target, i);
		index_close(target->ri_IndexRelationDescs[i], NoLock);
	}
	ExecResetTupleTable(estate->es_tupleTable, false);
}

/*
 * Adds a row to one of our tables, as their owner; columns that the owner added are
 * NULL. The executor's function for a single row does it, as in Citus'
 * columnar_metadata.c, with all that an INSERT does for a row (row-level triggers,
 * constraints, every index; no statement-level triggers, no rules): a new client is
 * three rows, and to start and end a statement for each would cost more than the rows.
 * The next command of the transaction sees the row. Raises 42P01, 42P16, 09000 and what
 * constraints raise.
 */
void
mogo_insert(const MogoChange *change, MogoTable table, const Datum *values,
			const bool *nulls)
{
	Caller		caller;
	Relation	rel;
	EState	   *estate;
	MemoryContext context;
	ResultRelInfo *target;

	become_owner(change, &caller);
	rel = open_table(change, table);
	estate = CreateExecutorState();
	context = MemoryContextSwitchTo(estate->es_query_cxt);
	target = open_target(estate, rel);
	store_row(estate, target, mogo_table_columns(table), values, nulls);
	close_target(estate, target);
	MemoryContextSwitchTo(context);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	become_caller(&caller);
}

/*
 * For a PG_CATCH around a row of mogo_client: rethrows the error. If it is PostgreSQL's
 * 23505 for a name or an id that is taken, perhaps by a transaction that was quicker,
 * we name what is taken. external_id and hint may be NULL; hint goes with the name.
 * context is the caller's.
 */
void
mogo_throw_taken(MemoryContext context, const pg_uuid_t *client_id, const text *name,
				 const text *external_id, const char *hint)
{
	ErrorData  *error;
	const char *constraint = "";

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != NULL)
		constraint = error->constraint_name;
	if (strcmp(constraint, "mogo_client_pkey") == 0)
	{
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("client id \"%s\" already exists", mogo_uuid_text(client_id))));
	}
	if (strcmp(constraint, "mogo_client_external_id_key") == 0 && external_id != NULL)
	{
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("external id \"%s\" already exists", text_to_cstring(external_id))));
	}
	if (strcmp(constraint, "mogo_client_client_name_key") == 0)
	{
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("client name \"%s\" already exists", text_to_cstring(name)),
				 hint != NULL ? errhint("%s", hint) : 0));
	}
	/* an error of the owner's own trigger or index stays as it is */
	PG_RE_THROW();
}

/*
 * Returns a column, counted from 1, of the first row of the last statement's result, of
 * the given type. isnull may be NULL if no null is expected. The tables' owner may have
 * put a trigger on them that swallows the row, or have altered them, so we look at what
 * we rely on. Raises XX000, so that nothing becomes a wild pointer.
 */
Datum
mogo_result(int column, Oid type, bool *isnull)
{
	bool		null;
	Datum		value;

	if (SPI_processed == 0 || SPI_tuptable == NULL ||
		SPI_gettypeid(SPI_tuptable->tupdesc, column) != type)
		elog(ERROR, "unexpected result of a statement on mogocred's tables");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &null);
	if (isnull != NULL)
		*isnull = null;
	else if (null)
		elog(ERROR, "unexpected null in mogocred's tables");
	return value;
}
