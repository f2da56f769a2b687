--
-- A check costs the same for a client with 1,000 past secrets as for a new one
--
-- What it costs is the blocks and rows that are read, as PostgreSQL counts them in this
-- transaction: no time is looked at.
--
SELECT client_id AS old, client_secret AS s0 FROM mogo_add_client('regress_past old') \gset
-- 999 rotations, each in its own transaction, and nothing vacuumed
\set ECHO none
\o /dev/null
SELECT format('SELECT secret_id FROM mogo_rotate_secret(%L, %L)', :'old', '0')
	FROM generate_series(1, 999) \gexec
\o
\set ECHO all
SELECT client_secret AS s1000 FROM mogo_rotate_secret(:'old', '0') \gset
SELECT client_id AS new, client_secret AS s1 FROM mogo_add_client('regress_past new') \gset
SELECT status, count(*) FROM mogo_secrets WHERE client_id = :'old' GROUP BY status ORDER BY status;

-- 20 counts the work of an index apart from that of a table
SELECT 'pg_stat_get_xact_' || CASE WHEN to_regproc('pg_stat_get_xact_idx_numscans') IS NOT NULL
	THEN 'idx_' ELSE '' END AS idx \gset
SELECT :'idx' || 'blocks_fetched' AS idx_blocks, :'idx' || 'tuples_fetched' AS idx_fetched,
	:'idx' || 'tuples_returned' AS idx_returned, :'idx' || 'numscans' AS idx_scans \gset
-- blocks and rows of all that belongs to the extension, indexes too, that a query reads
CREATE FUNCTION pg_temp.read_so_far(OUT blocks bigint, OUT rows bigint, OUT scans bigint)
	LANGUAGE sql BEGIN ATOMIC
SELECT sum(CASE relkind WHEN 'i' THEN :idx_blocks(oid) ELSE pg_stat_get_xact_blocks_fetched(
	oid) END),
	sum(CASE relkind WHEN 'i' THEN :idx_fetched(oid) + :idx_returned(oid)
		ELSE pg_stat_get_xact_tuples_fetched(oid) + pg_stat_get_xact_tuples_returned(oid) END),
	sum(CASE relkind WHEN 'i' THEN :idx_scans(oid) ELSE pg_stat_get_xact_numscans(oid) END)
FROM pg_class WHERE relname ~ '^mogo_(client|secret|audit_log)' AND relkind IN ('r', 'i');
END;
CREATE FUNCTION pg_temp.cost(query text, OUT blocks bigint, OUT rows bigint, OUT scans bigint)
	LANGUAGE plpgsql AS $$
DECLARE
	before record;
	after record;
BEGIN
	EXECUTE query;  -- what is read once a session, and dead rows that a first visit marks
	before := pg_temp.read_so_far();
	EXECUTE query;
	after := pg_temp.read_so_far();
	blocks := after.blocks - before.blocks;
	rows := after.rows - before.rows;
	scans := after.scans - before.scans;
END $$;
SELECT q.what, old = new AS the_same, old.scans AS scans
FROM (VALUES
(1, 'right', 'SELECT mogo_verify(%L::uuid, %L)', :'s1000', :'s1'),
(2, 'wrong', 'SELECT mogo_verify(%L::uuid, %L)', 'wrong', 'wrong'),
(3, 'revoked', 'SELECT mogo_verify(%L::uuid, %L)', :'s0', 'wrong'),
(4, 'digest', 'SELECT mogo_verify_digest(%L::uuid, sha256(%L))', :'s1000', :'s1'),
(5, 'authenticate', 'SELECT * FROM mogo_authenticate(%L::uuid, %L)', :'s1000', :'s1')
) AS q (n, what, query, old_secret, new_secret),
	LATERAL pg_temp.cost(format(q.query, :'old', q.old_secret)) AS old,
	LATERAL pg_temp.cost(format(q.query, :'new', q.new_secret)) AS new ORDER BY q.n;
-- the status of a revoked secret is one more descent, no walk through the 1,000
SELECT old.scans AS scans, old.blocks < 10 AS few_blocks, new.scans AS scans_of_a_new_one
FROM pg_temp.cost(format('SELECT mogo_verify_status(%L::uuid, %L)', :'old', :'s0')) AS old,
	pg_temp.cost(format('SELECT mogo_verify_status(%L::uuid, %L)', :'new', :'s1')) AS new;
SELECT mogo_verify_status(:'old', :'s0') AS first, mogo_verify_status(:'old', :'s1000') AS last;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_past';
