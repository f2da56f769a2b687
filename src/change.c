/*-------------------------------------------------------------------------
 *
 * change.c
 *	  Statements on our tables, new rows in them, and the record of every change.
 *
 * The administrator's functions run as their caller, who has no right on the
 * tables. Only around one statement or one row of ours at a time do we become the
 * tables' owner: every name and operator in a statement is qualified, so nobody's
 * search_path plays a part; SECURITY_RESTRICTED_OPERATION and
 * SECURITY_LOCAL_USERID_CHANGE keep whatever the owner put on the tables from
 * doing more than the statement, and settings that it changes (the caller's
 * search_path, say) go back to what they were; SECURITY_NOFORCE_RLS makes
 * row-level security hide nothing from us that a check would see. After an error,
 * PostgreSQL's own transaction abort gives the caller's identity and settings back.
 *
 * Rule for every change: mogo_begin first (25006 comes before all other errors),
 * validate, update the client's row as the first act on it, then the rest, then
 * mogo_record, then mogo_end. Changes to one client are so serialised by its
 * row; no lock is taken that a check needs.
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
#include "commands/async.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* What mogo_begin found out; the same for a change within a change. */
static Oid	schema;
static Oid	owner;

/*
 * Refuses tables of different owners, one of whom has not the rights of mogo_client's.
 * We run statements on all of them as that one, so what another put on his table,
 * which he was given alone (the audit, say), would run with more rights than he has.
 */
static void
check_owners(void)
{
	static const char *const others[] = {
		"mogo_secret", "mogo_audit_log", "mogo_secret_usage", "mogo_client_usage"
	};

	for (int i = 0; i < lengthof(others); i++)
	{
		HeapTuple	tuple = SearchSysCache2(RELNAMENSP, CStringGetDatum(others[i]),
											ObjectIdGetDatum(schema));
		Oid			other;

		/* whoever needs it says that it is not there */
		if (!HeapTupleIsValid(tuple))
			continue;
		other = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
		if (other != owner && !has_privs_of_role(other, owner))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("tables \"mogo_client\" and \"%s\" of extension mogocred have different owners",
							others[i]),
					 errhint("Give all tables of the extension to the same role.")));
	}
}

/*
 * Makes ready for statements on our tables: finds the schema and the owner of one
 * of them, and connects to SPI. The caller's memory context stays current, so
 * what is allocated outlives mogo_end. By itself only for usage_flush.c, which
 * has no caller; all others start with mogo_begin.
 */
void
mogo_begin_as_owner_of(Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	HeapTuple	tuple;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	schema = ((Form_pg_class) GETSTRUCT(tuple))->relnamespace;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	check_owners();

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
}

/*
 * Starts a change: refuses a read-only transaction, a standby and a parallel
 * worker (25006, 25000), then as above. command names the SQL function in
 * messages.
 */
void
mogo_begin(FunctionCallInfo fcinfo, const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	PreventCommandDuringRecovery(command);
	mogo_begin_as_owner_of(mogo_table(fcinfo->flinfo->fn_oid, "mogo_client"));
}

/* The tables' owner, between mogo_begin and mogo_end. */
Oid
mogo_owner(void)
{
	return owner;
}

/* Ends a change. Results of statements are gone after it. */
void
mogo_end(void)
{
	SPI_finish();
}

/*
 * Makes the plan of a statement, or keeps the one there is where our schema is
 * still the same by oid and by name: its name is in the statement's text.
 */
static void
prepare(MogoStatement *statement)
{
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
	 * The plan for the old name is left where it is: a trigger that renamed our
	 * schema may have been called by that very plan.
	 */
	initStringInfo(&sql);
	while ((mark = strstr(rest, "@extschema@")) != NULL)
	{
		appendBinaryStringInfo(&sql, rest, mark - rest);
		appendStringInfoString(&sql, quote_identifier(name));
		rest = mark + strlen("@extschema@");
	}
	appendStringInfoString(&sql, rest);

	plan = SPI_prepare(sql.data, statement->nargs, statement->argtypes);
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

/* Until become_caller. */
static void
become_owner(Caller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->security_context);
	SetUserIdAndSecContext(owner, caller->security_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	caller->guc_level = NewGUCNestLevel();
}

/* Gives back what become_owner noted, and takes back what was set meanwhile. */
static void
become_caller(const Caller *caller)
{
	AtEOXact_GUC(false, caller->guc_level);
	SetUserIdAndSecContext(caller->user, caller->security_context);
}

/*
 * The error for a row that stayed as it was: a trigger of the tables' owner did
 * that. Nobody may be told of a client that is not there, or change one unrecorded.
 */
static void
suppressed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			 errmsg("a change of a row in one of mogocred's tables was suppressed")));
}

/*
 * Runs a statement as the tables' owner and returns the number of rows. nulls
 * may be NULL where no value is. In READ COMMITTED each statement sees what was
 * committed before it, so also what the client's row made us wait for.
 */
uint64
mogo_execute(MogoStatement *statement, const Datum *values, const bool *nulls)
{
	MemoryContext context = CurrentMemoryContext;
	Caller		caller;
	char		flags[lengthof(statement->argtypes)];
	int			result;

	for (int i = 0; i < statement->nargs; i++)
		flags[i] = nulls != NULL && nulls[i] ? 'n' : ' ';

	become_owner(&caller);
	prepare(statement);
	result = SPI_execute_plan(statement->plan, unconstify(Datum *, values), flags, false, 0);
	become_caller(&caller);
	/* SPI leaves its own context current, which mogo_end frees */
	MemoryContextSwitchTo(context);

	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Adds a row to one of our tables, as their owner: the table's first ncolumns
 * columns, any others NULL. The executor's function for a single row does it,
 * with all that an INSERT does for a row (row-level triggers, constraints, every
 * index; no statement-level triggers, no rules), because a new client is three rows
 * and to start and end a statement for each would cost more than the rows. The row
 * is seen by the next command of the transaction.
 */
void
mogo_insert(const char *table, int ncolumns, const Datum *values, const bool *nulls)
{
	Caller		caller;
	Relation	rel;
	EState	   *estate;
	MemoryContext context;
	ResultRelInfo *target;
	TupleTableSlot *slot;

	become_owner(&caller);

	rel = table_open(get_relname_relid(table, schema), RowExclusiveLock);
	mogo_check_table(rel, table);
	estate = CreateExecutorState();
	context = MemoryContextSwitchTo(estate->es_query_cxt);
	estate->es_output_cid = GetCurrentCommandId(true);
	target = makeNode(ResultRelInfo);
	InitResultRelInfo(target, rel, 0, NULL, 0);
	/* where triggers look for it */
	estate->es_opened_result_relations = list_make1(target);
	ExecOpenIndices(target, false);

	slot = table_slot_create(rel, &estate->es_tupleTable);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_isnull[i] = i >= ncolumns || nulls[i];
		slot->tts_values[i] = slot->tts_isnull[i] ? (Datum) 0 : values[i];
	}
	ExecStoreVirtualTuple(slot);

	AfterTriggerBeginQuery();
	ItemPointerSetInvalid(&slot->tts_tid);
	ExecSimpleRelationInsert(target, estate, slot);
	if (!ItemPointerIsValid(&slot->tts_tid))
		suppressed();
	AfterTriggerEndQuery(estate);

	/* ExecCloseIndices, but the locks stay, as the table's, until the transaction ends */
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		mogo_index_insert_cleanup(target, i);
		index_close(target->ri_IndexRelationDescs[i], NoLock);
	}
	ExecResetTupleTable(estate->es_tupleTable, false);
	MemoryContextSwitchTo(context);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	become_caller(&caller);
}

/* Runs a statement that has to change one row. */
void
mogo_change_row(MogoStatement *statement, const Datum *values, const bool *nulls)
{
	if (mogo_execute(statement, values, nulls) != 1)
		suppressed();
}

/*
 * For a PG_CATCH around a row of mogo_client: throws the error on. Where it is
 * PostgreSQL's 23505 for a name or an id that is taken, perhaps by a transaction
 * that was quicker than ours, it says so in our words. context is the caller's;
 * hint, which may be NULL, goes with the name.
 */
void
mogo_throw_taken(MemoryContext context, const pg_uuid_t *client_id, const text *name,
				 const char *hint)
{
	ErrorData  *error;
	bool		same_id;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION || error->constraint_name == NULL)
		PG_RE_THROW();
	same_id = strcmp(error->constraint_name, "mogo_client_pkey") == 0;
	/* what a trigger or an index of the owner's complains of is not ours to say */
	if (!same_id && strcmp(error->constraint_name, "mogo_client_client_name_key") != 0)
		PG_RE_THROW();
	FlushErrorState();
	if (same_id)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("client id \"%s\" already exists",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(client_id))))));
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("client name \"%s\" already exists", text_to_cstring(name)),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/*
 * A column of the first row of the last statement's result, counted from 1, of
 * the given type. isnull may be NULL where no null is expected. Whoever owns the
 * tables may have put a trigger on them that swallows the row, or have altered
 * them, so what we rely on is looked at: an error then, never a wild pointer.
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

/*
 * A role's name as text of this database. Roles are the whole cluster's: a name that
 * was given in a database of another encoding may be no text in this one, and a row
 * with it could be dumped, but not restored. Such a name's bytes become '?'.
 */
char *
mogo_role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, false);

	if (!pg_verifymbstr(name, strlen(name), true))
	{
		for (char *c = name; *c != '\0'; c++)
		{
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
		}
	}
	return name;
}

/* Who really asks: the session's user. */
const char *
mogo_actor(void)
{
	return mogo_role_name(GetSessionUserId());
}

/*
 * Tells whoever listens of a change, at commit. It is a hint, and the change is not:
 * where PostgreSQL's queue is full, commits with a notification fail, and any role
 * can fill it (a listener in an open transaction, and much to tell it). Nobody may
 * stop a revocation that way, so from half full on, where PostgreSQL itself starts
 * to warn, nothing is sent.
 */
static void
notify(const char *action, const pg_uuid_t *client_id, const pg_uuid_t *secret_id)
{
	StringInfoData payload;

	if (DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) >= 0.5)
	{
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("no notification is sent on channel \"mogocred\""),
				 errdetail("PostgreSQL's queue of notifications is half full or more."),
				 errhint("End the session that keeps it from being emptied, and have services that cache answers drop them.")));
		return;
	}
	/* nothing in it needs escaping: a word of ours and two UUIDs */
	initStringInfo(&payload);
	appendStringInfo(&payload, "{\"action\": \"%s\", \"clientId\": ", action);
	mogo_append_uuid(&payload, client_id);
	appendStringInfoString(&payload, ", \"secretId\": ");
	mogo_append_uuid(&payload, secret_id);
	appendStringInfoChar(&payload, '}');
	Async_Notify("mogocred", payload.data);
	pfree(payload.data);
}

/*
 * Records a change that was made: one audit row in this transaction, one
 * notification at its commit, and a commit that is on disk when it is
 * acknowledged. Outside mogo_execute the current user is who called the function,
 * never the tables' owner. action is a word of ours; the others may be NULL (0 for Datums:
 * client_name a text, detail a jsonb).
 */
void
mogo_record(const char *action, const pg_uuid_t *client_id, Datum client_name,
			const pg_uuid_t *secret_id, Datum detail)
{
	LOCAL_FCINFO(address, 0);
	Datum		values[10];
	bool		nulls[10] = {false};

	InitFunctionCallInfoData(*address, NULL, 0, InvalidOid, NULL, NULL);

	/* in the order of mogo_audit_log's columns */
	values[0] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[1] = CStringGetTextDatum(mogo_actor());
	values[2] = GetUserId() == GetSessionUserId() ? values[1] :
		CStringGetTextDatum(mogo_role_name(GetUserId()));
	values[3] = CStringGetTextDatum(action);
	values[4] = UUIDPGetDatum(client_id);
	nulls[4] = client_id == NULL;
	values[5] = client_name;
	nulls[5] = client_name == (Datum) 0;
	values[6] = UUIDPGetDatum(secret_id);
	nulls[6] = secret_id == NULL;
	values[7] = inet_client_addr(address);
	nulls[7] = address->isnull;
	values[8] = CStringGetTextDatum(application_name);
	values[9] = detail;
	nulls[9] = detail == (Datum) 0;
	mogo_insert("mogo_audit_log", lengthof(values), values, nulls);

	notify(action, client_id, secret_id);
	ForceSyncCommit();
}
