-- mogo_verify: right is true, everything else is false, never NULL, never an error.

SELECT pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result,
	provolatile, proparallel, proisstrict, prosecdef, proconfig
FROM pg_proc WHERE proname IN ('mogo_verify', 'mogo_verify_digest', 'mogo_verify_status',
	'mogo_authenticate', 'mogo_authenticate_basic')
ORDER BY proname, 1;

SELECT client_id, client_secret FROM mogo_add_client('regress verify') \gset
SELECT client_id AS other_id, client_secret AS other_secret
	FROM mogo_add_client('regress other') \gset

-- Every type that an id may come in: untyped, text and varchar reach one form, uuid the other.
SELECT mogo_verify(:'client_id', :'client_secret') AS untyped,
	mogo_verify(:'client_id'::text, :'client_secret'::text) AS text,
	mogo_verify(:'client_id'::varchar, :'client_secret'::varchar) AS varchar,
	mogo_verify(:'client_id'::uuid, :'client_secret') AS uuid,
	mogo_verify(client_id => :'client_id', client_secret => :'client_secret') AS by_name;
SELECT mogo_verify(:'client_id'::char(36), :'client_secret'::char(36)) AS char_36,
	mogo_verify(:'client_id'::name, :'client_secret'::name) AS name;
PREPARE untyped AS SELECT mogo_verify($1, $2);
PREPARE as_text(text, text) AS SELECT mogo_verify($1, $2);
PREPARE as_varchar(varchar, varchar) AS SELECT mogo_verify($1, $2);
PREPARE as_uuid(uuid, text) AS SELECT mogo_verify($1, $2);
SELECT name, parameter_types FROM pg_prepared_statements WHERE name IN ('untyped', 'as_varchar')
	ORDER BY name;
EXECUTE untyped(:'client_id', :'client_secret');
EXECUTE as_text(:'client_id', :'client_secret');
EXECUTE as_varchar(:'client_id', :'client_secret');
EXECUTE as_uuid(:'client_id', :'client_secret');
EXECUTE untyped(:'client_id', :'other_secret');
EXECUTE as_uuid(:'client_id', :'other_secret');
DEALLOCATE ALL;

-- What is wrong.
SELECT mogo_verify(:'client_id', :'other_secret') AS others_secret,
	mogo_verify(:'other_id', :'client_secret') AS others_id,
	mogo_verify('782e12aa-23d3-11c0-8452-111114a14e13', :'client_secret') AS unknown_id,
	mogo_verify('00000000-0000-0000-0000-000000000000'::uuid, :'client_secret') AS nil_id,
	mogo_verify(:'client_secret', :'client_id') AS swapped,
	mogo_verify(:'client_id', :'client_id') AS the_id;
SELECT mogo_verify(:'client_id', upper(:'client_secret') || 'A') AS upper_and_more,
	mogo_verify(:'client_id', left(:'client_secret', -1)) AS less,
	mogo_verify(:'client_id', :'client_secret' || ' ') AS trailing_space,
	mogo_verify(:'client_id', ' ' || :'client_secret') AS leading_space,
	mogo_verify(:'client_id', :'client_secret' || E'\n') AS newline,
	mogo_verify(:'client_id', replace(:'client_secret', '-', '')) AS without_hyphens,
	mogo_verify(:'client_id', '{' || :'client_secret' || '}') AS in_braces,
	mogo_verify(:'client_id', '') AS empty;
-- A secret is text, not a UUID: its case counts. (An id's does not.)
SELECT count(*) AS upper_case_secrets FROM generate_series(1, 20) AS g, LATERAL mogo_add_client(
	'regress case ' || g) AS c
WHERE mogo_verify(c.client_id, upper(c.client_secret))
	OR NOT mogo_verify(upper(c.client_id::text), c.client_secret);
-- Each single character counts.
SELECT count(*) AS characters, count(*) FILTER (
	WHERE mogo_verify(:'client_id', overlay(:'client_secret' PLACING
	CASE WHEN substr(:'client_secret', g, 1) = '0' THEN '1' ELSE '0' END FROM g)))
	AS accepted_if_changed,
	count(*) FILTER (WHERE mogo_verify(overlay(:'client_id' PLACING
	CASE WHEN substr(:'client_id', g, 1) = '0' THEN '1' ELSE '0' END FROM g), :'client_secret'))
	AS id_accepted_if_changed
FROM generate_series(1, 36) AS g;

-- NULL is false, in every place.
SELECT mogo_verify(NULL, :'client_secret') AS no_id,
	mogo_verify(NULL::uuid, :'client_secret') AS no_uuid,
	mogo_verify(:'client_id', NULL) AS no_secret,
	mogo_verify(:'client_id'::uuid, NULL) AS no_secret,
	mogo_verify(NULL, NULL) AS none, mogo_verify(NULL::uuid, NULL) AS none;

-- Every spelling that PostgreSQL's uuid takes is the id, and no other is.
CREATE FUNCTION pg_temp.is_the_uuid(t text, id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN t::uuid = id;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN false;
END $$;
CREATE TEMP TABLE spelling AS
-- a hyphen or none after each group of four digits, braces or none
SELECT CASE WHEN braces = 1 THEN '{' ELSE '' END || string_agg(
	substr(hex, g * 4 + 1, 4) || CASE WHEN g < 7 AND hyphens >> g & 1 = 1 THEN '-' ELSE '' END, ''
	ORDER BY g)
	|| CASE WHEN braces = 1 THEN '}' ELSE '' END AS t
FROM replace(:'client_id', '-', '') AS hex, generate_series(0, 1) AS braces,
	generate_series(0, 127) AS hyphens, generate_series(0, 7) AS g
GROUP BY braces, hyphens;
INSERT INTO spelling SELECT upper(t) FROM spelling UNION SELECT initcap(t) FROM spelling;
-- something inserted, changed or missing at every place
INSERT INTO spelling SELECT overlay(s PLACING c FROM p FOR l)
FROM (VALUES (:'client_id'), (replace(:'client_id', '-', '')), ('{' || :'client_id' || '}'))
	AS v (s), generate_series(1, 39) AS p, generate_series(0, 1) AS l,
	unnest(ARRAY['', '-', '{', '}', ' ', 'g', '0', E'\n', U&'\00e9', '٣', 'urn:uuid:', '(', '"'])
	AS c;
INSERT INTO spelling VALUES (''), ('{'), ('}'), ('{}'), ('-'), ('{' || :'client_id'), (
	:'client_id' || '}'), ('{{' || :'client_id' || '}}'),
	('urn:uuid:' || :'client_id'), (:'client_id' || '-'), ('-' || :'client_id'),
	(' ' || :'client_id'), (:'client_id' || ' '), ('null'), ('0'),
	(repeat('0', 32)), (repeat('-', 36)), (repeat('f', 10000)), (:'client_id' || repeat(' ', 5)),
	(repeat(' ', 5) || :'client_id');
SELECT count(*) > 1500 AS many, count(*) FILTER (WHERE mogo_verify(t, :'client_secret')) > 500
	AS accepted,
	count(*) FILTER (WHERE mogo_verify(t, :'client_secret') IS DISTINCT FROM pg_temp.is_the_uuid(t,
	:'client_id')) AS not_like_the_type
FROM spelling;
SELECT t FROM spelling WHERE mogo_verify(t, :'client_secret') IS DISTINCT
	FROM pg_temp.is_the_uuid(t, :'client_id');
DROP TABLE spelling;

-- Malformed ids that the network may send.
SELECT bool_or(mogo_verify(t, :'client_secret')) AS any_accepted,
	bool_and(mogo_verify(t, :'client_secret') IS NOT NULL) AS never_null
FROM unnest(ARRAY['', 'x', ''' OR true --', '%', '\', E'\x01', U&'\+01f600', repeat(:'client_id',
	2), 'mogo', '1e400', 'NaN', 'infinity', '../..']) AS t;

-- Any length. 1,024 bytes in UTF-8 may still be a secret, one more is never one.
SELECT length(repeat('x', 10000000)) AS bytes,
	mogo_verify(:'client_id', repeat('x', 10000000)) AS secret,
	mogo_verify(repeat('x', 10000000), :'client_secret') AS id,
	mogo_verify(repeat(' ', 10000000), repeat(' ', 10000000)) AS both,
	mogo_verify(:'client_id', :'client_secret' || repeat(' ', 10000000)) AS padded,
	mogo_verify(:'client_id' || repeat(' ', 10000000), :'client_secret') AS padded_id;
SELECT mogo_import_client('regress long ' || n, gen_random_uuid(), 'sha256', encode(sha256(
	convert_to(repeat(c, n / octet_length(c)), 'UTF8')), 'hex')) IS NOT NULL AS imported
FROM (VALUES ('x', 1023), ('x', 1024), ('x', 1025), (U&'\00e9', 1022), (U&'\+01f600', 1020))
	AS v (c, n);
SELECT client_name, mogo_verify(client_id, repeat(c, n / octet_length(c))) AS verified,
	mogo_verify(client_id, repeat(c, n / octet_length(c)) || 'x') AS one_more
FROM (VALUES ('x', 1023), ('x', 1024), ('x', 1025), (U&'\00e9', 1022), (U&'\+01f600', 1020))
	AS v (c, n)
JOIN mogo_clients ON client_name = 'regress long ' || n ORDER BY n;
-- 1,024 bytes of another length in characters
SELECT mogo_import_client('regress wide', '11111111-1111-4111-8111-111111111111', 'sha256', encode(
	sha256(convert_to(repeat(U&'\+01f600', 256), 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_verify('11111111-1111-4111-8111-111111111111', repeat(U&'\+01f600', 256))
	AS of_1024_bytes,
	mogo_verify('11111111-1111-4111-8111-111111111111', repeat(U&'\+01f600', 257)) AS of_1028_bytes;

-- Arguments from a table: short, compressed in line, and out of line.
CREATE TEMP TABLE sent (kind text, id text, secret text, filler text);
ALTER TABLE sent ALTER COLUMN filler SET STORAGE PLAIN;
SELECT client_id AS long_id FROM mogo_clients WHERE client_name = 'regress long 1024' \gset
INSERT INTO sent VALUES ('short', :'client_id', :'client_secret', ''),
	('compressed', :'long_id', repeat('x', 1024), repeat('x', 3000)),
	('compressed, one more', :'long_id', repeat('x', 1025), repeat('x', 3000)),
	('compressed id', repeat('0', 2000), :'client_secret', repeat('x', 3000)),
	('much', :'client_id', repeat('x', 1000000), '');
INSERT INTO sent SELECT 'much, not compressible', :'client_id', string_agg(md5(g::text), ''), ''
	FROM generate_series(1, 30000) AS g;
ALTER TABLE sent ALTER COLUMN secret SET STORAGE EXTERNAL;
INSERT INTO sent VALUES ('out of line', :'long_id', repeat('x', 1024), repeat('x', 3000)),
	('out of line, one more', :'long_id', repeat('x', 1025), repeat('x', 3000));
SELECT kind, pg_column_size(secret) < octet_length(secret) AS compressed, mogo_verify(id, secret)
	FROM sent ORDER BY kind COLLATE "C";
SELECT pg_relation_size(reltoastrelid) > 0 AS some_out_of_line FROM pg_class
	WHERE oid = 'sent'::regclass;
DROP TABLE sent;

-- A name that looks like an id, an id that looks like SQL: text is only text.
SELECT mogo_verify('regress verify', :'client_secret') AS by_name,
	mogo_verify(:'client_id' || '''; DROP TABLE mogo_client; --', :'client_secret') AS injected,
	mogo_verify(:'client_id', '%') AS wildcard, mogo_verify(:'client_id', '.*') AS regex;

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
