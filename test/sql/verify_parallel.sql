-- Checks in parallel workers: the same answers, the same clock, what the leader did.

SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress parallel') \gset
CREATE TABLE regress_sent AS SELECT g, :'client_id' AS id, CASE WHEN g % 10 = 0 THEN 'wrong'
	ELSE :'client_secret' END AS secret FROM generate_series(1, 50000) AS g;
ANALYZE regress_sent;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;

EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE mogo_verify(id, secret)) AS good, count(*) AS all
	FROM regress_sent;
SELECT count(*) FILTER (WHERE mogo_verify(id, secret)) AS good, count(*) AS all FROM regress_sent;
SELECT count(*) FILTER (WHERE mogo_verify(id::uuid, secret)) AS good,
	count(*) FILTER (WHERE mogo_verify_digest(id, sha256(secret::bytea))) AS by_digest,
	count(*) FILTER (WHERE mogo_verify_status(id, secret) = 'valid') AS valid,
	count(*) FILTER (WHERE mogo_verify_status(id, secret) = 'invalid') AS invalid FROM regress_sent;
EXPLAIN (COSTS OFF) SELECT count(*) FROM regress_sent, LATERAL mogo_authenticate(id, secret);
SELECT count(*) FROM regress_sent, LATERAL mogo_authenticate(id, secret);
-- a worker did it, not the leader
CREATE FUNCTION pg_temp.workers() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	line text;
	n bigint := 0;
BEGIN
	FOR line IN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM '
	'regress_sent WHERE mogo_verify(id, secret)' LOOP
		IF line ~ 'Workers Launched: [1-9]' THEN n := n + 1; END IF;
	END LOOP;
	RETURN n;
END $$;
SELECT pg_temp.workers() AS gathers_with_workers;

-- A snapshot that is older, with this transaction's own change seen by the workers.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FILTER (WHERE mogo_verify(id, secret)) AS before FROM regress_sent;
SELECT mogo_disable_client(:'client_id');
SELECT count(*) FILTER (WHERE mogo_verify(id, secret)) AS after FROM regress_sent;
SELECT mogo_verify_status(id, secret) AS status, count(*) FROM regress_sent GROUP BY 1 ORDER BY 1;
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT count(*) FILTER (WHERE mogo_verify(id, secret)) AS serializable FROM regress_sent;
COMMIT;

-- bcrypt, through a library that the worker has to load
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_client('regress parallel bcrypt', '22222222-2222-4222-8222-222222222222',
	'plain', 'a secret somebody chose') IS NOT NULL AS imported;
SELECT count(*) FILTER (WHERE mogo_verify('22222222-2222-4222-8222-222222222222', CASE WHEN g % 2
	= 0 THEN 'a secret somebody chose' ELSE 'x' || g END)) AS good FROM regress_sent WHERE g <= 40;

-- Changes are the leader's alone.
EXPLAIN (COSTS OFF) SELECT mogo_disable_client(id::uuid) FROM regress_sent;

DROP TABLE regress_sent;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
