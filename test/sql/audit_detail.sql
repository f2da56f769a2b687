-- The audit's detail: what a client had when it came and when it went, what makes a secret,
-- and the old and the new value of what changed. manage_audit and manage_clients have the
-- plain cases; here is what is easily got wrong.
\pset null '(null)'
\pset format unaligned

\getenv dir PG_ABS_SRCDIR
\set error_of :dir '/lib/error_of.sql'
\i :error_of

SELECT clock_timestamp() AS start \gset
CREATE VIEW pg_temp.details AS
SELECT action, detail - 'others_end_at' AS detail FROM mogo_audit
WHERE client_name ^@ 'regress_detail' AND at > :'start' ORDER BY at;

-- everything given, nothing given, no secret; names and values that have to be escaped
SET timezone = 'UTC';
SELECT client_id AS id FROM mogo_add_client('regress_detail', '2999-01-01', '{read,"a:[1]{}"}',
	'{"k": [1.0, "é\"\\"], "null": null}', 'external "id\', '{10.0.0.0/8,2001:db8::/32}') \gset
SELECT client_id AS id2 FROM mogo_add_client(E'regress_detail "\\2') \gset
SELECT client_id AS id3 FROM mogo_add_client('regress_detail 3', with_secret => false) \gset
SELECT count(*) FROM mogo_add_secret(:'id', '2999-01-02', E'label "é\\') \g /dev/null
SELECT count(*) FROM mogo_rotate_secret(:'id', '1 hour', '2999-01-03', 'rotated') \g /dev/null
-- an external id and lists that are cleared; one that was there already is not named
SELECT mogo_update_client(:'id', external_id => '', allowed_cidrs => '{}',
	scopes => '{read,"a:[1]{}"}') \g /dev/null
SELECT mogo_update_client(:'id2', external_id => 'new', scopes => '[5:6]={a,b}') \g /dev/null
-- names: what they were and what they are
SELECT mogo_update_client(:'id2', 'regress_detail 2') \g /dev/null
SELECT mogo_remove_client(:'id') \g /dev/null
SELECT mogo_remove_client(:'id2') \g /dev/null
TABLE pg_temp.details;
-- an expiry reads the same in any session
SET timezone = 'Asia/Kolkata';
SET datestyle = 'SQL, DMY';
SELECT (detail ->> 'expires_at')::timestamptz = timestamptz '2999-01-01 00:00:00+00' AS same
FROM mogo_audit WHERE client_id = :'id' AND action = 'client_added';
RESET datestyle;
RESET timezone;

-- A default lifetime is in it, not NULL
SET mogocred.default_secret_lifetime = '90d';
SELECT client_id, expires_at AS e FROM mogo_add_client('regress_detail 4') \gset
RESET mogocred.default_secret_lifetime;
SELECT (detail ->> 'expires_at')::timestamptz = :'e' AS the_default FROM mogo_audit
WHERE client_id = :'client_id';

-- What is stored beyond the caps can be replaced and removed, and is null in the record:
-- lists by their number and by their size, metadata by its text, whether it compresses or
-- is out of line.
CREATE FUNCTION pg_temp.store(scopes text[], networks cidr[], metadata jsonb) RETURNS void
LANGUAGE sql AS $$
	UPDATE mogo_client SET scopes = $1, allowed_cidrs = $2, metadata = $3
	WHERE client_name = 'regress_detail 3'
$$;
CREATE VIEW pg_temp.newest AS
SELECT action, left(detail::text, 300) AS detail FROM mogo_audit
WHERE client_id = (SELECT client_id FROM mogo_audit WHERE client_name = 'regress_detail 3' LIMIT 1)
ORDER BY at DESC LIMIT 1;
SELECT pg_temp.store((SELECT array_agg('s' || g) FROM generate_series(1, 257) AS g),
	(SELECT array_agg(('10.0.0.0'::inet + g)::cidr) FROM generate_series(1, 257) AS g),
	jsonb_build_object('big', repeat('x', 16374)));
SELECT mogo_update_client(:'id3', NULL, '{a}', '{"a": 1}', '{10.0.0.0/8}') \g /dev/null
TABLE pg_temp.newest;
-- 256 and 16 kB are printed
SELECT pg_temp.store((SELECT array_agg('s' || g) FROM generate_series(1, 256) AS g),
	(SELECT array_agg(('10.0.0.0'::inet + g)::cidr) FROM generate_series(1, 256) AS g),
	jsonb_build_object('big', repeat('x', 16373)));
SELECT mogo_update_client(:'id3', NULL, '{a}', '{"a": 1}', '{10.0.0.0/8}') \g /dev/null
SELECT action, jsonb_array_length(detail #> '{changed,scopes,old}') AS scopes,
	jsonb_array_length(detail #> '{changed,allowed_cidrs,old}') AS networks,
	length(detail #>> '{changed,metadata,old}') AS metadata
FROM mogo_audit WHERE client_id = :'id3' ORDER BY at DESC LIMIT 1;
-- a megabyte in one scope, and more in the metadata
SELECT pg_temp.store(ARRAY[repeat('x', 1000000)], '{}',
	jsonb_build_object('big', repeat('x', 2000000)));
SELECT mogo_remove_client(:'id3') \g /dev/null
TABLE pg_temp.newest;

-- A few bytes of metadata can be much text: the cap is of the text, and what is beyond it
-- is refused before it has been printed.
SELECT pg_temp.error_of(format('SELECT mogo_add_client(''regress_detail'', metadata => %L)', m))
FROM (VALUES ('{"n": 1e17000}'), ('{"n": [1e-9000, {"m": 1e9000}]}'),
	('{"n": "' || repeat('\u0001', 2730) || '"}')) AS v (m);
SELECT client_name FROM mogo_add_client('regress_detail digits', metadata => '{"n": 1e16000}');
SELECT length(detail ->> 'metadata') FROM mogo_audit WHERE client_name = 'regress_detail digits';

-- A scope has a longest length too, or lists would have none.
SELECT n, pg_temp.error_of(format(
	'SELECT mogo_add_client(''regress_detail'', scopes => ARRAY[''a'', repeat(''x'', %s)])', n))
FROM (VALUES (256), (255)) AS v (n);

-- A record that fails takes the change along.
ALTER TABLE mogo_audit_log ADD CONSTRAINT regress_no_update
	CHECK (action <> 'client_updated') NOT VALID;
SELECT client_id AS id FROM mogo_clients WHERE client_name = 'regress_detail' \gset
SELECT left(pg_temp.error_of(format('SELECT mogo_update_client(%L, scopes => ''{never}'')',
	:'id')), 5) AS error;
ALTER TABLE mogo_audit_log DROP CONSTRAINT regress_no_update;
SELECT scopes @> '{never}' AS changed FROM mogo_clients WHERE client_id = :'id';

SELECT mogo_remove_client(client_id) FROM mogo_clients
WHERE client_name ^@ 'regress_detail' \g /dev/null
DROP VIEW pg_temp.details, pg_temp.newest;
