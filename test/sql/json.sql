-- The file to download, and the RFC 7591 response: exact text, valid JSON.
\pset format unaligned
\pset tuples_only on

-- To the byte: three members in this order, one a line.
SELECT mogo_credentials_json('Mogoplus_testaccount', '782e12aa-23d3-11c0-8452-111114a14e13',
	'aaaaaaaa-8b36-471f-c818-d1d2e46b20d4');
SELECT mogo_credentials_json('Mogoplus_testaccount', '782e12aa-23d3-11c0-8452-111114a14e13',
	'aaaaaaaa-8b36-471f-c818-d1d2e46b20d4')::text
	= E'{\n  "clientName": "Mogoplus_testaccount",\n  "clientId": '
	'"782e12aa-23d3-11c0-8452-111114a14e13",\n'
		'  "clientSecret": "aaaaaaaa-8b36-471f-c818-d1d2e46b20d4"\n}' AS exactly;
SELECT mogo_credentials_json(ROW('Mogoplus_testaccount', '782e12aa-23d3-11c0-8452-111114a14e13',
	'aaaaaaaa-8b36-471f-c818-d1d2e46b20d4', gen_random_uuid(), now(), NULL,
	NULL)::mogo_credentials);
SELECT string_agg(key, ' ') FROM json_object_keys(
	mogo_credentials_json('n', gen_random_uuid(), 's')) AS key;

-- The product's whole page in one line.
SELECT mogo_credentials_json(c) AS file FROM mogo_add_client('Mogoplus_testaccount') AS c \gset
SELECT regexp_replace(regexp_replace(:'file', '(Id": ")[0-9a-f-]{36}"', '\1(an id)"'),
	'(Secret": ")[0-9a-f-]{36}"', '\1(a secret)"');
SELECT mogo_verify(:'file'::json->>'clientId', :'file'::json->>'clientSecret');

-- Any name that is allowed comes back as it was, and the text parses as jsonb.
SELECT name, j->>'clientName' = name AS same, j->>'clientSecret' = s AS same_secret
FROM (VALUES
	('"quoted"', '"'), ('back\slash', '\'), ('{"clientName": "x"}', '","a":"'),
	('</script>', '</script>'),
	(U&'K\00f6ln \4eac \+01f600', U&'\00e9\+01f600'), (U&'separators \2028 \2029', U&'\2028'),
	('percent %s %n', '%s'), ('\u0041 \u0000', '\u0000'), ('''; --', ''''), ('a/b', 'a/b'),
	(repeat('"', 255), repeat('\', 1024))) AS v (name, s),
	LATERAL (SELECT mogo_credentials_json(v.name, gen_random_uuid(), v.s)::jsonb) AS f (j);
SELECT bool_and(f.j->>'clientName' = v.name) AS stored_ones_too
FROM (VALUES ('"quoted"'), ('back\slash'), (U&'K\00f6ln \4eac \+01f600'), (U&'x \3000 x'),
	(repeat('"', 255))) AS v (name),
	LATERAL (SELECT mogo_credentials_json(c)::jsonb FROM mogo_add_client(v.name) AS c) AS f (j);
-- the second form takes whatever the screen holds: control characters are escaped
SELECT mogo_credentials_json(E'tab\t line\n \x01 \x7f', '782e12aa-23d3-11c0-8452-111114a14e13',
	E'\r\b\f');
SELECT mogo_credentials_json('', '782e12aa-23d3-11c0-8452-111114a14e13', '')::jsonb;

-- Long texts, from memory and from a table's toast.
CREATE TEMP TABLE long (name text, secret text);
INSERT INTO long SELECT string_agg(md5(g::text), '"'), repeat('\', 100000)
	FROM generate_series(1, 10000) AS g;
SELECT bool_and(j->>'clientName' = name AND j->>'clientSecret' = secret)
FROM long, LATERAL (SELECT mogo_credentials_json(name, gen_random_uuid(), secret)) AS f (j);
DROP TABLE long;

-- RFC 7591: the same, for a client that never expires and for one that does.
SELECT mogo_registration_json(
	ROW('a "client"', '782e12aa-23d3-11c0-8452-111114a14e13', 'the secret',
	gen_random_uuid(), '2026-11-25 00:00:00.9+00', NULL, NULL)::mogo_credentials);
SELECT mogo_registration_json(
	ROW('a "client"', '782e12aa-23d3-11c0-8452-111114a14e13', 'the secret',
	gen_random_uuid(), '2026-11-25 00:00:00+00', '2038-01-19 03:14:07+00',
	'https://client.example/"mcp"')::mogo_credentials)::jsonb;
SELECT mogo_credentials_json(
	ROW('a "client"', '782e12aa-23d3-11c0-8452-111114a14e13', 'the secret',
	gen_random_uuid(), now(), NULL, 'https://client.example/"mcp"')::mogo_credentials);
SELECT e, mogo_registration_json(
	ROW('n', gen_random_uuid(), 's', gen_random_uuid(), now(), e::timestamptz,
	NULL)::mogo_credentials)
	->>'client_secret_expires_at' AS seconds, floor(extract(epoch FROM e::timestamptz)) AS expected
FROM unnest(
	'{1970-01-01 00:00:00+00,1999-12-31 23:59:59.999999+00,2000-01-01 00:00:00+00,2000-01-01 '
	'00:00:00.5+00,
	2038-01-19 03:14:08.999999+00,2999-12-31 00:00:00+00,infinity}'::text[]) AS e;
SET timezone = 'Asia/Kolkata';
SELECT mogo_registration_json(
	ROW('n', gen_random_uuid(), 's', gen_random_uuid(), now(),
	'2038-01-19 03:14:07+00', NULL)::mogo_credentials)
	->>'client_secret_expires_at' AS in_any_time_zone;
RESET timezone;
SELECT mogo_registration_json(c) AS file FROM mogo_add_client(
	'regress registration', '2999-12-31 00:00:00+00') AS c \gset
SELECT mogo_verify(:'file'::json->>'client_id', :'file'::json->>'client_secret'),
	:'file'::json->>'client_secret_expires_at' AS seconds, :'file'::json->>'client_name' AS name;

-- A value that is missing is an error, not a null in a file.
\set VERBOSITY terse
SELECT mogo_credentials_json(NULL::mogo_credentials);
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_credentials_json(
	ROW(NULL, gen_random_uuid(), 's', NULL, NULL, NULL, NULL)::mogo_credentials);
SELECT mogo_credentials_json(ROW('n', NULL, 's', NULL, NULL, NULL, NULL)::mogo_credentials);
SELECT mogo_credentials_json(
	ROW('n', gen_random_uuid(), NULL, NULL, NULL, NULL, NULL)::mogo_credentials);
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_credentials_json(NULL, gen_random_uuid(), 's');
SELECT mogo_credentials_json('n', NULL, 's');
SELECT mogo_credentials_json('n', gen_random_uuid(), NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_registration_json(NULL);
SELECT mogo_registration_json(
	ROW(NULL, gen_random_uuid(), 's', NULL, NULL, NULL, NULL)::mogo_credentials);
SELECT mogo_registration_json(ROW('n', NULL, 's', NULL, NULL, NULL, NULL)::mogo_credentials);
SELECT mogo_registration_json(
	ROW('n', gen_random_uuid(), NULL, NULL, NULL, NULL, NULL)::mogo_credentials);
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_add_client(NULL);
\echo :LAST_ERROR_SQLSTATE

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
