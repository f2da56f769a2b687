-- mogo_add_client: what it gives, what it stores, and what it leaves nowhere.

-- The contract's shape.
SELECT attname, format_type(atttypid, atttypmod) AS type
FROM pg_attribute WHERE attrelid = 'mogo_credentials'::regclass AND attnum > 0 ORDER BY attnum;
SELECT pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
FROM pg_proc WHERE oid = 'mogo_add_client'::regproc;

-- A client and its first secret.
SELECT clock_timestamp() AS before \gset
SELECT * FROM mogo_add_client('regress issue') \gset
SELECT :'client_name' AS client_name,
	:'client_id' ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
	AS version_4,
	:'secret_id' ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
	AS version_4,
	:'client_secret' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AS like_a_uuid,
	:'issued_at'::timestamptz BETWEEN :'before' AND clock_timestamp() AS issued_now;
SELECT mogo_verify(:'client_id', :'client_secret');
SELECT client_name, client_id = :'client_id' AS same_id, enabled, scopes, metadata, allowed_cidrs,
	created_at = :'issued_at' AS created_then, created_by = session_user AS by_us, live_secrets,
	next_expiry
FROM mogo_clients WHERE client_name = 'regress issue';
SELECT secret_id = :'secret_id' AS same_id, client_id = :'client_id' AS same_client, client_name,
	status, algorithm, created_at = :'issued_at' AS created_then,
	created_by = session_user AS by_us,
	expires_at, revoked_at
FROM mogo_secrets WHERE client_name = 'regress issue';
SELECT actor = session_user AS by_us, acting_as = current_user AS as_us, action,
	client_id = :'client_id' AS same_id,
	client_name, secret_id = :'secret_id' AS same_secret, application_name, detail
FROM mogo_audit WHERE client_name = 'regress issue';

-- The stored form, computed from the manual alone: a hash of the salt and of the
-- secret's own hash. Nothing in any row is the secret or its plain hash.
SELECT l.hash = 'sha256$' || encode(c.salt, 'hex') || '$'
		|| encode(sha256(c.salt || sha256(convert_to(:'client_secret', 'UTF8'))), 'hex')
		AS as_documented,
	octet_length(c.salt) AS salt_bytes, cardinality(c.live) AS live
FROM mogo_client AS c, unnest(c.live) AS l WHERE c.client_id = :'client_id';
CREATE TEMP TABLE everything AS
SELECT c::text AS row FROM mogo_client AS c
UNION ALL SELECT s::text FROM mogo_secret AS s
UNION ALL SELECT a::text FROM mogo_audit_log AS a;
SELECT count(*) FILTER (WHERE position(:'client_id' IN row) > 0) AS rows_of_it,
	count(*) FILTER (WHERE position(:'client_secret' IN lower(row)) > 0
		OR position(replace(:'client_secret', '-', '') IN lower(row)) > 0) AS with_secret,
	count(*) FILTER (WHERE position(encode(sha256(:'client_secret'), 'hex') IN lower(row)) > 0
		OR position(encode(sha256(:'client_secret'), 'base64') IN row) > 0) AS with_digest
FROM everything;
DROP TABLE everything;

-- All that can be said of a client.
SELECT * FROM mogo_add_client(
	'regress all', '2999-12-31 23:59:59+00', '{read,write:all}',
	'{"team": "a", "n": [1]}') \gset all_
SELECT :'all_expires_at'::timestamptz = '2999-12-31 23:59:59+00' AS as_given;
SELECT scopes, metadata, live_secrets, next_expiry = '2999-12-31 23:59:59+00' AS as_given
FROM mogo_clients WHERE client_id = :'all_client_id';
SELECT status, expires_at = '2999-12-31 23:59:59+00' AS as_given
FROM mogo_secrets WHERE secret_id = :'all_secret_id';

-- By name too, in any order.
SELECT (mogo_add_client(metadata => '{"k": 1}', client_name => 'regress named')).client_name;

-- Names are unique, as bytes: case and normal form make another name.
SELECT client_name FROM mogo_add_client('regress issue');
\echo :LAST_ERROR_SQLSTATE
SELECT c.client_name FROM (VALUES ('Regress issue'), ('regress issue x'), (U&'regress \00e9'), (
	U&'regress e\0301')) AS n (name),
	LATERAL mogo_add_client(n.name) AS c;

-- A failed call leaves nothing, nor does one that is rolled back.
CREATE FUNCTION pg_temp.rows_now() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s clients, %s secrets, %s in the audit', (SELECT count(*) FROM mogo_client),
		(SELECT count(*) FROM mogo_secret), (SELECT count(*) FROM mogo_audit_log))
$$;
SELECT pg_temp.rows_now() AS before \gset
SELECT client_name FROM mogo_add_client('regress issue');
SELECT client_name FROM mogo_add_client('regress failed', '2000-01-01');
SELECT client_name FROM mogo_add_client('regress failed', scopes => '{a,a}');
SELECT client_name FROM mogo_add_client('regress failed', metadata => '[]');
BEGIN;
SELECT client_name FROM mogo_add_client('regress rolled back');
ROLLBACK;
DO $$
BEGIN
	PERFORM mogo_add_client('regress rolled back');
	PERFORM mogo_add_client('regress issue');
EXCEPTION WHEN unique_violation THEN
	RAISE NOTICE 'caught: %', SQLERRM;
END $$;
-- one statement is all or nothing: the second row fails
SELECT c.client_name FROM (VALUES ('regress rolled back'), ('regress issue')) AS n (name),
	LATERAL mogo_add_client(n.name) AS c;
SELECT pg_temp.rows_now() = :'before' AS nothing_left;

-- The name is free again, also in the transaction that gave it up.
BEGIN;
SAVEPOINT s;
SELECT client_name FROM mogo_add_client('regress rolled back');
ROLLBACK TO s;
SELECT client_name, client_id, client_secret FROM mogo_add_client('regress rolled back') \gset
SELECT mogo_verify(:'client_id', :'client_secret') AS before_commit;
COMMIT;
SELECT mogo_verify(:'client_id', :'client_secret') AS after_commit;

-- In bulk: every id, secret and salt its own.
CREATE TEMP TABLE bulk AS
SELECT c.* FROM generate_series(1, 500) AS g, LATERAL mogo_add_client('regress bulk ' || g) AS c;
SELECT count(DISTINCT client_id) AS ids, count(DISTINCT secret_id) AS secret_ids,
	count(DISTINCT client_secret) AS secrets,
	count(*) FILTER (WHERE mogo_verify(client_id, client_secret)) AS verified
FROM bulk;
SELECT count(DISTINCT salt) AS salts FROM mogo_client WHERE client_name LIKE 'regress bulk %';
SELECT count(*) AS of_version_4 FROM bulk, LATERAL (VALUES (client_id), (secret_id)) AS v (id)
WHERE v.id::text ~ '^.{8}-.{4}-4.{3}-[89ab].{3}-.{12}$';
-- no one's secret is another's
SELECT count(*) AS crossed FROM bulk AS a JOIN bulk AS b ON a.client_name = b.client_name || '0'
WHERE mogo_verify(a.client_id, b.client_secret);
DROP TABLE bulk;

-- A prepared statement makes a new one every time.
PREPARE add_client(text) AS SELECT client_name, client_secret FROM mogo_add_client($1);
EXECUTE add_client('regress prepared 1') \gset one_
EXECUTE add_client('regress prepared 2') \gset two_
SELECT :'one_client_name', :'two_client_name',
	:'one_client_secret' <> :'two_client_secret' AS differ;
DEALLOCATE add_client;

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
