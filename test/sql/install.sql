-- Installation: what it makes, where, for whom; what it refuses.
\set VERBOSITY terse
SELECT default_version, installed_version IS NOT NULL AS installed FROM pg_available_extensions
	WHERE name = 'mogocred';
SELECT relocatable, trusted, superuser, requires, schema FROM pg_available_extension_versions
	WHERE name = 'mogocred' AND version = '1.0';

-- The script takes EXECUTE from PUBLIC right after each CREATE, so that there is no
-- moment in between, and neither replaces nor adopts anything.
SELECT pg_read_file(setting || '/extension/mogocred--1.0.sql') AS script FROM pg_config
	WHERE name = 'SHAREDIR' \gset
SELECT created > 20 AS many, created - revoked AS not_revoked_at_once, replaced
FROM (SELECT count(*) AS created FROM regexp_matches(:'script', '^CREATE FUNCTION ', 'gn')) AS c,
	(SELECT count(*) AS revoked FROM regexp_matches(
	:'script',
	'CREATE FUNCTION @extschema@\.(\w+)\([^;]*;\s+REVOKE ALL ON FUNCTION @extschema@\.\1\([^;]* '
	'FROM PUBLIC;',
	'g')) AS r,
	(SELECT count(*) AS replaced FROM regexp_matches(
	:'script', '^[^-]*(OR REPLACE|IF NOT EXISTS)', 'gn')) AS p;

-- In a database of its own, by way of CASCADE, with rights that ALTER DEFAULT
-- PRIVILEGES slips everybody in beforehand.
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_install TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE ROLE regress_mogo_slipped;
CREATE ROLE regress_mogo_group;
\c regress_mogo_install
\set VERBOSITY terse
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_mogo_slipped WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_mogo_slipped WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO regress_mogo_slipped WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_mogo_slipped;
CREATE SCHEMA creds;
ALTER DEFAULT PRIVILEGES IN SCHEMA creds GRANT EXECUTE ON FUNCTIONS TO regress_mogo_group, PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA creds GRANT SELECT ON TABLES TO regress_mogo_group;
CREATE EXTENSION mogocred SCHEMA creds CASCADE;

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, (pg_identify_object(d.classid, d.objid, 0)).* FROM pg_depend AS d
	JOIN pg_extension AS e ON d.refclassid = e.tableoid AND d.refobjid = e.oid
WHERE e.extname = 'mogocred' AND d.deptype = 'e'
	-- what a table or a type brings along (members themselves from 17 on)
	AND NOT (d.classid = 'pg_type'::regclass
	AND EXISTS (SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
		WHERE t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind <> 'c')));
SELECT type, identity FROM member ORDER BY type COLLATE "C", identity COLLATE "C";
SELECT count(*) AS without_comment FROM member
	WHERE obj_description(objid, classid::regclass::name) IS NULL;
SELECT count(*) AS view_columns, count(*) FILTER (
	WHERE col_description(a.attrelid, a.attnum) IS NULL) AS without_comment
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'v'
	JOIN member AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid WHERE a.attnum > 0;
-- each can be read without another one
SELECT identity, comment FROM (
	SELECT identity, obj_description(objid, classid::regclass::name) AS comment FROM member) AS c
WHERE comment !~ '^[A-Z].*\.$' OR comment ~* '\mthe same\M|\mlikewise\M|\mas above\M';
SELECT bool_and(schema = 'creds' OR schema IS NULL) AS all_in_one_schema,
	bool_and(identity ~ '(^|\.)mogo_') AS all_with_prefix FROM member;
SELECT count(*) AS rights_of_others FROM member AS m,
	LATERAL (SELECT COALESCE(proacl, acldefault('f', proowner)) AS acl, proowner AS owner
	FROM pg_proc WHERE m.classid = 'pg_proc'::regclass AND oid = m.objid
		UNION ALL SELECT COALESCE(relacl, acldefault('r', relowner)), relowner FROM pg_class
		WHERE m.classid = 'pg_class'::regclass AND oid = m.objid
		UNION ALL SELECT COALESCE(typacl, acldefault('T', typowner)), typowner FROM pg_type
		WHERE m.classid = 'pg_type'::regclass AND oid = m.objid) AS o,
	LATERAL aclexplode(o.acl) AS a WHERE a.grantee <> o.owner;
-- the default privileges were there
CREATE TABLE creds.regress_other ();
SELECT has_table_privilege('regress_mogo_slipped', 'creds.regress_other', 'SELECT')
	AND has_table_privilege('regress_mogo_group', 'creds.regress_other', 'SELECT')
	AS slipped_in_elsewhere;
-- functions are C, run as their caller, without settings of their own
SELECT count(*) AS functions_otherwise FROM pg_proc AS p
	JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.prosecdef OR p.proconfig IS NOT NULL OR p.proleakproof
	OR p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c');

-- The tables: logged, for pg_dump to take along with all their rows, empty, never
-- truncated by VACUUM; no sequence.
SELECT c.relname, c.relpersistence, c.reloptions, c.oid = ANY (e.extconfig) AS dumped,
	c.relrowsecurity
FROM pg_class AS c JOIN member AS m ON m.classid = 'pg_class'::regclass
	AND m.objid = c.oid, pg_extension AS e
WHERE e.extname = 'mogocred' AND c.relkind IN ('r', 'S') ORDER BY c.relname;
SELECT array_to_string(extcondition, '') = '' AS all_rows FROM pg_extension
	WHERE extname = 'mogocred';
SELECT (SELECT count(*) FROM creds.mogo_client) AS clients,
	(SELECT count(*) FROM creds.mogo_secret) AS secrets,
	(SELECT count(*) FROM creds.mogo_audit_log) AS audited;

-- It stays where it is.
ALTER EXTENSION mogocred SET SCHEMA public;
\echo :LAST_ERROR_SQLSTATE
CREATE EXTENSION mogocred;
\echo :LAST_ERROR_SQLSTATE
DROP EXTENSION pgcrypto;
\echo :LAST_ERROR_SQLSTATE
-- gone with all it made
DROP EXTENSION mogocred;
SELECT count(*) AS left_over FROM (SELECT proname FROM pg_proc WHERE proname LIKE 'mogo\_%'
	UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'mogo\_%'
	UNION ALL SELECT typname FROM pg_type WHERE typname ~ '^_?mogo_') AS l;

-- pgcrypto in a schema of its own, that nobody's path names, and under functions of
-- the same names.
DROP EXTENSION pgcrypto;
CREATE SCHEMA "Crypto é";
CREATE EXTENSION pgcrypto SCHEMA "Crypto é";
CREATE SCHEMA "Creds.é; x";
CREATE EXTENSION mogocred SCHEMA "Creds.é; x";
SET mogocred.bcrypt_cost = 4;
SELECT "Creds.é; x".mogo_import_client(
	'regress plain', '22222222-2222-4222-8222-222222222222', 'plain',
	'a secret somebody chose') IS NOT NULL AS imported;
SELECT "Creds.é; x".mogo_verify('22222222-2222-4222-8222-222222222222', 'a secret somebody chose')
	AS "right", "Creds.é; x".mogo_verify('22222222-2222-4222-8222-222222222222',
	'a secret nobody chose') AS wrong;
-- in the current schema
DROP EXTENSION mogocred;
SET search_path = creds, public;
CREATE EXTENSION mogocred;
SELECT extnamespace::regnamespace AS current_schema FROM pg_extension WHERE extname = 'mogocred';
SELECT client_id, client_secret FROM mogo_add_client('regress current') \gset
SELECT mogo_verify(:'client_id', :'client_secret');
RESET search_path;

-- Untrusted: who may create in the database may not create it.
DROP EXTENSION mogocred;
GRANT CREATE ON DATABASE regress_mogo_install TO regress_mogo_slipped;
SET ROLE regress_mogo_slipped;
CREATE EXTENSION mogocred;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

\c :this_database
DROP DATABASE regress_mogo_install;
DROP ROLE regress_mogo_slipped, regress_mogo_group;
