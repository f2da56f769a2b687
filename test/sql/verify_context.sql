-- Where a check may stand: transactions of every kind, read-only ones, functions,
-- prepared statements, and the clock.

SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress context') \gset
CREATE TABLE regress_sent AS SELECT g, :'client_id' AS id, CASE WHEN g % 10 = 0 THEN 'wrong'
	ELSE :'client_secret' END AS secret FROM generate_series(1, 1000) AS g;

-- Read-only, at every level, all checks.
BEGIN READ ONLY;
SELECT mogo_verify(:'client_id', :'client_secret'),
	mogo_verify(:'client_id'::uuid, :'client_secret'),
	mogo_verify_digest(:'client_id', sha256(:'client_secret')),
	mogo_verify_status(:'client_id', :'client_secret'),
	(SELECT count(*) FROM mogo_authenticate(:'client_id', :'client_secret')) AS authenticated;
SELECT pg_current_xact_id_if_assigned() IS NULL AS nothing_written;
-- the locks that a SELECT of a table takes are given back at once: nobody who alters
-- the tables waits for a transaction that stays open
SELECT count(*) AS locks_kept FROM pg_locks WHERE pid = pg_backend_pid()
	AND relation IN ('mogo_client'::regclass, 'mogo_client_pkey'::regclass,
	'mogo_secret'::regclass);
COMMIT;
-- a statement of its own keeps them to its end
SELECT set_config('regress.id', :'client_id', false) IS NOT NULL AS set;
DO $$
BEGIN
	FOR checks IN 1..2 LOOP
		PERFORM mogo_verify(current_setting('regress.id'), 'wrong');
		RAISE NOTICE 'after check %: %', checks,
		(SELECT string_agg(relation::regclass || ' ' || mode, ', '
		ORDER BY relation::regclass::text) FROM pg_locks
			WHERE pid = pg_backend_pid() AND relation::regclass::text LIKE 'mogo%');
	END LOOP;
END $$;
SELECT count(*) AS locks_kept FROM pg_locks WHERE pid = pg_backend_pid()
	AND relation::regclass::text LIKE 'mogo%';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT mogo_verify(:'client_id', :'client_secret');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT mogo_verify(:'client_id', :'client_secret');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT mogo_verify(:'client_id', :'client_secret');
COMMIT;
SET default_transaction_read_only = on;
SELECT mogo_verify(:'client_id', :'client_secret');
RESET default_transaction_read_only;

-- What this transaction did is seen at once, what it undid too.
BEGIN;
SELECT mogo_disable_client(:'client_id');
SELECT mogo_verify(:'client_id', :'client_secret') AS disabled;
SAVEPOINT s;
SELECT mogo_enable_client(:'client_id');
SELECT mogo_verify(:'client_id', :'client_secret') AS enabled;
ROLLBACK TO s;
SELECT mogo_verify(:'client_id', :'client_secret') AS disabled_again;
ROLLBACK;
SELECT mogo_verify(:'client_id', :'client_secret') AS as_before;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT mogo_verify(:'client_id', :'client_secret') AS live;
SELECT mogo_revoke_secret(:'secret_id');
SELECT mogo_verify(:'client_id', :'client_secret') AS revoked;
ROLLBACK;
-- also within one statement: what its first part revoked, its second part refuses
BEGIN;
SELECT v.n, CASE v.n WHEN 2 THEN mogo_revoke_secret(:'secret_id')::text END AS revoke, mogo_verify(
	:'client_id', :'client_secret')
FROM generate_series(1, 3) AS v (n);
ROLLBACK;

-- Expiry is by the clock, not by the transaction's start.
SELECT client_id, client_secret, expires_at FROM mogo_add_client(
	'regress context expiry', clock_timestamp() + interval '500 milliseconds') \gset soon_
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1 AS the_snapshot_is_taken;
SELECT client_id, client_secret, expires_at FROM mogo_add_client(
	'regress context expiry 2', clock_timestamp() + interval '500 milliseconds') \gset later_
SELECT pg_sleep(0.6);
SELECT mogo_verify(:'soon_client_id', :'soon_client_secret') AS soon,
	mogo_verify(:'later_client_id', :'later_client_secret') AS later,
	now() < :'later_expires_at' AS by_the_transactions_time_it_lives;
SELECT live_secrets FROM mogo_clients WHERE client_id = :'later_client_id';
COMMIT;

-- Inside functions, of every volatility, and in a loop.
CREATE FUNCTION pg_temp.check_sql(text, text) RETURNS boolean
	LANGUAGE sql AS $$ SELECT mogo_verify($1, $2) $$;
CREATE FUNCTION pg_temp.check_stable(text, text) RETURNS boolean
	LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN mogo_verify($1, $2); END $$;
SELECT pg_temp.check_sql(:'client_id', :'client_secret'),
	pg_temp.check_stable(:'client_id', :'client_secret'),
	pg_temp.check_stable(:'client_id', 'wrong');
CREATE FUNCTION pg_temp.check_all() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	good int := 0;
	bad int := 0;
BEGIN
	FOR r IN SELECT * FROM regress_sent LOOP
		IF mogo_verify(r.id, r.secret) THEN good := good + 1; ELSE bad := bad + 1; END IF;
	END LOOP;
	RETURN format('%s good, %s bad', good, bad);
END $$;
SELECT pg_temp.check_all();
-- it stands in a block with a handler, and after an error in one
DO $$
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM regress_sent WHERE g = 1;
	BEGIN
		RAISE NOTICE 'before: %', mogo_verify(r.id, r.secret);
		PERFORM 1 / 0;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'after: %', mogo_verify(r.id, r.secret);
	END;
END $$;
-- VOLATILE: neither folded at planning nor called once for a whole scan
EXPLAIN (VERBOSE, COSTS OFF) SELECT mogo_verify('a', 'b') FROM regress_sent;

-- A prepared statement, generic plan too, and a cursor.
PREPARE check_pair(text, text) AS SELECT mogo_verify($1, $2);
SET plan_cache_mode = force_generic_plan;
EXECUTE check_pair(:'client_id', :'client_secret');
EXECUTE check_pair(:'client_id', 'wrong');
RESET plan_cache_mode;
SELECT mogo_disable_client(:'client_id');
EXECUTE check_pair(:'client_id', :'client_secret');
SELECT mogo_enable_client(:'client_id');
EXECUTE check_pair(:'client_id', :'client_secret');
DEALLOCATE check_pair;
BEGIN;
DECLARE c CURSOR FOR SELECT mogo_verify(id, secret) FROM regress_sent ORDER BY g;
FETCH 2 FROM c;
SELECT mogo_disable_client(:'client_id');
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT mogo_verify(id, secret) FROM regress_sent ORDER BY g
	LIMIT 2;
COMMIT;
FETCH ALL FROM held;
CLOSE held;

-- In a WHERE clause and a CHECK constraint.
SELECT count(*) FROM regress_sent WHERE mogo_verify(id, secret);
CREATE TEMP TABLE accepted (id text, secret text, CHECK (mogo_verify(id, secret)));
INSERT INTO accepted SELECT id, secret FROM regress_sent WHERE g = 1;
\set VERBOSITY terse
INSERT INTO accepted SELECT id, 'wrong' FROM regress_sent WHERE g = 1;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE accepted;

DROP TABLE regress_sent;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
