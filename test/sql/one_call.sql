-- PostgreSQL expands (function()).* into one call for each column. A second rotation or
-- addition for the same client by another call of the same query is refused, because the
-- secret that the first column shows would be dead when the last one is shown.
\set VERBOSITY terse
SELECT client_id AS id, client_secret AS secret
	FROM mogo_add_client('regress one call') \gset
SELECT client_id AS other FROM mogo_add_client('regress one call too') \gset
SELECT (mogo_rotate_secret(:'id', '0')).* \gset dead_
\echo :LAST_ERROR_SQLSTATE
SELECT (mogo_add_secret(:'id')).* \gset dead_
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_verify(:'id', :'secret') AS nothing_changed,
	(SELECT count(*) FROM mogo_secret WHERE client_id = :'id') AS secrets;

-- Whatever the two calls are, and wherever they stand in the query.
SELECT (a).client_name IS NOT NULL, (b).client_name IS NOT NULL
FROM (SELECT mogo_add_secret(:'other') AS a, mogo_rotate_secret(:'other', '0') AS b) AS calls;
\echo :LAST_ERROR_SQLSTATE
SELECT a.client_name, b.client_name
FROM mogo_rotate_secret(:'other', '0') AS a, mogo_rotate_secret(:'other', '0') AS b;
\echo :LAST_ERROR_SQLSTATE
-- two clients are two matters
SELECT a.client_name, b.client_name
FROM mogo_rotate_secret(:'id', '0') AS a, mogo_rotate_secret(:'other', '0') AS b;

-- One call is one call, however often the query makes it.
SELECT c.client_name FROM generate_series(1, 2) AS g,
	LATERAL mogo_rotate_secret(:'id', '0', label => 'turn ' || g) AS c;
SELECT count(mogo_add_secret(:'other')) FROM generate_series(1, 2);
SELECT * FROM (SELECT client_name, live_secrets FROM mogo_clients
	WHERE client_id IN (:'id', :'other')) AS c ORDER BY 1;

-- Nor is a statement after another the same query: a loop, a function of one's own, a block.
DO $$
DECLARE
	c mogo_credentials;
BEGIN
	FOR n IN 1 .. 3 LOOP
		c := mogo_rotate_secret((SELECT client_id FROM mogo_clients
			WHERE client_name = 'regress one call'), '0');
		SELECT * INTO c FROM mogo_rotate_secret(c.client_id, '0');
		c := mogo_rotate_secret(c.client_id, '0');
	END LOOP;
	-- after an error too
	BEGIN
		PERFORM (mogo_rotate_secret(c.client_id, '0')).*;
	EXCEPTION WHEN feature_not_supported THEN
		RAISE NOTICE 'refused';
	END;
	c := mogo_rotate_secret(c.client_id, '0');
	RAISE NOTICE 'the last one works: %', mogo_verify(c.client_id, c.client_secret);
END $$;
CREATE FUNCTION pg_temp.rotate(id uuid) RETURNS mogo_credentials
	LANGUAGE sql AS 'SELECT mogo_rotate_secret(id, ''0'')';
CREATE FUNCTION pg_temp.rotate_twice(id uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (mogo_rotate_secret(id, '0')).client_name || (mogo_rotate_secret(id, '0')).client_name;
END $$;
BEGIN;
SELECT (pg_temp.rotate(:'id')).client_name;
SELECT (pg_temp.rotate(:'id')).client_name;
SAVEPOINT s;
SELECT pg_temp.rotate_twice(:'id');
ROLLBACK TO s;
SELECT (pg_temp.rotate(:'id')).client_name;
COMMIT;
-- So it is if nothing changes between them: mogo_ensure_client changed nothing.
DO $$
DECLARE
	c mogo_credentials;
BEGIN
	c := mogo_ensure_client('regress one call');
	c := mogo_ensure_client('regress one call', scopes => '{}');
	c := mogo_rotate_secret(c.client_id, '0');
	RAISE NOTICE 'the last one works: %', mogo_verify(c.client_id, c.client_secret);
END $$;
SELECT a.client_name FROM mogo_ensure_client('regress one call') AS a,
	mogo_ensure_client('regress one call', scopes => '{}') AS b;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
