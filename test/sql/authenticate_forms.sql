-- mogo_authenticate and mogo_authenticate_basic: one row for the right pair, else none.

CREATE FUNCTION pg_temp.base64(pair text) RETURNS text
	LANGUAGE sql AS $$ SELECT replace(encode(convert_to(pair, 'UTF8'), 'base64'), E'\n', '') $$;

SELECT * FROM mogo_add_client(
	'regress authenticate', '2999-12-31 00:00:00+00', '{read,write}', '{"team": "a"}') \gset
SELECT client_id = :'client_id' AS same_id, client_name, scopes, metadata,
	secret_id = :'secret_id' AS same_secret, expires_at = :'expires_at' AS same_expiry
FROM mogo_authenticate(:'client_id', :'client_secret');
SELECT count(*) FROM mogo_authenticate(:'client_id'::uuid, :'client_secret');
SELECT count(*) FROM mogo_authenticate(:'client_id'::varchar, :'client_secret'::varchar);
SELECT count(*) FROM mogo_authenticate(client_id => :'client_id', client_secret => :'client_secret',
	client_addr => '192.0.2.1');
SELECT count(*) FROM mogo_authenticate(upper(:'client_id'), :'client_secret');
SELECT (SELECT count(*) FROM mogo_authenticate(:'client_id', 'wrong')) AS wrong,
	(SELECT count(*) FROM mogo_authenticate('x', :'client_secret')) AS malformed,
	(SELECT count(*) FROM mogo_authenticate('782e12aa-23d3-11c0-8452-111114a14e13',
	:'client_secret')) AS unknown,
	(SELECT count(*) FROM mogo_authenticate(NULL, :'client_secret')) AS no_id,
	(SELECT count(*) FROM mogo_authenticate(NULL::uuid, NULL)) AS no_uuid,
	(SELECT count(*) FROM mogo_authenticate(:'client_id', NULL)) AS no_secret,
	(SELECT count(*) FROM mogo_authenticate(repeat('x', 10000000), repeat('x', 10000000))) AS long;
-- the secret that was sent is the one that is named, among several live ones
SELECT secret_id AS second_id, client_secret AS second_secret
	FROM mogo_add_secret(:'client_id') \gset
SELECT secret_id = :'second_id' AS second, expires_at
	FROM mogo_authenticate(:'client_id', :'second_secret');
SELECT secret_id = :'secret_id' AS first FROM mogo_authenticate(:'client_id', :'client_secret');
-- many at once, with rows and without
SELECT count(*) AS rows, count(a.client_id) AS matched
FROM (SELECT CASE WHEN g % 2 = 0 THEN :'client_secret' ELSE 'wrong' || g END AS s
	FROM generate_series(1, 100) AS g) AS v
LEFT JOIN LATERAL mogo_authenticate(:'client_id', v.s) AS a ON true;
-- a large row comes whole
SELECT mogo_update_client(:'client_id', metadata => jsonb_build_object('big', repeat('0123456789',
	1600)));
SELECT length(metadata->>'big') FROM mogo_authenticate(:'client_id', :'client_secret');

-- A client that is bound to networks, from addresses inside and outside, by all three forms.
SELECT client_id AS net_id, client_secret AS net_secret
	FROM mogo_add_client('regress networks') \gset
SELECT mogo_update_client(
	:'net_id', allowed_cidrs => '{10.0.0.0/8,192.0.2.7/32,2001:db8::/32,::ffff:198.51.100.0/120}');
SELECT addr, (SELECT count(*) FROM mogo_authenticate(:'net_id', :'net_secret', addr)) AS text_form,
	(SELECT count(*) FROM mogo_authenticate(:'net_id'::uuid, :'net_secret', addr)) AS uuid_form,
	(SELECT count(*) FROM mogo_authenticate_basic(
	'Basic ' || pg_temp.base64(:'net_id' || ':' || :'net_secret'), addr)) AS basic
FROM unnest(
	'{10.0.0.1,10.255.255.255,11.0.0.1,192.0.2.7,192.0.2.8,2001:db8::1,2001:db9::1,::ffff:10.1.2.3,'
	'::ffff:11.1.2.3,198.51.100.9,::ffff:198.51.100.9,
	198.51.101.1,::10.0.0.1,0.0.0.0,::,NULL}'::inet[]) AS addr;
SELECT count(*) AS not_given FROM mogo_authenticate(:'net_id', :'net_secret');
SELECT count(*) AS wrong_secret FROM mogo_authenticate(:'net_id', 'wrong', '10.0.0.1');
SELECT mogo_verify(:'net_id', :'net_secret'), mogo_verify_status(:'net_id', :'net_secret');
SELECT mogo_update_client(:'net_id', allowed_cidrs => '{0.0.0.0/0}');
SELECT (SELECT count(*) FROM mogo_authenticate(:'net_id', :'net_secret', '203.0.113.1')) AS ipv4,
	(SELECT count(*) FROM mogo_authenticate(:'net_id', :'net_secret', '::ffff:203.0.113.1'))
	AS mapped,
	(SELECT count(*) FROM mogo_authenticate(:'net_id', :'net_secret', '2001:db8::1')) AS ipv6;
SELECT mogo_update_client(:'net_id', allowed_cidrs => '{}');
SELECT count(*) AS not_given FROM mogo_authenticate(:'net_id', :'net_secret');

-- An HTTP Basic header (RFC 6749 section 2.3.1, RFC 7617), well formed.
SELECT client_id, client_name, scopes, metadata, secret_id, expires_at
FROM mogo_authenticate_basic('Basic ' || pg_temp.base64(:'net_id' || ':'
	|| :'net_secret')) \gset basic_
SELECT :'basic_client_id' = :'net_id' AS same_id, :'basic_client_name' AS client_name;
SELECT scheme, (SELECT count(*) FROM mogo_authenticate_basic(scheme || pg_temp.base64(:'net_id'
	|| ':' || :'net_secret'))) AS accepted
FROM unnest(ARRAY['Basic ', 'basic ', 'BASIC ', 'bAsIc  ', 'Basic', ' Basic ', E'Basic\t',
	'Bearer ', 'Token ', 'Basi ', 'Basic: ', 'Basic realm="x" ', '', U&'B\0101sic ']) AS scheme;
SELECT sent, (SELECT count(*) FROM mogo_authenticate_basic('Basic ' || CASE WHEN sent LIKE '%x%'
	THEN pg_temp.base64(v.pair) ELSE v.pair END)) AS accepted
FROM (VALUES ('x as it is', :'net_id' || ':' || :'net_secret'),
	('x hyphens encoded', replace(:'net_id', '-', '%2d') || ':' || replace(
	:'net_secret', '-', '%2D')),
	('x no colon', :'net_id' || :'net_secret'), ('x empty', ''), ('x only a colon', ':'),
	('x no secret', :'net_id' || ':'), ('x no id', ':' || :'net_secret'),
	('x colon encoded', :'net_id' || '%3A' || :'net_secret'),
	('x broken escape', :'net_id' || ':' || :'net_secret' || '%'),
	('x broken escape', :'net_id' || ':' || :'net_secret' || '%4'),
	('x broken escape', :'net_id' || ':' || :'net_secret' || '%zz'),
	('x NUL', :'net_id' || ':' || :'net_secret' || '%00'),
	('x trailing space', :'net_id' || ':' || :'net_secret' || '+'),
	('x not UTF-8', :'net_id' || ':' || '%ff%fe'),
	('x half a character', :'net_id' || ':' || '%c3'),
	('x surrogate', :'net_id' || ':' || '%ed%a0%80'),
	('not base64', '????'), ('base64 with a stray =', pg_temp.base64(:'net_id' || ':'
	|| :'net_secret') || '='),
	('base64 cut', left(pg_temp.base64(:'net_id' || ':' || :'net_secret'), -1)),
	('base64 with white space', pg_temp.base64(:'net_id' || ':' || :'net_secret') || ' '),
	('base64 of several lines',
	encode(convert_to(:'net_id' || ':' || :'net_secret', 'UTF8'), 'base64')),
	('nothing', '')) AS v (sent, pair);
-- a secret with everything in it that needs escaping
SELECT mogo_import_client('regress basic', '11111111-1111-4111-8111-111111111111', 'sha256', encode(
	sha256(convert_to(U&'a:b c+d%41&=\00e9\+01f600"\\', 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT count(*) AS accepted FROM unnest(ARRAY['a%3Ab+c%2Bd%2541%26%3D%C3%A9%F0%9F%98%80%22%5C',
	U&'a:b%20c%2bd%2541&=\00e9\+01f600"\\']) AS s,
	LATERAL mogo_authenticate_basic(
	'Basic ' || pg_temp.base64('11111111-1111-4111-8111-111111111111:' || s));
-- bytes that are no text are no secret, though their hash could be imported
SELECT mogo_import_client('regress bytes ' || n, ('33333333-3333-4333-8333-33333333333' || n)::uuid,
	'sha256', encode(sha256(b), 'hex')) IS NOT NULL AS imported
FROM (VALUES (1, '\xfffe'::bytea), (2, '\x6100'), (3, '\xc3'), (4, '\xeda080'), (5, '\xc3a9'))
	AS v (n, b);
SELECT s, (SELECT count(*) FROM mogo_authenticate_basic('Basic ' || pg_temp.base64(
	'33333333-3333-4333-8333-33333333333' || n || ':' || s))) AS accepted
FROM (VALUES (1, '%ff%fe'), (2, 'a%00'), (3, '%c3'), (4, '%ed%a0%80'), (5, '%c3%a9')) AS v (n, s)
	ORDER BY n;
-- any length, NULL
SELECT (SELECT count(*) FROM mogo_authenticate_basic(NULL)) AS no_header,
	(SELECT count(*) FROM mogo_authenticate_basic('')) AS empty,
	(SELECT count(*) FROM mogo_authenticate_basic('Basic ' || repeat('QUFB', 2500000))) AS long,
	(SELECT count(*) FROM mogo_authenticate_basic(repeat('Basic ', 1000000))) AS long;
SELECT count(*) AS accepted FROM generate_series(1000, 6000, 7) AS n,
	LATERAL mogo_authenticate_basic('Basic ' || pg_temp.base64(:'net_id' || ':' || repeat('x', n)));
-- a secret of 1,024 bytes, each of them escaped, and one more
SELECT mogo_import_client('regress basic long', '22222222-2222-4222-8222-222222222222', 'sha256',
	encode(sha256(convert_to(repeat('x', n), 'UTF8')), 'hex')) IS NOT NULL AS imported
	FROM (VALUES (1024)) AS v (n);
SELECT n, (SELECT count(*) FROM mogo_authenticate_basic('Basic ' || pg_temp.base64(
	'22222222-2222-4222-8222-222222222222:' || repeat('%78', n)))) AS accepted
	FROM unnest('{1023,1024,1025}'::int[]) AS n;

-- None for an ended or disabled one.
SELECT mogo_disable_client(:'client_id');
SELECT count(*) AS disabled FROM mogo_authenticate(:'client_id', :'client_secret');
SELECT mogo_enable_client(:'client_id');
SELECT mogo_revoke_secret(:'secret_id');
SELECT count(*) AS revoked FROM mogo_authenticate(:'client_id', :'client_secret');
SELECT client_id, client_secret FROM mogo_add_client(
	'regress authenticate expiry', clock_timestamp() + interval '500 milliseconds') \gset soon_
SELECT pg_sleep(0.6);
SELECT count(*) AS expired FROM mogo_authenticate(:'soon_client_id', :'soon_client_secret');
SELECT count(*) AS expired FROM mogo_authenticate_basic(
	'Basic ' || pg_temp.base64(:'soon_client_id' || ':' || :'soon_client_secret'));

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
