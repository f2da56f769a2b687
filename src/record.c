/*-------------------------------------------------------------------------
 *
 * record.c
 *	  The record of every change: an audit row, a notification, a durable commit.
 *
 * Owns the setting mogocred.send_notifications. Outside of change.c's statements the
 * current user is the role that called the function, never the tables' owner, so the
 * record has the role that really asked.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

static bool send_notifications = true;

/* Defines this module's setting. */
void
mogo_record_init(void)
{
	DefineCustomBoolVariable("mogocred.send_notifications",
							 "Sends a notification on channel \"mogocred\" for every change.",
							 "PostgreSQL holds one lock for the whole cluster while a commit with a notification waits for the disk or a standby.",
							 &send_notifications,
							 true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
}

/*
 * Returns a role's name as text of this database. Roles belong to the whole cluster: a
 * name that was given in a database of another encoding may not be valid text in this
 * one, and a row with it could be dumped, but not restored. In such a name every byte
 * that is not ASCII becomes '?'.
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

/* Returns the name of the role that really asks: the session's user. */
const char *
mogo_actor(void)
{
	return mogo_role_name(GetSessionUserId());
}

/*
 * Sends a notification at commit. Notifications are only hints, and changes are not: if
 * PostgreSQL's queue is full, commits with a notification fail, and any role can fill
 * it (with a listener in an open transaction, and many notifications). No role may stop
 * a revocation that way, so we send nothing once the queue is half full, when
 * PostgreSQL itself starts to warn.
 */
static void
notify(const char *action, const pg_uuid_t *client_id, const pg_uuid_t *secret_id)
{
	StringInfoData payload;

	if (!send_notifications)
		return;
	if (DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) >= 0.5)
	{
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("no notification is sent on channel \"mogocred\""),
				 errdetail("PostgreSQL's queue of notifications is half full or more."),
				 errhint("End the session that keeps it from being emptied, and have services that cache answers drop them.")));
		return;
	}
	/* nothing in it needs escaping: one of our words and two UUIDs */
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
 * Records a change that was made: one audit row in this transaction, one notification at
 * its commit, and a commit that is durable once acknowledged. action is one of the words
 * in the manual; detail is JSON text. All but change and action may be NULL.
 */
void
mogo_record(const MogoChange *change, const char *action, const pg_uuid_t *client_id,
			const text *client_name, const pg_uuid_t *secret_id, const char *detail)
{
	LOCAL_FCINFO(address, 0);
	Datum		values[Natts_mogo_audit_log];
	bool		nulls[Natts_mogo_audit_log] = {false};

#define PUT(column, value, absent) \
	(values[Anum_mogo_audit_log_##column - 1] = (value), \
	 nulls[Anum_mogo_audit_log_##column - 1] = (absent))

	InitFunctionCallInfoData(*address, NULL, 0, InvalidOid, NULL, NULL);

	PUT(at, TimestampTzGetDatum(GetCurrentTimestamp()), false);
	PUT(actor, CStringGetTextDatum(mogo_actor()), false);
	PUT(acting_as, CStringGetTextDatum(mogo_role_name(GetUserId())), false);
	PUT(action, CStringGetTextDatum(action), false);
	PUT(client_id, UUIDPGetDatum(client_id), client_id == NULL);
	PUT(client_name, PointerGetDatum(client_name), client_name == NULL);
	PUT(secret_id, UUIDPGetDatum(secret_id), secret_id == NULL);
	PUT(client_addr, inet_client_addr(address), address->isnull);
	PUT(application_name, CStringGetTextDatum(application_name), false);
	PUT(detail, detail != NULL ?
		DirectFunctionCall1(jsonb_in, CStringGetDatum(detail)) : (Datum) 0, detail == NULL);
#undef PUT
	mogo_insert(change, MOGO_AUDIT_LOG, values, nulls);

	notify(action, client_id, secret_id);
	ForceSyncCommit();
}
