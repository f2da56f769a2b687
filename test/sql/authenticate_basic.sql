--
-- mogo_authenticate and mogo_authenticate_basic: what a token service asks
--
-- The client is imported, so that its id and its secrets are known, and the headers
-- can be written out as another program (Python's base64 and urllib) made them.
--
\pset null '(null)'
SELECT mogo_import_client('regress_authenticate', 'a0000000-0000-4000-8000-000000000001', 'sha256',
	encode(sha256('plain-secret_1'), 'hex'), NULL, '{read,write}',
	'{"tier": 1, "nested": {"a": [1]}}') AS i1 \gset
SELECT mogo_import_client('regress_authenticate special', 'a0000000-0000-4000-8000-000000000002',
	'sha256',
	encode(sha256(convert_to('a:b c+d%&=ü', 'UTF8')), 'hex'), '2999-01-01 00:00:00+00') AS i2 \gset
SELECT mogo_import_client('regress_authenticate longest', 'a0000000-0000-4000-8000-000000000003',
	'sha256',
	encode(sha256(convert_to(repeat('ü', 512), 'UTF8')), 'hex')) AS i3 \gset
SELECT mogo_import_client('regress_authenticate person''s', 'a0000000-0000-4000-8000-000000000004',
	'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa') AS i4 \gset

-- secrets that only a sloppy reader would find: were their bytes taken, they would match
CREATE TEMPORARY TABLE sloppy (
	n int GENERATED ALWAYS AS IDENTITY, what text, secret bytea, sent text);
INSERT INTO sloppy (what, secret, sent) VALUES
('no UTF-8', '\xFFFE', '%FF%FE'), ('half a character', '\x61C3', 'a%C3'),
	('an overlong one', '\xC0AD', '%C0%AD'),
('a surrogate', '\xEDA080', '%ED%A0%80'), ('beyond U+10FFFF', '\xF4908080', '%F4%90%80%80'),
('a NUL behind', '\x6100', 'a%00'), ('a NUL inside', '\x610062', 'a%00b'),
	('all before it', 'a', 'a%00b'),
('half an escape', 'a%4', 'a%4'), ('a percent', 'a%', 'a%'), ('no hex', 'a%zz', 'a%zz'),
	('unescaped plus', 'a+b', 'a+b');
SELECT count(mogo_import_client('regress_authenticate sloppy ' || n,
	('a0000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, 'sha256',
	encode(sha256(secret), 'hex'))) FROM sloppy;

-- one row for the right secret, in both forms and by every way to write the id
SELECT client_id, client_name, scopes, metadata, secret_id = :'i1' AS secret_id, expires_at
FROM mogo_authenticate('a0000000-0000-4000-8000-000000000001', 'plain-secret_1');
SELECT client_id, client_name, scopes, metadata, secret_id = :'i2' AS secret_id,
	expires_at AT TIME ZONE 'UTC' AS expires_at
FROM mogo_authenticate('a0000000-0000-4000-8000-000000000002'::uuid, 'a:b c+d%&=ü', NULL);
SELECT pg_typeof(client_id), pg_typeof(client_name), pg_typeof(scopes), pg_typeof(metadata),
	pg_typeof(secret_id), pg_typeof(expires_at)
FROM mogo_authenticate('{A0000000-0000-4000-8000-000000000001}', 'plain-secret_1', '10.0.0.1');
SELECT count(*) FROM mogo_authenticate('a0000000000040008000000000000004', 'Grüße an den Bäcker');
-- which of a client's secrets it was
SELECT client_secret AS second, secret_id AS second_id
	FROM mogo_add_secret('a0000000-0000-4000-8000-000000000001') \gset
SELECT (SELECT secret_id FROM mogo_authenticate(
	'a0000000-0000-4000-8000-000000000001', 'plain-secret_1')) = :'i1' AS first,
	(SELECT secret_id FROM mogo_authenticate('a0000000-0000-4000-8000-000000000001', :'second'))
	= :'second_id' AS second;
-- for several clients in one statement, and where a SELECT list has it
SELECT t.n, a.client_name FROM (VALUES
	(1, 'a0000000-0000-4000-8000-000000000001', 'plain-secret_1'),
	(2, 'a0000000-0000-4000-8000-000000000002', 'wrong'),
	(3, 'a0000000-0000-4000-8000-000000000003', repeat('ü', 512))) AS t (n, id, secret)
LEFT JOIN LATERAL mogo_authenticate(t.id, t.secret) AS a ON true ORDER BY t.n;
SELECT (mogo_authenticate('a0000000-0000-4000-8000-000000000001', 'plain-secret_1')).client_name;

-- no row, and no error, for anything else
SELECT what, (SELECT count(*) FROM mogo_authenticate(id, secret)) AS rows
FROM (VALUES
(1, 'wrong secret', 'a0000000-0000-4000-8000-000000000001', 'plain-secret_2'),
(2, 'another''s secret', 'a0000000-0000-4000-8000-000000000002', 'plain-secret_1'),
(3, 'unknown id', 'a0000000-0000-4000-8000-0000000000ff', 'plain-secret_1'),
(4, 'malformed id', 'a0000000-0000-4000-8000-00000000000', 'plain-secret_1'),
(5, 'a space behind the id', 'a0000000-0000-4000-8000-000000000001 ', 'plain-secret_1'),
(6, 'empty id', '', 'plain-secret_1'),
(7, 'empty secret', 'a0000000-0000-4000-8000-000000000001', ''),
(8, 'no id', NULL, 'plain-secret_1'),
(9, 'no secret', 'a0000000-0000-4000-8000-000000000001', NULL),
(10, 'long id', repeat('a', 1048576), 'plain-secret_1'),
(11, 'long secret', 'a0000000-0000-4000-8000-000000000001', repeat('x', 1048576))
) AS t (n, what, id, secret) ORDER BY n;
SELECT count(*) FROM mogo_authenticate(NULL::uuid, NULL, NULL);

-- Basic. The header of a pair, as RFC 6749, section 2.3.1, has it: both urlencoded first
CREATE FUNCTION pg_temp.basic(pair text) RETURNS text LANGUAGE sql AS
$$ SELECT 'Basic ' || translate(encode(convert_to(pair, 'UTF8'), 'base64'), E'\n', '') $$;
CREATE FUNCTION pg_temp.who(header text) RETURNS text LANGUAGE sql AS
$$ SELECT client_name FROM mogo_authenticate_basic(header) $$;
SELECT client_id, client_name, scopes, metadata, secret_id = :'i1' AS secret_id, expires_at
FROM mogo_authenticate_basic(
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x');
-- 'a%3Ab+c%2Bd%25%26%3D%C3%BC', by urllib.parse.quote_plus
SELECT pg_temp.who(
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAyOmElM0FiK2MlMkJkJTI1JTI2JTNEJUMzJUJD');
SELECT what, pg_temp.who(pg_temp.basic(pair)) FROM (VALUES
(1, 'as it is', 'a0000000-0000-4000-8000-000000000001:plain-secret_1'),
(2, 'all escaped', '%61%30000000%2d0000%2D4000-8000-000000000001:%70%6c%61%69%6E%2Dsecret%5F1'),
(3, 'id in braces, in upper case', '%7BA0000000-0000-4000-8000-000000000001%7D:plain-secret_1'),
(4, '%20 for +', 'a0000000-0000-4000-8000-000000000002:a%3Ab%20c%2Bd%25%26%3D%C3%BC'),
(5, 'split at the first colon, the others belong to the secret',
	'a0000000-0000-4000-8000-000000000002:a:b c%2Bd%25&=ü'),
(6, 'a person''s', 'a0000000-0000-4000-8000-000000000004:Gr%C3%BC%C3%9Fe+an+den+B%C3%A4cker'),
(7, 'the longest', 'a0000000-0000-4000-8000-000000000003:' || repeat('ü', 512)),
(8, 'the longest, escaped', 'a0000000-0000-4000-8000-000000000003:' || repeat('%C3%BC', 512)),
(9, 'longest id and secret, all escaped',
	'%7B%61%30%30%30%30%30%30%30%2D%30%30%30%30%2D%34%30%30%30%2D%38%30%30%30%2D'
	|| repeat('%30', 11) || '%33%7D:' || repeat('%c3%bc', 512))
) AS t (n, what, pair) ORDER BY n;
-- the scheme in any case, one or more spaces behind it, padding as base64 has it
SELECT header, pg_temp.who(header) FROM (VALUES
(1, 'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(2, 'basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(3, 'BASIC YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(4, 'bAsIc   YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(5, 'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldCU1RjE='),
(6, 'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluJTJEc2VjcmV0JTVGMQ==')
) AS t (n, header) ORDER BY n;

-- everything else: no row, no error
SELECT what, pg_temp.who(header) FROM (VALUES
(1, 'no header', NULL),
(2, 'empty', ''),
(3, 'the scheme alone', 'Basic'),
(4, 'nothing behind it', 'Basic '),
(5, 'spaces behind it', 'Basic    '),
(6, 'no space', 'BasicYTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(7, 'a tab', E'Basic\tYTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(8, 'a space before',
	' Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(9, 'the header''s name',
	'Authorization: Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(10, 'another scheme',
	'Bearer YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(11, 'a longer scheme',
	'Basics YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(12, 'no base64', 'Basic a0000000-0000-4000-8000-000000000001:plain-secret_1'),
(13, 'a space behind',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x '),
(14, 'a line feed behind',
	E'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x\n'),
(15, 'a line feed inside',
	E'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAw\nMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
(16, 'a parameter behind',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x, Digest x'),
(17, 'twice',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x '
	'YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x'),
	
(18, 'padding that is missing',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldCU1RjE'),
(19, 'padding too much',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8x===='),
(20, 'one = too much',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldCU1RjE=='),
(21, 'unused bits set',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldCU1RjF='),
(22, 'one digit too many',
	'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8xA'),
(24, 'an umlaut', 'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldFü8'),
(25, 'one =', 'Basic ='), (26, 'two', 'Basic =='), (27, 'four', 'Basic ===='),
(28, 'one digit', 'Basic Y'), (29, 'a colon alone', pg_temp.basic(':')),
(30, 'no colon', pg_temp.basic('a0000000-0000-4000-8000-000000000001')),
(31, 'no id', pg_temp.basic(':plain-secret_1')),
(32, 'no secret', pg_temp.basic('a0000000-0000-4000-8000-000000000001:')),
(33, 'an escaped colon between', pg_temp.basic(
	'a0000000-0000-4000-8000-000000000001%3Aplain-secret_1')),
(34, '+ is a space', pg_temp.basic('a0000000-0000-4000-8000-000000000002:a:b+c+d%25&=ü')),
(35, 'a broken escape', pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret%5')),
(36, 'another', pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1%')),
(37, 'no hex', pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1%G0')),
(38, 'one in the id', pg_temp.basic('a0000000-0000-4000-8000-00000000000%3:plain-secret_1')),
(39, 'escaped twice', pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain%252Dsecret_1')),
(40, 'an escaped NUL behind the secret', pg_temp.basic(
	'a0000000-0000-4000-8000-000000000001:plain-secret_1%00')),
(41, 'an escaped NUL behind the id', pg_temp.basic(
	'a0000000-0000-4000-8000-000000000001%00:plain-secret_1')),
(42, 'a NUL', 'Basic YTAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOnBsYWluLXNlY3JldF8xAA=='),
(43, 'bytes that are no UTF-8', pg_temp.basic('a0000000-0000-4000-8000-000000000001:%FF%FE')),
(44, 'half a character',
	pg_temp.basic('a0000000-0000-4000-8000-000000000002:a%3Ab+c%2Bd%25%26%3D%C3')),
(45, 'an overlong one', pg_temp.basic('a0000000-0000-4000-8000-000000000001:%C0%AD')),
(46, 'a surrogate', pg_temp.basic('a0000000-0000-4000-8000-000000000001:%ED%A0%80')),
(47, 'no UTF-8 in the id', pg_temp.basic('%FFa0000000-0000-4000-8000-000000000001:plain-secret_1')),
(48, 'wrong secret', pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_2')),
(49, 'another''s secret', pg_temp.basic('a0000000-0000-4000-8000-000000000002:plain-secret_1')),
(50, 'unknown id', pg_temp.basic('a0000000-0000-4000-8000-0000000000ff:plain-secret_1')),
(51, 'a secret of 1,025 bytes', pg_temp.basic(
	'a0000000-0000-4000-8000-000000000003:' || repeat('ü', 512) || 'x')),
(52, 'the same, escaped', pg_temp.basic('a0000000-0000-4000-8000-000000000003:' || repeat('%C3%BC',
	512) || '%78')),
(53, 'a megabyte of it', pg_temp.basic('a0000000-0000-4000-8000-000000000001:' || repeat('x',
	1048576))),
(54, 'a megabyte of spaces', 'Basic ' || repeat(' ', 1048576)),
(55, 'a megabyte', repeat('Basic ', 200000))
) AS t (n, what, header) ORDER BY n;
SELECT what, pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0')
	|| ':' || sent))
FROM sloppy ORDER BY n;
-- the same clients' secrets where they are text, and escaped well
SELECT what, pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0')
	|| ':'
	|| replace(replace(convert_from(secret, 'UTF8'), '%', '%25'), '+', '%2B')))
FROM sloppy WHERE n > 7 ORDER BY n;
DROP TABLE sloppy;
-- base64's own alphabet, not base64url's
SELECT mogo_import_client('regress_authenticate base64', 'a0000000-0000-4000-8000-000000000005',
	'sha256',
	encode(sha256('>>>???~~~'), 'hex')) IS NOT NULL AS imported;
SELECT h ~ '[+/]' AS differs, pg_temp.who(h) AS base64,
	pg_temp.who('Basic ' || translate(substr(h, 7), '+/', '-_')) AS base64url
FROM pg_temp.basic('a0000000-0000-4000-8000-000000000005:>>>???~~~') AS h;
-- a client that another system let in with no secret
SELECT mogo_import_client('regress_authenticate nothing', 'a0000000-0000-4000-8000-000000000006',
	'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyexhJu7XyhFyrko6QMKtD6uvGcfCxpYoK') IS NOT NULL AS imported;
SELECT pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000006:')) AS basic,
	(SELECT count(*) FROM mogo_authenticate('a0000000-0000-4000-8000-000000000006', '')) AS plain;
-- the id as its own secret
SELECT pg_temp.who(
	pg_temp.basic('a0000000-0000-4000-8000-000000000001:a0000000-0000-4000-8000-000000000001'));

-- every length around what may be sent: never an error
SELECT count(pg_temp.who('Basic ' || repeat('A', n))),
	count(pg_temp.who('Basic' || repeat(' ', n) || 'QUFB'))
FROM generate_series(4250, 4450) AS n;
-- every single byte that an escape can stand for, at the secret's end and at the id's
SELECT count(pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1%'
	|| lpad(to_hex(n), 2, '0')))) AS secret,
	count(pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001%' || lpad(to_hex(n), 2,
	'0') || ':plain-secret_1'))) AS id
FROM generate_series(0, 255) AS n;

-- a disabled client, an expired and a revoked secret give no row
SELECT mogo_disable_client('a0000000-0000-4000-8000-000000000001');
SELECT (SELECT count(*) FROM mogo_authenticate(
	'a0000000-0000-4000-8000-000000000001', 'plain-secret_1')) AS plain,
	pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1')) AS basic;
SELECT mogo_enable_client('a0000000-0000-4000-8000-000000000001');
SELECT pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1')) AS basic;
SELECT mogo_revoke_secret(:'i1');
SELECT (SELECT count(*) FROM mogo_authenticate(
	'a0000000-0000-4000-8000-000000000001', 'plain-secret_1')) AS plain,
	pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:plain-secret_1')) AS basic,
	pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:' || :'second')) AS second;
SELECT client_name FROM mogo_rotate_secret('a0000000-0000-4000-8000-000000000001', '1 microsecond');
SELECT (SELECT count(*) FROM mogo_authenticate('a0000000-0000-4000-8000-000000000001', :'second'))
	AS plain,
	pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000001:' || :'second')) AS basic;

-- scopes and metadata that do not fit into the row
SELECT mogo_update_client('a0000000-0000-4000-8000-000000000002',
	scopes => array_agg(md5(n::text)), metadata => jsonb_object_agg(md5(n::text), md5((-n)::text)))
FROM generate_series(1, 2000) AS n;
SELECT cardinality(scopes), scopes[2000] = md5('2000') AS last_scope,
	metadata ->> md5('2000') = md5('-2000') AS metadata
FROM mogo_authenticate('a0000000-0000-4000-8000-000000000002', 'a:b c+d%&=ü');

-- in a read-only transaction, and for a verifier
CREATE ROLE regress_verifier;
SELECT mogo_grant_verifier('regress_verifier');
SET ROLE regress_verifier;
BEGIN READ ONLY;
SELECT client_name FROM mogo_authenticate('a0000000-0000-4000-8000-000000000003', repeat('ü', 512));
SELECT pg_temp.who(pg_temp.basic('a0000000-0000-4000-8000-000000000003:' || repeat('ü', 512)));
COMMIT;
RESET ROLE;
SELECT mogo_revoke_access('regress_verifier');
SET ROLE regress_verifier;
SELECT * FROM mogo_authenticate(NULL::text, NULL);
SELECT * FROM mogo_authenticate(NULL::uuid, NULL);
SELECT * FROM mogo_authenticate_basic(NULL);
RESET ROLE;
DROP ROLE regress_verifier;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients
	WHERE client_name ^@ 'regress_authenticate';
