-- Who may do what: nobody, a verifier, an administrator, the owner.
\set VERBOSITY terse
CREATE ROLE regress_mogo_nobody;
CREATE ROLE "regress_mogo ""verifier"" é";
CREATE ROLE regress_mogo_admin;

-- All members of the extension that can be granted. (A table's own row type and
-- array types are no objects that anybody grants.)
CREATE TEMP VIEW member AS
SELECT m.kind, m.name, m.oid, m.owner, m.acl, m.default_acl FROM (
	SELECT 'function' AS kind, p.oid::regprocedure::text AS name, p.oid, p.tableoid,
		p.proowner AS owner, p.proacl AS acl, acldefault('f', p.proowner) AS default_acl
		FROM pg_proc AS p
	UNION ALL
	SELECT CASE relkind WHEN 'v' THEN 'view'
		ELSE 'table' END, c.relname, c.oid, c.tableoid, c.relowner, c.relacl,
		acldefault('r', c.relowner) FROM pg_class AS c WHERE relkind IN ('r', 'v', 'S')
	UNION ALL
	SELECT 'type', t.typname, t.oid, t.tableoid, t.typowner, t.typacl, acldefault('T', t.typowner)
		FROM pg_type AS t
	WHERE t.typcategory <> 'A' AND NOT EXISTS (
	SELECT FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind <> 'c')) AS m
JOIN pg_depend AS d ON d.classid = m.tableoid AND d.objid = m.oid AND d.deptype = 'e'
JOIN pg_extension AS e ON d.refclassid = e.tableoid AND d.refobjid = e.oid
	AND e.extname = 'mogocred';
CREATE FUNCTION pg_temp.may(role name) RETURNS TABLE (kind text, name text) LANGUAGE sql AS $$
	SELECT kind, name FROM member
	WHERE CASE kind WHEN 'function' THEN has_function_privilege(role, oid, 'EXECUTE')
	WHEN 'type' THEN has_type_privilege(role, oid, 'USAGE')
		ELSE has_table_privilege(
		role, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		OR has_any_column_privilege(role, oid, 'SELECT, INSERT, UPDATE, REFERENCES') END
	ORDER BY kind COLLATE "C", name COLLATE "C"
$$;

-- At first nobody but the owner: no function for PUBLIC, no table, no view, no type.
SELECT kind, count(*) > 0 AS some, count(*) FILTER (
	WHERE EXISTS (SELECT FROM aclexplode(COALESCE(acl, default_acl)) AS a WHERE a.grantee <> owner))
	AS for_others
FROM member GROUP BY kind ORDER BY kind;
SELECT * FROM pg_temp.may('regress_mogo_nobody');

-- A verifier: exactly the checks.
SELECT mogo_grant_verifier('"regress_mogo ""verifier"" é"');
SELECT * FROM pg_temp.may('regress_mogo "verifier" é');
SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress access') \gset
SET ROLE "regress_mogo ""verifier"" é";
SELECT mogo_verify(:'client_id', :'client_secret'),
	mogo_verify(:'client_id'::uuid, :'client_secret'),
	mogo_verify_digest(:'client_id', sha256(:'client_secret')),
	mogo_verify_status(:'client_id', :'client_secret');
SELECT client_name FROM mogo_authenticate(:'client_id', :'client_secret');
SELECT client_name FROM mogo_authenticate_basic(
	'Basic ' || encode(convert_to('x', 'UTF8'), 'base64'));
SELECT mogo_add_client('regress by a verifier');
SELECT mogo_revoke_secret(:'secret_id');
SELECT mogo_grant_verifier('regress_mogo_nobody');
SELECT client_name FROM mogo_clients;
SELECT action FROM mogo_audit;
SELECT client_id FROM mogo_client;
SELECT client_id FROM mogo_secret;
SELECT action FROM mogo_audit_log;
INSERT INTO mogo_client DEFAULT VALUES;
-- every other member, one by one
DO $$
DECLARE
	r record;
	refused int := 0;
BEGIN
	FOR r IN SELECT p.oid::regprocedure AS function, p.proname, p.pronargs FROM pg_proc AS p
		WHERE p.proname LIKE 'mogo\_%' AND p.proname NOT IN (
		'mogo_verify', 'mogo_verify_digest', 'mogo_verify_status', 'mogo_authenticate',
		'mogo_authenticate_basic', 'mogo_rehash_secret')
	LOOP
		BEGIN
			EXECUTE format('SELECT %s(%s)', r.proname, (SELECT string_agg('NULL::' || format_type(t,
			NULL), ', ') FROM pg_proc AS p, unnest(p.proargtypes) AS t WHERE p.oid = r.function));
			RAISE NOTICE '% could be called', r.function;
		EXCEPTION
			WHEN insufficient_privilege THEN
				refused := refused + 1;
			WHEN OTHERS THEN
				RAISE NOTICE '% could be called: %', r.function, SQLERRM;
		END;
	END LOOP;
	RAISE NOTICE 'refused some: %', refused > 15;
END $$;
-- he cannot pass on what he has
GRANT EXECUTE ON FUNCTION mogo_verify(text, text) TO regress_mogo_nobody;
RESET ROLE;
SELECT has_function_privilege('regress_mogo_nobody', 'mogo_verify(text, text)', 'EXECUTE')
	AS passed_on;

-- An administrator: all but the owner's.
SELECT mogo_grant_admin('regress_mogo_admin');
SELECT * FROM pg_temp.may('regress_mogo_admin') EXCEPT SELECT *
	FROM pg_temp.may('regress_mogo "verifier" é') ORDER BY kind, name;
SELECT kind, name FROM member EXCEPT SELECT * FROM pg_temp.may('regress_mogo_admin')
	ORDER BY kind, name;
SELECT count(*) AS grantable FROM member, aclexplode(acl) AS a WHERE a.is_grantable
	AND a.grantee <> owner;
SET ROLE regress_mogo_admin;
SELECT mogo_credentials_json(c) AS file FROM mogo_add_client('Mogoplus_testaccount') AS c \gset
SELECT mogo_verify(:'file'::json->>'clientId', :'file'::json->>'clientSecret'),
	:'file'::json->>'clientName' AS name;
SELECT json_typeof(mogo_registration_json(c)) AS file
	FROM mogo_add_client('regress by an admin') AS c;
SELECT client_id AS his_id FROM mogo_clients WHERE client_name = 'regress by an admin' \gset
SELECT secret_id AS his_secret_id FROM mogo_add_secret(:'his_id') \gset
SELECT (mogo_rotate_secret(:'his_id', '1 hour')).client_name;
SELECT mogo_revoke_secret(:'his_secret_id'), mogo_update_client(:'his_id', scopes => '{a}'),
	mogo_disable_client(:'his_id'), mogo_enable_client(:'his_id');
SELECT mogo_import_client('regress imported', '11111111-1111-4111-8111-111111111111', 'sha256',
	repeat('0', 64)) IS NOT NULL AS imported;
SELECT mogo_purge('0'), mogo_remove_client(:'his_id');
SELECT client_name, scopes, live_secrets FROM mogo_clients ORDER BY client_name COLLATE "C";
SELECT count(*) > 0 AS secrets FROM mogo_secrets;
SELECT action, client_name, acting_as FROM mogo_audit WHERE acting_as = 'regress_mogo_admin'
	ORDER BY at;
-- what is not his: traces, access, tables, settings
SELECT mogo_purge_audit('0');
SELECT mogo_grant_admin('regress_mogo_nobody');
SELECT mogo_grant_verifier('regress_mogo_nobody');
SELECT mogo_revoke_access('regress_mogo_nobody');
SELECT salt FROM mogo_client;
SELECT hash FROM mogo_secret;
UPDATE mogo_client SET enabled = false;
DELETE FROM mogo_audit_log;
DELETE FROM mogo_clients;
DELETE FROM mogo_audit;
CREATE TRIGGER regress_trigger INSTEAD OF DELETE ON mogo_clients FOR EACH ROW
	EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER FUNCTION mogo_verify(text, text) SET log_statement = 'all';
SET mogocred.max_live_secrets = 20;
SET mogocred.bcrypt_cost = 4;
RESET ROLE;

-- Twice is no error; who becomes an administrator is one; one call takes it all back,
-- and the roles can go.
SELECT mogo_grant_verifier('"regress_mogo ""verifier"" é"'),
	mogo_grant_admin('"regress_mogo ""verifier"" é"'), mogo_grant_admin('regress_mogo_admin');
SELECT count(*) AS differences
	FROM ((SELECT * FROM pg_temp.may('regress_mogo "verifier" é') EXCEPT SELECT *
	FROM pg_temp.may('regress_mogo_admin'))
	UNION ALL (SELECT * FROM pg_temp.may('regress_mogo_admin') EXCEPT SELECT * FROM pg_temp.may(
	'regress_mogo "verifier" é'))) AS d;
SELECT mogo_revoke_access('"regress_mogo ""verifier"" é"'),
	mogo_revoke_access('regress_mogo_admin'), mogo_revoke_access('regress_mogo_nobody');
SELECT * FROM pg_temp.may('regress_mogo "verifier" é') UNION ALL SELECT *
	FROM pg_temp.may('regress_mogo_admin');
SET ROLE regress_mogo_admin;
SELECT mogo_verify(:'client_id', :'client_secret');
RESET ROLE;
DROP ROLE "regress_mogo ""verifier"" é";
DROP ROLE regress_mogo_admin;
SELECT action, detail FROM mogo_audit WHERE action LIKE 'access%' ORDER BY at;

-- In a schema of its own, USAGE comes and goes with the rest.
CREATE DATABASE regress_mogo_access TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
SELECT current_database() AS this_database \gset
\c regress_mogo_access
\set VERBOSITY terse
CREATE SCHEMA "My schema";
CREATE EXTENSION mogocred SCHEMA "My schema" CASCADE;
CREATE ROLE regress_mogo_verifier;
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE') AS usage,
	has_schema_privilege('regress_mogo_verifier', 'My schema', 'CREATE') AS may_create;
SELECT client_id, client_secret FROM "My schema".mogo_add_client('regress access') \gset
SET ROLE regress_mogo_verifier;
SELECT "My schema".mogo_verify(:'client_id', :'client_secret');
RESET ROLE;
SELECT "My schema".mogo_revoke_access('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE') AS usage;
DROP ROLE regress_mogo_verifier;
-- where something else stands in it, USAGE may be for that, and stays
CREATE ROLE regress_mogo_verifier;
CREATE TABLE "My schema".somebody_elses ();
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier'),
	"My schema".mogo_revoke_access('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE') AS usage;
DROP TABLE "My schema".somebody_elses;
CREATE TYPE "My schema".somebody_elses AS ENUM ('a');
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier'),
	"My schema".mogo_revoke_access('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE') AS usage_for_a_type;
DROP TYPE "My schema".somebody_elses;
CREATE FUNCTION "My schema".somebody_elses() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER EXTENSION plpgsql ADD FUNCTION "My schema".somebody_elses();
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier'),
	"My schema".mogo_revoke_access('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE')
	AS usage_for_another_extension;
ALTER EXTENSION plpgsql DROP FUNCTION "My schema".somebody_elses();
DROP FUNCTION "My schema".somebody_elses();
SELECT "My schema".mogo_revoke_access('regress_mogo_verifier');
SELECT has_schema_privilege('regress_mogo_verifier', 'My schema', 'USAGE') AS usage;
DROP ROLE regress_mogo_verifier;
-- where the schema is not the extension's owner's, and he may only use it: an error,
-- not a warning and an audit row that tells of what never was
CREATE ROLE regress_mogo_owner SUPERUSER;
CREATE ROLE regress_mogo_verifier;
DROP EXTENSION mogocred;
SET ROLE regress_mogo_owner;
CREATE EXTENSION mogocred SCHEMA "My schema";
RESET ROLE;
ALTER ROLE regress_mogo_owner NOSUPERUSER;
GRANT USAGE ON SCHEMA "My schema" TO regress_mogo_owner;
SET ROLE regress_mogo_owner;
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier');
RESET ROLE;
GRANT USAGE ON SCHEMA "My schema" TO regress_mogo_verifier;
SET ROLE regress_mogo_owner;
SELECT "My schema".mogo_grant_verifier('regress_mogo_verifier');
SELECT action, detail FROM "My schema".mogo_audit;
RESET ROLE;
DROP EXTENSION mogocred;
DROP OWNED BY regress_mogo_owner, regress_mogo_verifier;
DROP ROLE regress_mogo_owner, regress_mogo_verifier;
\c :this_database
DROP DATABASE regress_mogo_access;

-- The owner's rights are not to be taken, and who is not the owner cannot give: without
-- an error, GRANT would only warn, and the audit would tell of what never was.
SELECT mogo_revoke_access(current_user::regrole);
\echo :LAST_ERROR_SQLSTATE
GRANT EXECUTE ON FUNCTION mogo_grant_verifier(regrole) TO regress_mogo_nobody;
SET ROLE regress_mogo_nobody;
SELECT mogo_grant_verifier('regress_mogo_nobody');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE EXECUTE ON FUNCTION mogo_grant_verifier(regrole) FROM regress_mogo_nobody;
-- who owns the tables alone is not the owner either
BEGIN;
CREATE ROLE regress_mogo_tables;
ALTER TABLE mogo_client OWNER TO regress_mogo_tables;
ALTER TABLE mogo_secret OWNER TO regress_mogo_tables;
ALTER TABLE mogo_audit_log OWNER TO regress_mogo_tables;
SELECT mogo_grant_verifier('regress_mogo_tables');
GRANT EXECUTE ON FUNCTION mogo_grant_verifier(regrole),
	mogo_revoke_access(regrole) TO regress_mogo_tables;
SAVEPOINT s;
SET ROLE regress_mogo_tables;
SELECT mogo_grant_verifier('regress_mogo_nobody');
ROLLBACK TO s;
SET ROLE regress_mogo_tables;
SELECT mogo_revoke_access('regress_mogo_nobody');
ROLLBACK;
SELECT count(*) AS owner_still_may FROM mogo_add_client('regress owner');

DROP ROLE regress_mogo_nobody;

-- A monitor: exactly the views and the use counts' state.
CREATE ROLE regress_mogo_monitor;
SELECT mogo_grant_monitor('regress_mogo_monitor');
SELECT string_agg(DISTINCT proname::text, ' ' ORDER BY proname::text) AS functions FROM pg_proc
WHERE proname ^@ 'mogo_' AND has_function_privilege('regress_mogo_monitor', oid, 'EXECUTE');
SET ROLE regress_mogo_monitor;
SELECT count(*) AS clients FROM mogo_clients;
SELECT count(*) > 0 AS some FROM mogo_audit;
SELECT count(*) > 0 AS some FROM mogo_secrets;
SELECT preloaded IS NOT NULL AS told FROM mogo_usage_status();
SELECT mogo_verify(NULL::text, NULL);
SELECT mogo_disable_client(gen_random_uuid());
RESET ROLE;

-- Grants add up, and say so.
TRUNCATE mogo_audit_log;
CREATE ROLE regress_mogo_many;
\set VERBOSITY default
SELECT mogo_grant_verifier('regress_mogo_many');
SELECT mogo_grant_monitor('regress_mogo_many');
SELECT mogo_grant_admin('regress_mogo_many');
SELECT mogo_grant_verifier('regress_mogo_many');
\set VERBOSITY terse
SELECT action, detail FROM mogo_audit ORDER BY at;
SELECT mogo_revoke_access('regress_mogo_many');
SELECT string_agg(DISTINCT proname::text, ' ' ORDER BY proname::text) AS functions FROM pg_proc
WHERE proname ^@ 'mogo_' AND has_function_privilege('regress_mogo_many', oid, 'EXECUTE');

-- What a role keeps is warned of and recorded: by a membership, by another's grant.
TRUNCATE mogo_audit_log;
GRANT regress_mogo_monitor TO regress_mogo_many;
SELECT mogo_grant_verifier('regress_mogo_many');
\set VERBOSITY default
SELECT mogo_revoke_access('regress_mogo_many');
REVOKE regress_mogo_monitor FROM regress_mogo_many;
CREATE ROLE regress_mogo_granter;
GRANT EXECUTE ON FUNCTION mogo_verify(text, text) TO regress_mogo_granter WITH GRANT OPTION;
SET ROLE regress_mogo_granter;
GRANT EXECUTE ON FUNCTION mogo_verify(text, text) TO regress_mogo_many;
RESET ROLE;
SELECT mogo_revoke_access('regress_mogo_many');
-- the one who granted it loses it for both
SELECT mogo_revoke_access('regress_mogo_granter');
SELECT mogo_revoke_access('regress_mogo_many');
SELECT mogo_revoke_access('regress_mogo_monitor');
\set VERBOSITY terse
SELECT action, detail FROM mogo_audit ORDER BY at;
DROP ROLE regress_mogo_monitor, regress_mogo_many, regress_mogo_granter;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
