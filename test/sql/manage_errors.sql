--
-- What the functions that change something refuse: NULL, unknown, out of range, in a
-- wrong state, without the right, in a read-only transaction
--
-- pg_temp.try says how a call ends: SQLSTATE and message, or "ok". A call that fails
-- changes nothing, and a message never shows a secret.
--
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'ok';
EXCEPTION
WHEN undefined_function THEN  -- PostgreSQL's own, with a hint before 19 and a detail since
	RETURN concat(SQLSTATE, ': ', SQLERRM);
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
	detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat(state, ': ', message, E'\nDETAIL: ' || nullif(detail, ''), E'\nHINT: ' || nullif(
	hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on

-- a client for them with a known id, and what it looks like before and after
SELECT mogo_import_client('regress_errors', 'e0000000-0000-4000-8000-000000000001', 'sha256',
	encode(sha256('the secret of regress_errors'), 'hex')) AS secret_id \gset
SELECT mogo_import_client('regress_errors other', 'e0000000-0000-4000-8000-000000000002', 'sha256',
	encode(sha256('the other one''s secret'), 'hex')) IS NOT NULL;
CREATE VIEW pg_temp.state AS
SELECT md5((SELECT string_agg(c::text, ',' ORDER BY client_id) FROM mogo_client AS c)
	|| (SELECT string_agg(s::text, ',' ORDER BY secret_id) FROM mogo_secret AS s)
	|| (SELECT count(*)::text FROM mogo_audit_log)) AS state;
SELECT state AS before FROM pg_temp.state \gset

CREATE TEMPORARY TABLE bad (n int GENERATED ALWAYS AS IDENTITY, call text);
-- mogo_add_secret
INSERT INTO bad (call) VALUES
('mogo_add_secret(NULL)'),
('mogo_add_secret(NULL, now() - interval ''1 day'')'),
('mogo_add_secret(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_add_secret(''e0000000-0000-4000-8000-000000000001'', now() - interval ''1 day'')'),
('mogo_add_secret(''e0000000-0000-4000-8000-000000000001'', now())'),
('mogo_add_secret(''e0000000-0000-4000-8000-000000000001'', ''infinity'')'),
('mogo_add_secret(''e0000000-0000-4000-8000-000000000001'', ''-infinity'')'),
('mogo_add_secret(''e0000000-0000-4000-8000-0000000000ff'', ''infinity'')'),
-- mogo_rotate_secret
('mogo_rotate_secret(NULL, ''1 hour'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', NULL)'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-0000000000ff'', ''1 hour'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''-1 microsecond'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''-1 month'')'),
-- 361 days less a year: positive to compare (a month has 30 days there), and yet in the past
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''-1 year 361 days'')'),
-- longer than a thousand years; as long as an interval can be
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''365001 days'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''178000000 years'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''-178000000 years'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''1 hour'', now() - interval ''1 '
	'day'')'),
	
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''1 hour'', ''infinity'')'),
('mogo_rotate_secret(''e0000000-0000-4000-8000-000000000001'', ''1 hour'', ''-infinity'')'),
-- mogo_revoke_secret: a client's id is no secret's
('mogo_revoke_secret(NULL)'),
('mogo_revoke_secret(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_revoke_secret(''e0000000-0000-4000-8000-000000000001'')'),
-- mogo_disable_client, mogo_enable_client, mogo_remove_client
('mogo_disable_client(NULL)'),
('mogo_disable_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_enable_client(NULL)'),
('mogo_enable_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_remove_client(NULL)'),
('mogo_remove_client(''e0000000-0000-4000-8000-0000000000ff'')'),
-- mogo_update_client
('mogo_update_client(NULL)'),
('mogo_update_client(NULL, ''x'')'),
('mogo_update_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_update_client(''e0000000-0000-4000-8000-0000000000ff'', ''x'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', ''regress_errors other'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', '''')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', E'' \t'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', ''  '')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', repeat(''x'', 256))'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', E''a\nb'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', E''a\u202Eb'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', scopes => ''{a,NULL}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', scopes => ''{""}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', scopes => ''{"a b"}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', scopes => ''{a,b,a}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', scopes => ''{{a},{b}}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', metadata => ''[]'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', metadata => ''null'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', allowed_cidrs => ''{NULL}'')'),
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', allowed_cidrs => ''{10.0.0.0/8,'
	'NULL}'')'),
	
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', allowed_cidrs => '
	'''{{10.0.0.0/8}}'')'),
	
-- one bad value among good ones
('mogo_update_client(''e0000000-0000-4000-8000-000000000001'', ''new name'', ''{new}'', ''{"new": '
	'1}'', ''{NULL}'')'),
	
-- mogo_import_client
('mogo_import_client(NULL, ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64))'),
	
('mogo_import_client(''x'', NULL, ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', NULL, repeat(''0'', 64))'),
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', NULL)'),
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), scopes => NULL)'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), metadata => NULL)'),
	
('mogo_import_client('''', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64))'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), now())'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), ''infinity'')'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), scopes => ''{"a b"}'')'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', repeat(''0'', '
	'64), metadata => ''1'')'),
	
('mogo_import_client(''regress_errors'', ''e0000000-0000-4000-8000-000000000003'', ''sha256'', '
	'repeat(''0'', 64))'),
	
('mogo_import_client(''x'', ''e0000000-0000-4000-8000-000000000001'', ''sha256'', repeat(''0'', '
	'64))'),
	
('mogo_import_client(''regress_errors'', ''e0000000-0000-4000-8000-000000000001'', ''sha256'', '
	'repeat(''0'', 64))'),
	
-- (what may be imported: import.sql)
-- mogo_purge, mogo_purge_audit
('mogo_purge(NULL)'),
('mogo_purge(''-1 second'')'),
('mogo_purge(''-1 year 361 days'')'),
('mogo_purge(''365001 days'')'),
('mogo_purge(''178000000 years'')'),
('mogo_purge_audit(NULL)'),
('mogo_purge_audit(''-1 second'')'),
('mogo_purge_audit(''365001 days'')');
SELECT concat(call, E'\n  ', replace(pg_temp.try(call), E'\n', E'\n  ')) FROM bad ORDER BY n;
-- of all that, nothing has changed anything
SELECT state = :'before' AS unchanged FROM pg_temp.state;

-- without the right: whatever is asked for, and before anything is looked at
CREATE ROLE regress_nobody;
CREATE ROLE regress_verifier;
CREATE ROLE regress_admin;
SELECT mogo_grant_verifier('regress_verifier'), mogo_grant_admin('regress_admin') \g /dev/null
CREATE TEMPORARY TABLE change (n int GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO change (call) VALUES
('mogo_add_client(NULL)'), ('mogo_add_client(''regress_errors'')'),
('mogo_add_secret(NULL)'), ('mogo_add_secret(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_rotate_secret(NULL, NULL)'),
	('mogo_rotate_secret(''e0000000-0000-4000-8000-0000000000ff'', ''-1 day'')'),
('mogo_revoke_secret(NULL)'), ('mogo_revoke_secret(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_disable_client(NULL)'), ('mogo_disable_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_enable_client(NULL)'), ('mogo_enable_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_update_client(NULL)'),
	('mogo_update_client(''e0000000-0000-4000-8000-0000000000ff'', '''')'),
('mogo_remove_client(NULL)'), ('mogo_remove_client(''e0000000-0000-4000-8000-0000000000ff'')'),
('mogo_import_client(NULL, NULL, NULL, NULL)'),
	('mogo_import_client('''', ''e0000000-0000-4000-8000-0000000000ff'', ''?'', ''?'')'),
('mogo_purge(NULL)'), ('mogo_purge(''-1 day'')'),
('mogo_purge_audit(NULL)'), ('mogo_purge_audit(''-1 day'')');
GRANT SELECT ON change TO regress_nobody, regress_verifier, regress_admin;
SET ROLE regress_nobody;
SELECT DISTINCT pg_temp.try(call) FROM change ORDER BY 1;
SET ROLE regress_verifier;
SELECT DISTINCT pg_temp.try(call) FROM change ORDER BY 1;
-- the views are the administrator's, the tables nobody's
SELECT pg_temp.try('count(*) FROM ' || name)
FROM unnest('{mogo_clients,mogo_secrets,mogo_audit,mogo_client,mogo_secret,mogo_audit_log}'::text[])
	AS name;
SET ROLE regress_admin;
SELECT pg_temp.try('count(*) FROM ' || name)
FROM unnest('{mogo_clients,mogo_secrets,mogo_audit,mogo_client,mogo_secret,mogo_audit_log}'::text[])
	AS name;
-- an administrator has all of them but the trimming of the audit
SELECT count(*) FROM change WHERE pg_temp.try(call) ~ '^42501';
SELECT call, pg_temp.try(call) FROM change WHERE pg_temp.try(call) ~ '^42501' ORDER BY n;
RESET ROLE;

-- in a read-only transaction: 25006, before anything else is looked at
BEGIN READ ONLY;
SELECT concat(call, ' ', pg_temp.try(call)) FROM change ORDER BY n;
-- the views and the checks work there
SELECT mogo_verify('e0000000-0000-4000-8000-000000000001', 'the secret of regress_errors');
SELECT count(*) > 0 FROM mogo_clients;
COMMIT;
SET default_transaction_read_only = on;
SELECT pg_temp.try('mogo_revoke_secret(' || quote_literal(:'secret_id') || ')');
RESET default_transaction_read_only;
SELECT mogo_verify('e0000000-0000-4000-8000-000000000001', 'the secret of regress_errors');

SELECT mogo_revoke_access('regress_verifier'), mogo_revoke_access('regress_admin') \g /dev/null
SELECT mogo_remove_client(client_id) FROM mogo_clients
	WHERE client_name ^@ 'regress_errors' \g /dev/null
DROP TABLE bad, change;
DROP VIEW pg_temp.state;
DROP ROLE regress_nobody, regress_verifier, regress_admin;
