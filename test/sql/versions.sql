-- A change writes one version of its client's row and one record; a change that changes
-- nothing writes none, has no transaction id and so can wait for nobody.
\set VERBOSITY terse
CREATE FUNCTION pg_temp.written(OUT versions bigint, OUT records bigint) LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_tuples_inserted('mogo_client'::regclass)
		+ pg_stat_get_xact_tuples_updated('mogo_client'::regclass)
		+ pg_stat_get_xact_tuples_deleted('mogo_client'::regclass),
		pg_stat_get_xact_tuples_inserted('mogo_audit_log'::regclass)
$$;
CREATE FUNCTION pg_temp.try(call text, OUT versions bigint, OUT records bigint, OUT xid boolean)
LANGUAGE plpgsql AS $$
DECLARE
	before record;
	since record;
BEGIN
	before := pg_temp.written();
	EXECUTE format('SELECT count(%s)', replace(replace(call,
		'ID', '(SELECT client_id FROM mogo_client WHERE client_name LIKE ''regress versions%'')'),
		'SECRET', '(SELECT secret_id FROM mogo_secret ORDER BY created_at LIMIT 1)'));
	since := pg_temp.written();
	versions := since.versions - before.versions;
	records := since.records - before.records;
	xid := pg_current_xact_id_if_assigned() IS NOT NULL;
END $$;
SELECT pg_temp.try($$mogo_add_client('regress versions',
	metadata => '{"n": 1.0}', scopes => '{a,b}',
	external_id => 'https://client.example/', allowed_cidrs => '{10.0.0.0/8}')$$);
SELECT pg_temp.try('mogo_add_secret(ID)');
SELECT pg_temp.try('mogo_rotate_secret(ID, ''1 hour'')');
SELECT pg_temp.try('mogo_rotate_secret(ID, ''0'')');
SELECT pg_temp.try('mogo_add_secret(ID, clock_timestamp() + ''1 second'')');
SELECT pg_sleep(1.1);
SELECT pg_temp.try('mogo_add_secret(ID)') AS and_one_that_expired;
SELECT pg_temp.try('mogo_revoke_secret((SELECT secret_id FROM mogo_secrets
	WHERE status = ''active'' LIMIT 1))');
SELECT pg_temp.try('mogo_disable_client(ID)');
SELECT pg_temp.try('mogo_enable_client(ID)');

-- Nothing to do.
SELECT pg_temp.try('mogo_revoke_secret(SECRET)');
SELECT pg_temp.try('mogo_enable_client(ID)');
SELECT pg_temp.try('mogo_update_client(ID)');
SELECT pg_temp.try($$mogo_update_client(ID, 'regress versions', '{a,b}',
	'{"n": 1.0}', '{10.0.0.0/8}',
	'https://client.example/')$$);
-- which can be no reason to keep a transaction open for long, nor be prepared
BEGIN;
SELECT pg_temp.try('mogo_enable_client(ID)');
SELECT count(*) AS locks_on_rows FROM pg_locks
WHERE pid = pg_backend_pid() AND (locktype IN ('tuple', 'transactionid') OR mode = 'RowShareLock');
COMMIT;

SELECT pg_temp.try($$mogo_update_client(ID, 'regress versions too', '{b,a}',
	'{"n": 1}', '{}', '')$$);
SELECT pg_temp.try($$mogo_update_client(ID, external_id => '')$$) AS had_none;
SELECT external_id, metadata FROM mogo_clients;
-- an expired one that is revoked later: its client's row has done with it
SELECT pg_temp.try('mogo_revoke_secret((SELECT secret_id FROM mogo_secrets
	WHERE status = ''expired'' LIMIT 1))');
SELECT pg_temp.try('mogo_remove_client(ID)');
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
