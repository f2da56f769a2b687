-- The contract's errors: SQLSTATE, message and hint of each, and what comes first.
\pset format unaligned

\getenv dir PG_ABS_SRCDIR
\set error_of :dir '/lib/error_of.sql'
\i :error_of
SELECT now() AS start \gset
SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress errors') \gset

-- 22004: a NULL where a value is needed. Each function, each argument of it.
SELECT call, pg_temp.error_of('SELECT ' || call) AS error FROM unnest(ARRAY[
	'mogo_add_client(NULL)', 'mogo_add_client(''x'', scopes => NULL)',
	'mogo_add_client(''x'', metadata => NULL)',
	'mogo_add_secret(NULL)', 'mogo_rotate_secret(NULL, ''0'')',
	'mogo_rotate_secret(gen_random_uuid(), NULL)', 'mogo_revoke_secret(NULL)',
	'mogo_disable_client(NULL)', 'mogo_enable_client(NULL)', 'mogo_remove_client(NULL)',
	'mogo_update_client(NULL)',
	'mogo_import_client(NULL, gen_random_uuid(), ''plain'', ''x'')',
	'mogo_import_client(''x'', NULL, ''plain'', ''x'')',
	'mogo_import_client(''x'', gen_random_uuid(), NULL, ''x'')',
	'mogo_import_client(''x'', gen_random_uuid(), ''plain'', NULL)',
	'mogo_purge(NULL)', 'mogo_purge_audit(NULL)', 'mogo_grant_admin(NULL)',
	'mogo_grant_verifier(NULL)', 'mogo_revoke_access(NULL)']) AS call;

-- 22023: an unusable argument.
SELECT call, pg_temp.error_of('SELECT ' || replace(call, 'ID', quote_literal(:'client_id')))
	AS error FROM unnest(ARRAY[
	'mogo_add_client('''')', 'mogo_add_client(''x'', ''2000-01-01'')',
	'mogo_add_client(''x'', ''infinity'')', 'mogo_add_client(''x'', scopes => ''{" "}'')',
	'mogo_add_client(''x'', metadata => ''1'')', 'mogo_add_secret(ID, ''2000-01-01'')',
	'mogo_rotate_secret(ID, ''-1 s'')', 'mogo_rotate_secret(ID, ''0'', ''2000-01-01'')',
	'mogo_update_client(ID, '''')', 'mogo_import_client(''x'', gen_random_uuid(), ''md5'', ''x'')',
	'mogo_purge(''-1 s'')', 'mogo_purge_audit(''-1 s'')',
	'mogo_grant_admin(''-'')', 'mogo_grant_verifier(0)', 'mogo_revoke_access(''-'')']) AS call;

-- 23505, with the name; on import with the id.
SELECT pg_temp.error_of('SELECT mogo_add_client(''regress errors'')') AS error
UNION ALL SELECT pg_temp.error_of(
	'SELECT mogo_import_client(''regress errors'', gen_random_uuid(), ''sha256'', repeat(''0'', '
	'64))')
UNION ALL SELECT replace(pg_temp.error_of(format(
	'SELECT mogo_import_client(''regress other'', %L, ''sha256'', repeat(''0'', 64))',
	:'client_id')), :'client_id', 'THE ID');
SELECT client_id AS other_id FROM mogo_add_client('regress taken') \gset
SELECT pg_temp.error_of(format('SELECT mogo_update_client(%L, ''regress errors'')', :'other_id'))
	AS error;
-- a name in the message may be anything that a name may be
SELECT mogo_update_client(:'other_id', '%s %n "quoted" \');
SELECT pg_temp.error_of($$SELECT mogo_add_client('%s %n "quoted" \')$$) AS error;

-- 42704: no such client, secret, role.
SELECT call, pg_temp.error_of('SELECT ' || replace(call, 'ID',
	'''782e12aa-23d3-11c0-8452-111114a14e13''')) AS error FROM unnest(ARRAY[
	'mogo_add_secret(ID)', 'mogo_rotate_secret(ID, ''0'')', 'mogo_revoke_secret(ID)',
	'mogo_disable_client(ID)', 'mogo_enable_client(ID)',
	'mogo_remove_client(ID)', 'mogo_update_client(ID)', 'mogo_grant_admin(4294967294)',
	'mogo_grant_verifier(''regress_mogo_missing'')', 'mogo_revoke_access(4294967294)']) AS call;
-- a client's id is no secret's, nor the other way round
SELECT left(pg_temp.error_of(format('SELECT mogo_revoke_secret(%L)', :'client_id')), 5)
	AS client_as_secret,
	left(pg_temp.error_of(format('SELECT mogo_remove_client(%L)', :'secret_id')), 5)
	AS secret_as_client;

-- 54000: too many live secrets.
SET mogocred.max_live_secrets = 2;
SELECT (mogo_add_secret(:'client_id')).client_name;
SELECT pg_temp.error_of(format('SELECT mogo_add_secret(%L)', :'client_id')) AS error;
SELECT pg_temp.error_of(format('SELECT mogo_rotate_secret(%L, ''1 hour'')', :'client_id')) AS error;
RESET mogocred.max_live_secrets;

-- 25006 in a read-only transaction, for every function that changes anything, before
-- its arguments are looked at.
BEGIN READ ONLY;
SELECT p.proname, string_agg(DISTINCT pg_temp.error_of(format('SELECT %s(%s)', p.proname,
	(SELECT string_agg('NULL', ', ') FROM generate_series(1, p.pronargs)))), ' AND ') AS error
FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	AND d.deptype = 'e'
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'mogocred'
WHERE p.proparallel = 'u' GROUP BY p.proname ORDER BY p.proname COLLATE "C";
SELECT pg_temp.error_of('SELECT mogo_add_client('''', ''infinity'')') AS error;
-- the JSON functions only print
SELECT json_typeof(mogo_credentials_json('n', gen_random_uuid(), 's')) AS prints;
COMMIT;

-- 42501 without the right, for all of them.
CREATE ROLE regress_mogo_nobody;
SET ROLE regress_mogo_nobody;
SELECT mogo_add_client('regress x');
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_verify('x', 'y');
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_credentials_json('n', gen_random_uuid(), 's');
\echo :LAST_ERROR_SQLSTATE
SELECT client_name FROM mogo_clients;
\echo :LAST_ERROR_SQLSTATE
SELECT hash FROM mogo_secret;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP ROLE regress_mogo_nobody;

-- Nothing of all this changed anything, and no message held the secret.
SELECT client_name, enabled, live_secrets FROM mogo_clients ORDER BY client_name COLLATE "C";
SELECT action, count(*) FROM mogo_audit WHERE at >= :'start' GROUP BY action ORDER BY action;
SELECT mogo_verify(:'client_id', :'client_secret');

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
