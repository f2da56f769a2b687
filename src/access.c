/*-------------------------------------------------------------------------
 *
 * access.c
 *	  The roles that a deployment has: administrator, verifier, portal, monitor.
 *
 * The table below says what each may use; no other place does. mogo_purge_audit and the
 * functions here are not in it: they stay with the extension's owner, so that an
 * administrator can neither erase the audit nor make another administrator. The tables
 * are not in it either.
 *
 * GRANT and REVOKE run as the caller, who needs the right to run them. Grants add up; the
 * record says what a role has after each.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Kinds of access, in the order in which the record lists them */
#define ACCESS_ADMIN		0x01
#define ACCESS_MONITOR		0x02
#define ACCESS_PORTAL		0x04
#define ACCESS_VERIFIER		0x08

static const char *const access_names[] = {"admin", "monitor", "portal", "verifier"};

/* An administrator may use what a verifier and a monitor may. */
#define VERIFIER	(ACCESS_VERIFIER | ACCESS_ADMIN)
#define MONITOR		(ACCESS_MONITOR | ACCESS_ADMIN)

static const struct
{
	const char *name;
	int			access;			/* the kinds that may use it */
}			objects[] =

{
	/* what checks or reads one client, and changes no more than a hash's form */
	{"mogo_verify", VERIFIER},
	{"mogo_verify_digest", VERIFIER},
	{"mogo_verify_status", VERIFIER},
	{"mogo_authenticate", VERIFIER},
	{"mogo_authenticate_basic", VERIFIER},
	{"mogo_get_client", VERIFIER},
	{"mogo_rehash_secret", VERIFIER},

	/*
	 * what lists; the views call the first four functions as the role that
	 * reads them
	 */
	{"mogo_live_count", MONITOR},
	{"mogo_next_expiry", MONITOR},
	{"mogo_usage_count", MONITOR},
	{"mogo_usage_last_at", MONITOR},
	{"mogo_usage_status", MONITOR},
	{"mogo_clients", MONITOR},
	{"mogo_secrets", MONITOR},
	{"mogo_audit", MONITOR},
	{"mogo_invitations", MONITOR},
	/* what proves an invitation or a present secret */
	{"mogo_accept_invitation", ACCESS_PORTAL},
	{"mogo_rotate_own_secret", ACCESS_PORTAL},
	/* what manages */
	{"mogo_credentials", ACCESS_ADMIN},
	{"mogo_credentials_json", ACCESS_ADMIN},
	{"mogo_registration_json", ACCESS_ADMIN},
	{"mogo_add_client", ACCESS_ADMIN},
	{"mogo_ensure_client", ACCESS_ADMIN},
	{"mogo_import_client", ACCESS_ADMIN},
	{"mogo_import_secret", ACCESS_ADMIN},
	{"mogo_update_client", ACCESS_ADMIN},
	{"mogo_enable_client", ACCESS_ADMIN},
	{"mogo_disable_client", ACCESS_ADMIN},
	{"mogo_remove_client", ACCESS_ADMIN},
	{"mogo_add_secret", ACCESS_ADMIN},
	{"mogo_rotate_secret", ACCESS_ADMIN},
	{"mogo_update_secret", ACCESS_ADMIN},
	{"mogo_revoke_secret", ACCESS_ADMIN},
	{"mogo_find_secret", ACCESS_ADMIN},
	{"mogo_invitation", ACCESS_ADMIN},
	{"mogo_invite", ACCESS_ADMIN},
	{"mogo_revoke_invitation", ACCESS_ADMIN},
	{"mogo_purge", ACCESS_ADMIN}
};

/*
 * All that can be granted: each member's name, the privilege, the object, whether we
 * have its owner's rights, and whether the role $1 has any right on it, in any way.
 */
static const char members[] =
"WITH member AS (SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d"
" JOIN pg_catalog.pg_extension AS e ON d.refobjid OPERATOR(pg_catalog.=) e.oid"
" WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass"
" AND d.deptype OPERATOR(pg_catalog.=) 'e'"
" AND e.extname OPERATOR(pg_catalog.=) 'mogocred')"
" SELECT p.proname, 'EXECUTE', pg_catalog.format('FUNCTION %s', p.oid::pg_catalog.regprocedure),"
" pg_catalog.pg_has_role(p.proowner, 'USAGE'),"
" pg_catalog.has_function_privilege($1, p.oid, 'EXECUTE')"
" FROM pg_catalog.pg_proc AS p JOIN member AS m"
" ON p.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass"
" UNION ALL"
" SELECT c.relname, 'SELECT', pg_catalog.format('TABLE %s', c.oid::pg_catalog.regclass),"
" pg_catalog.pg_has_role(c.relowner, 'USAGE'),"
" pg_catalog.has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
" FROM pg_catalog.pg_class AS c JOIN member AS m"
" ON c.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
" UNION ALL"
" SELECT t.typname, 'USAGE', pg_catalog.format('TYPE %s', t.oid::pg_catalog.regtype),"
" pg_catalog.pg_has_role(t.typowner, 'USAGE'),"
" pg_catalog.has_type_privilege($1, t.oid, 'USAGE')"
" FROM pg_catalog.pg_type AS t JOIN member AS m"
" ON t.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass"
" WHERE t.typcategory OPERATOR(pg_catalog.<>) 'A' AND NOT EXISTS ("
" SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) t.typrelid"
" AND c.relkind OPERATOR(pg_catalog.<>) 'c')"
" ORDER BY 1, 3";

/* The columns of such a row, counted from 1 */
#define MEMBER_NAME			1
#define MEMBER_PRIVILEGE	2
#define MEMBER_OBJECT		3
#define MEMBER_IS_OWNER		4
#define MEMBER_IS_GRANTED	5

/*
 * Finds out whether the schema ($1) holds anything that is neither ours nor pgcrypto's,
 * which CASCADE puts beside us. USAGE of the schema may have been granted for that, so we
 * do not revoke it then.
 */
static const char foreign_objects[] =
"SELECT FROM (SELECT oid, tableoid FROM pg_catalog.pg_class"
" WHERE relnamespace OPERATOR(pg_catalog.=) $1"
" AND relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S}'::pg_catalog.\"char\"[])"
" UNION ALL SELECT oid, tableoid FROM pg_catalog.pg_proc"
" WHERE pronamespace OPERATOR(pg_catalog.=) $1"
" UNION ALL SELECT oid, tableoid FROM pg_catalog.pg_type"
" WHERE typnamespace OPERATOR(pg_catalog.=) $1) AS o"
" WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"
" LEFT JOIN pg_catalog.pg_extension AS e"
" ON d.refclassid OPERATOR(pg_catalog.=) e.tableoid"
" AND d.refobjid OPERATOR(pg_catalog.=) e.oid"
" WHERE d.classid OPERATOR(pg_catalog.=) o.tableoid"
" AND d.objid OPERATOR(pg_catalog.=) o.oid"
" AND (d.deptype OPERATOR(pg_catalog.=) ANY ('{a,i}'::pg_catalog.\"char\"[])"
" OR d.deptype OPERATOR(pg_catalog.=) 'e'"
" AND e.extname OPERATOR(pg_catalog.=) ANY ('{mogocred,pgcrypto}'::pg_catalog.name[])))"
" LIMIT 1";

/* Runs one GRANT or REVOKE. */
static void
grant_execute(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/* Runs a SELECT with one argument, an oid, and returns the rows. */
static SPITupleTable *
select_with_oid(const char *sql, Oid argument, uint64 *n)
{
	Oid			argtypes[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(argument)};

	if (SPI_execute_with_args(sql, 1, argtypes, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	*n = SPI_processed;
	return SPI_tuptable;
}

/*
 * Raises 42501 unless the caller has the owner's rights. GRANT and REVOKE would only
 * warn, and the audit would record a grant that was never made.
 */
static void
require_owner(bool is_owner)
{
	if (!is_owner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of extension mogocred")));
}

/*
 * Returns the name of the role in argument 0, quoted. Raises 22004 for NULL, 22023 for
 * "-", which would be PUBLIC, 42704 for a number that is no role's, and 42501 for a caller
 * that is not the owner.
 */
static const char *
role_arg(const MogoChange *change, FunctionCallInfo fcinfo)
{
	Oid			role;
	char	   *name;

	mogo_require(fcinfo, 0, "role");
	role = PG_GETARG_OID(0);
	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("role must be a role's name")));
	name = GetUserNameFromId(role, true);
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", role)));
	require_owner(has_privs_of_role(GetUserId(), change->owner));
	return quote_identifier(name);
}

/* Returns the kinds of access that may use the member of this name, 0 for none. */
static int
access_to(const char *name)
{
	for (int i = 0; i < lengthof(objects); i++)
	{
		if (strcmp(objects[i].name, name) == 0)
			return objects[i].access;
	}
	return 0;
}

/* Returns a column of a row of the statement above. */
static char *
member_column(SPITupleTable *table, uint64 row, int column)
{
	return SPI_getvalue(table->vals[row], table->tupdesc, column);
}

/*
 * Returns the object of such a row. Raises 42501 if we do not have its owner's rights.
 */
static char *
member_object(SPITupleTable *table, uint64 row)
{
	require_owner(*member_column(table, row, MEMBER_IS_OWNER) == 't');
	return member_column(table, row, MEMBER_OBJECT);
}

/* Returns the name of our schema, quoted. */
static const char *
schema_name(const MogoChange *change)
{
	return quote_identifier(get_namespace_name(change->schema));
}

/*
 * Returns the kinds of access that a role has now, because it has a right on every
 * member that the kind may use. Kinds that an administrator has anyway are left out.
 */
static int
current_access(Oid role)
{
	uint64		n;
	SPITupleTable *table = select_with_oid(members, role, &n);
	int			some = 0;
	int			missing = 0;

	for (uint64 i = 0; i < n; i++)
	{
		int			access = access_to(member_column(table, i, MEMBER_NAME));

		some |= access;
		if (*member_column(table, i, MEMBER_IS_GRANTED) != 't')
			missing |= access;
	}
	if (some & ~missing & ACCESS_ADMIN)
		missing |= ACCESS_MONITOR | ACCESS_VERIFIER;
	return some & ~missing;
}

/* Appends the names of kinds of access, each between quote marks. */
static void
append_access(StringInfo out, int access, const char *quote)
{
	const char *separator = "";

	for (int i = 0; i < lengthof(access_names); i++)
	{
		if (!(access & (1 << i)))
			continue;
		appendStringInfo(out, "%s%s%s%s", separator, quote, access_names[i], quote);
		separator = ", ";
	}
}

/* Begins a record's detail with the role in argument 0. */
static void
begin_detail(FunctionCallInfo fcinfo, StringInfo detail)
{
	initStringInfo(detail);
	appendStringInfoString(detail, "{\"role\": ");
	mogo_append_text(detail, cstring_to_text(mogo_role_name(PG_GETARG_OID(0))));
}

/*
 * Records what a role was granted, and raises a NOTICE if it has more than that. access
 * is all that it has now.
 */
static void
record_grant(const MogoChange *change, FunctionCallInfo fcinfo, int granted, int access)
{
	StringInfoData detail;
	StringInfoData list;

	begin_detail(fcinfo, &detail);
	appendStringInfoString(&detail, ", \"granted\": ");
	append_access(&detail, granted, "\"");
	appendStringInfoString(&detail, ", \"access\": [");
	append_access(&detail, access, "\"");
	appendStringInfoString(&detail, "]}");
	mogo_record(change, "access_granted", NULL, NULL, NULL, detail.data);

	if (access != granted)
	{
		initStringInfo(&list);
		append_access(&list, access, "");
		ereport(NOTICE,
				(errmsg("role \"%s\" has more access than was granted now",
						GetUserNameFromId(PG_GETARG_OID(0), false)),
				 errdetail("It has the access of: %s.", list.data),
				 errhint("To take access away, use mogo_revoke_access, then grant again.")));
	}
}

/* Grants the role in argument 0 one kind of access. command is as for mogo_begin. */
static Datum
grant(FunctionCallInfo fcinfo, const char *command, int access)
{
	MogoChange	change;
	const char *role;
	uint64		n;
	SPITupleTable *table;
	int			before;

	mogo_begin(&change, fcinfo, 1, command);
	role = role_arg(&change, fcinfo);
	before = current_access(PG_GETARG_OID(0));
	table = select_with_oid(members, PG_GETARG_OID(0), &n);
	for (uint64 i = 0; i < n; i++)
	{
		if (access_to(member_column(table, i, MEMBER_NAME)) & access)
			grant_execute(psprintf("GRANT %s ON %s TO %s",
								   member_column(table, i, MEMBER_PRIVILEGE),
								   member_object(table, i), role));
	}
	if (mogo_schema_aclcheck(change.schema, PG_GETARG_OID(0), ACL_USAGE) != ACLCHECK_OK)
	{
		grant_execute(psprintf("GRANT USAGE ON SCHEMA %s TO %s", schema_name(&change), role));

		/*
		 * if we may only use the schema, which is another's, GRANT has only
		 * warned
		 */
		if (mogo_schema_aclcheck(change.schema, PG_GETARG_OID(0), ACL_USAGE) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("could not grant usage of schema %s", schema_name(&change)),
					 errhint("Have the schema's owner grant it, and try again.")));
	}
	record_grant(&change, fcinfo, access, before | access);
	mogo_end(&change);
	PG_RETURN_VOID();
}

/* Returns whether USAGE of a schema was granted to this very role. */
static bool
has_usage_itself(Oid schema, Oid role)
{
	SPI_execute(psprintf("SELECT FROM pg_catalog.pg_namespace AS n,"
						 " LATERAL pg_catalog.aclexplode(n.nspacl) AS a"
						 " WHERE n.oid OPERATOR(pg_catalog.=) %u"
						 " AND a.grantee OPERATOR(pg_catalog.=) %u", schema, role),
				false, 0);
	return SPI_processed > 0;
}

/* Appends a right that a role keeps to a record's detail, and to the list of a message. */
static void
append_kept(StringInfo detail, StringInfo list, const char *right)
{
	bool		first = list->len == 0;

	appendStringInfo(detail, "%s\"%s\"", first ? ", \"keeps\": [" : ", ", right);
	appendStringInfo(list, "%s%s", first ? "" : ", ", right);
}

/*
 * Records that a role's access was revoked, and warns of the rights that it keeps: as a
 * member of another role, as a superuser, because another role granted them, or because
 * the schema holds objects of others too.
 */
static void
record_revoke(const MogoChange *change, FunctionCallInfo fcinfo)
{
	uint64		n;
	SPITupleTable *table = select_with_oid(members, PG_GETARG_OID(0), &n);
	const char *last = "";
	StringInfoData detail;
	StringInfoData list;

	begin_detail(fcinfo, &detail);
	initStringInfo(&list);
	for (uint64 i = 0; i < n; i++)
	{
		const char *name = member_column(table, i, MEMBER_NAME);

		/* the functions of one name stand together */
		if (*member_column(table, i, MEMBER_IS_GRANTED) != 't' || strcmp(name, last) == 0)
			continue;
		append_kept(&detail, &list, name);
		last = name;
	}
	if (has_usage_itself(change->schema, PG_GETARG_OID(0)))
		append_kept(&detail, &list, "usage of the schema");
	appendStringInfoString(&detail, list.len > 0 ? "]}" : "}");
	mogo_record(change, "access_revoked", NULL, NULL, NULL, detail.data);

	if (list.len > 0)
		ereport(WARNING,
				(errmsg("role \"%s\" keeps rights on objects of extension mogocred",
						GetUserNameFromId(PG_GETARG_OID(0), false)),
				 errdetail("They are: %s.", list.data),
				 errhint("Look for its memberships in other roles and for grants that others than the owner made. USAGE of a schema that holds other objects too is left to you.")));
}

PG_FUNCTION_INFO_V1(mogo_grant_admin);
PG_FUNCTION_INFO_V1(mogo_grant_monitor);
PG_FUNCTION_INFO_V1(mogo_grant_portal);
PG_FUNCTION_INFO_V1(mogo_grant_verifier);
PG_FUNCTION_INFO_V1(mogo_revoke_access);

/* mogo_grant_admin(role regrole) returns void */
Datum
mogo_grant_admin(PG_FUNCTION_ARGS)
{
	return grant(fcinfo, "mogo_grant_admin()", ACCESS_ADMIN);
}

/* mogo_grant_monitor(role regrole) returns void */
Datum
mogo_grant_monitor(PG_FUNCTION_ARGS)
{
	return grant(fcinfo, "mogo_grant_monitor()", ACCESS_MONITOR);
}

/* mogo_grant_portal(role regrole) returns void */
Datum
mogo_grant_portal(PG_FUNCTION_ARGS)
{
	return grant(fcinfo, "mogo_grant_portal()", ACCESS_PORTAL);
}

/* mogo_grant_verifier(role regrole) returns void */
Datum
mogo_grant_verifier(PG_FUNCTION_ARGS)
{
	return grant(fcinfo, "mogo_grant_verifier()", ACCESS_VERIFIER);
}

/*
 * mogo_revoke_access(role regrole) returns void: revokes all that the functions above
 * grant, so that the role can be dropped. Raises 22023 for the owner, because the
 * functions need the owner's rights.
 */
Datum
mogo_revoke_access(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	const char *role;
	uint64		n;
	SPITupleTable *table;

	mogo_begin(&change, fcinfo, 1, "mogo_revoke_access()");
	role = role_arg(&change, fcinfo);
	if (PG_GETARG_OID(0) == change.owner)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the owner of extension mogocred keeps its rights")));
	table = select_with_oid(members, PG_GETARG_OID(0), &n);
	for (uint64 i = 0; i < n; i++)
		grant_execute(psprintf("REVOKE ALL ON %s FROM %s CASCADE", member_object(table, i), role));

	(void) select_with_oid(foreign_objects, change.schema, &n);
	if (n == 0)
		grant_execute(psprintf("REVOKE USAGE ON SCHEMA %s FROM %s CASCADE",
							   schema_name(&change), role));
	record_revoke(&change, fcinfo);
	mogo_end(&change);
	PG_RETURN_VOID();
}
