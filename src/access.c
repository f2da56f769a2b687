/*-------------------------------------------------------------------------
 *
 * access.c
 *	  The two roles that a deployment has: an administrator and a verifier.
 *
 * What each may do is in the lists below and nowhere else. mogo_purge_audit and
 * the functions here are in neither: they stay with the extension's owner, so
 * that no administrator can erase his traces or make another administrator. The
 * tables are in neither too.
 *
 * The GRANTs are made as the caller, who needs the right to make them.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* What checks, and writes nothing. */
static const char *const verifier_objects[] = {
	"mogo_verify", "mogo_verify_digest", "mogo_verify_status",
	"mogo_authenticate", "mogo_authenticate_basic",
	NULL
};

/* What an administrator has besides. */
static const char *const admin_objects[] = {
	"mogo_credentials", "mogo_credentials_json", "mogo_registration_json",
	"mogo_add_client", "mogo_import_client", "mogo_update_client",
	"mogo_enable_client", "mogo_disable_client", "mogo_remove_client",
	"mogo_add_secret", "mogo_rotate_secret", "mogo_revoke_secret", "mogo_purge",
	"mogo_clients", "mogo_secrets", "mogo_audit",
	/* the views call the first two as the role that reads them */
	"mogo_usage_count", "mogo_usage_last_at", "mogo_usage_status",
	NULL
};

/*
 * All that can be granted: each member's name, the privilege, the object, and whether
 * we have its owner's rights.
 */
static const char members[] =
"WITH member AS (SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d"
" JOIN pg_catalog.pg_extension AS e ON d.refobjid OPERATOR(pg_catalog.=) e.oid"
" WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass"
" AND d.deptype OPERATOR(pg_catalog.=) 'e'"
" AND e.extname OPERATOR(pg_catalog.=) 'mogocred')"
" SELECT p.proname, 'EXECUTE', pg_catalog.format('FUNCTION %s', p.oid::pg_catalog.regprocedure),"
" pg_catalog.pg_has_role(p.proowner, 'USAGE')"
" FROM pg_catalog.pg_proc AS p JOIN member AS m"
" ON p.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass"
" UNION ALL"
" SELECT c.relname, 'SELECT', pg_catalog.format('TABLE %s', c.oid::pg_catalog.regclass),"
" pg_catalog.pg_has_role(c.relowner, 'USAGE')"
" FROM pg_catalog.pg_class AS c JOIN member AS m"
" ON c.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
" UNION ALL"
" SELECT t.typname, 'USAGE', pg_catalog.format('TYPE %s', t.oid::pg_catalog.regtype),"
" pg_catalog.pg_has_role(t.typowner, 'USAGE')"
" FROM pg_catalog.pg_type AS t JOIN member AS m"
" ON t.oid OPERATOR(pg_catalog.=) m.objid"
" AND m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass"
" WHERE t.typcategory OPERATOR(pg_catalog.<>) 'A'";

/*
 * Does the schema hold anything that is not ours, nor pgcrypto's, which CASCADE puts
 * beside us? Then USAGE of it may have been granted for that, and is not ours to take
 * back.
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
run(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * Only an owner can grant and revoke. Without this error GRANT and REVOKE would only
 * warn, and the audit would tell of what never was.
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
 * The role in argument 0, quoted. Raises 22004 for NULL, 22023 for "-", which
 * would be PUBLIC, 42704 for a number that is nobody's, and 42501 for a caller who
 * is not the owner.
 */
static const char *
role_arg(FunctionCallInfo fcinfo)
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
	require_owner(has_privs_of_role(GetUserId(), mogo_owner()));
	return quote_identifier(name);
}

/* Is the name in a list that NULL ends? */
static bool
listed(const char *name, const char *const *list)
{
	while (*list != NULL && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

/* Every member of the extension, as rows of the statement above. */
static SPITupleTable *
find_members(uint64 *n)
{
	run(members);
	*n = SPI_processed;
	return SPI_tuptable;
}

/* Columns of such a row, counted from 1. */
static char *
member_column(SPITupleTable *table, uint64 row, int column)
{
	return SPI_getvalue(table->vals[row], table->tupdesc, column);
}

/* The object of such a row, of which we have to be the owner. */
static char *
member_object(SPITupleTable *table, uint64 row)
{
	require_owner(*member_column(table, row, 4) == 't');
	return member_column(table, row, 3);
}

/* Our schema's oid, and its name, quoted. */
static Oid
our_schema(FunctionCallInfo fcinfo, const char **name)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	*name = quote_identifier(get_namespace_name(schema));
	return schema;
}

/* Records who was given, or lost, what. */
static void
record(FunctionCallInfo fcinfo, const char *action, const char *access)
{
	StringInfoData detail;
	char	   *name = mogo_role_name(PG_GETARG_OID(0));

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"role\": ");
	mogo_append_text(&detail, cstring_to_text(name));
	if (access != NULL)
		appendStringInfo(&detail, ", \"access\": \"%s\"", access);
	appendStringInfoChar(&detail, '}');
	mogo_record(action, NULL, (Datum) 0, NULL,
				DirectFunctionCall1(jsonb_in, CStringGetDatum(detail.data)));
}

/* Grants what stands in the verifier's list and, for an administrator, in his. */
static void
grant(FunctionCallInfo fcinfo, bool admin)
{
	const char *role = role_arg(fcinfo);
	const char *schema_name;
	Oid			schema = our_schema(fcinfo, &schema_name);
	uint64		n;
	SPITupleTable *table = find_members(&n);

	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = member_column(table, i, 1);

		if (listed(name, verifier_objects) || (admin && listed(name, admin_objects)))
			run(psprintf("GRANT %s ON %s TO %s", member_column(table, i, 2),
						 member_object(table, i), role));
	}
	if (mogo_schema_aclcheck(schema, PG_GETARG_OID(0), ACL_USAGE) != ACLCHECK_OK)
	{
		run(psprintf("GRANT USAGE ON SCHEMA %s TO %s", schema_name, role));
		/* the schema may be another's: where we may only use it, GRANT has only warned */
		if (mogo_schema_aclcheck(schema, PG_GETARG_OID(0), ACL_USAGE) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("could not grant usage of schema %s", schema_name),
					 errhint("Have the schema's owner grant it, and try again.")));
	}
	record(fcinfo, "access_granted", admin ? "admin" : "verifier");
}

PG_FUNCTION_INFO_V1(mogo_grant_admin);
PG_FUNCTION_INFO_V1(mogo_grant_verifier);
PG_FUNCTION_INFO_V1(mogo_revoke_access);

/* mogo_grant_admin(role regrole) returns void */
Datum
mogo_grant_admin(PG_FUNCTION_ARGS)
{
	mogo_begin(fcinfo, "mogo_grant_admin()");
	grant(fcinfo, true);
	mogo_end();
	PG_RETURN_VOID();
}

/* mogo_grant_verifier(role regrole) returns void */
Datum
mogo_grant_verifier(PG_FUNCTION_ARGS)
{
	mogo_begin(fcinfo, "mogo_grant_verifier()");
	grant(fcinfo, false);
	mogo_end();
	PG_RETURN_VOID();
}

/*
 * mogo_revoke_access(role regrole) returns void: takes back all that the two
 * above gave, so that the role can be dropped. The owner's own rights are refused
 * (22023): the functions need them.
 */
Datum
mogo_revoke_access(PG_FUNCTION_ARGS)
{
	const char *role;
	const char *schema_name;
	Oid			schema;
	Oid			argtypes[1] = {OIDOID};
	Datum		values[1];
	uint64		n;
	SPITupleTable *table;

	mogo_begin(fcinfo, "mogo_revoke_access()");
	role = role_arg(fcinfo);
	if (PG_GETARG_OID(0) == mogo_owner())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the owner of extension mogocred keeps its rights")));
	schema = our_schema(fcinfo, &schema_name);
	table = find_members(&n);
	for (uint64 i = 0; i < n; i++)
		run(psprintf("REVOKE ALL ON %s FROM %s CASCADE", member_object(table, i), role));

	values[0] = ObjectIdGetDatum(schema);
	if (SPI_execute_with_args(foreign_objects, 1, argtypes, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	if (SPI_processed == 0)
		run(psprintf("REVOKE USAGE ON SCHEMA %s FROM %s CASCADE", schema_name, role));
	record(fcinfo, "access_revoked", NULL);
	mogo_end();
	PG_RETURN_VOID();
}
