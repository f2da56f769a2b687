-- What an administrator may pass to mogo_add_client: names, scopes, metadata, expiries.
\pset format unaligned

\getenv dir PG_ABS_SRCDIR
\set error_of :dir '/lib/error_of.sql'
\i :error_of

-- Names. First the code points around all that is special, and a sample of the
-- others (surrogates are none): exactly these are refused.
CREATE TEMP TABLE refused AS
SELECT c, pg_temp.error_of(format('SELECT mogo_add_client(%L)', 'regress ' || c || chr(c))) AS error
FROM generate_series(1, 65535) AS c
WHERE c NOT BETWEEN 55296 AND 57343
	AND (c < 1024 OR c BETWEEN 5750 AND 5770 OR c BETWEEN 8180 AND 8310 OR c BETWEEN 12280 AND 12300
	OR c > 65270 OR c % 97 = 0);
DELETE FROM refused WHERE error = 'no error';
SELECT string_agg(CASE WHEN first = last THEN first ELSE first || '-' || last END, ' '
	ORDER BY first COLLATE "C") AS refused
FROM (SELECT lpad(upper(to_hex(min(c))), 4, '0') AS first,
	lpad(upper(to_hex(max(c))), 4, '0') AS last
	FROM (SELECT c, c - row_number() OVER (ORDER BY c) AS island FROM refused) AS r GROUP BY island)
	AS i;
SELECT DISTINCT regexp_replace(error, 'number \d+ is U\+[0-9A-F]{4}', 'number N is U+XXXX') AS error
	FROM refused;
SELECT error FROM refused WHERE c = 8238;
DROP TABLE refused;

-- Where they stand, how long a name is, and what counts as white space.
SELECT what, pg_temp.error_of(format('SELECT mogo_add_client(%L)', name)) AS error
FROM (VALUES
	(1, 'empty', ''), (2, 'a space', ' '), (3, 'spaces', '   '), (4, 'tab', E'\t'),
	(5, 'newline at the end', E'name\n'),
	(6, 'control at the start', E'\x01name'), (7, 'DEL', E'na\x7fme'), (8, 'C1', U&'na\0085me'),
	(9, 'no-break space', U&'\00a0'), (10, 'all kinds of white space',
		U&' \00a0\1680\2000\2001\2002\2003\2004\2005\2006'
		'\2007\2008\2009\200a\2028\2029\202f\205f\3000'),
		
	(11, 'right-to-left override', U&'abc\202edcba'), (12, 'isolate', U&'\2066abc\2069'),
	(13, 'the limit', repeat('x', 255)),
	(14, 'the limit in four bytes each', repeat(U&'\+01f600', 255)),
	(15, 'one more', repeat('x', 256)),
	(16, 'one more in four bytes each', repeat(U&'\+01f600', 256)),
	(17, 'a megabyte', repeat('x', 1000000)),
	(18, 'a control far behind the limit', repeat('x', 300) || E'\x01'),
	(19, 'spaces around a letter', '  x  '), (20, 'white space before a letter', U&'\3000x'),
	(21, 'white space behind a letter', U&'x\00a0'), (22, 'zero-width space', U&'Acme\200b'),
	(23, 'byte order mark', U&'\feffname'), (24, 'Braille blank', U&'\2800'),
	(25, 'Hangul fillers', U&'\115f\1160\3164'), (26, 'joiner at the start', U&'\200dx'),
	(27, 'joiner at the end', U&'x\200c'), (28, 'two joiners', U&'x\200d\200dx'),
	(29, 'joiner before a space', U&'x\200d x'), (30, 'tag of a flag', U&'\+01f3f4\+0e0067'),
	(31, 'a quote', ''''), (32, 'right-to-left letters', U&'\05d0\05d1'),
	(33, 'Japanese with a wide space', U&'\65e5\672c\3000\682a\5f0f'),
	(34, 'Persian with a non-joiner', U&'\0645\06cc\200c\062e\0648\0627\0647\0645'),
	(35, 'emoji with joiners', U&'\+01f468\200d\+01f469\200d\+01f467'),
	(36, 'emoji with a selector', U&'\2764\fe0f'))
	AS v (n, what, name) ORDER BY n;
SELECT pg_temp.error_of('SELECT mogo_add_client(NULL)') AS "NULL";
SELECT count(*) AS stored_as_given FROM mogo_clients
WHERE client_name IN (repeat('x', 255), repeat(U&'\+01f600', 255), '''', U&'\05d0\05d1',
	U&'\65e5\672c\3000\682a\5f0f', U&'\0645\06cc\200c\062e\0648\0627\0647\0645',
	U&'\+01f468\200d\+01f469\200d\+01f467', U&'\2764\fe0f');

-- Scopes.
SELECT scopes, pg_temp.error_of(format('SELECT mogo_add_client(%L, scopes => %L)', 'regress scopes '
	|| n, scopes)) AS error
FROM (VALUES
	(1, '{}'), (2, '{read}'), (3, '{read,write}'), (4, '{https://example.com/a.b?c=d#e}'),
	(5, '{!,#,[,],~}'),
	(6, '{Read,read}'), (7, '[5:6]={a,b}'), (8, '{""}'), (9, '{"a b"}'), (10, '{"a\"b"}'),
	(11, '{"a\\b"}'), (12, U&'{\00e9}'),
	(13, E'{"\x7f"}'), (14, E'{"a\n"}'), (15, '{NULL}'), (16, '{a,NULL}'), (17, '{a,a}'),
	(18, '{b,a,c,a}'), (19, '{{a,b},{c,d}}'),
	(20, '{a,"b c",NULL}'), (21, '{a,ab,abc}'), (22, NULL))
	AS v (n, scopes) ORDER BY n;
-- exactly RFC 6749's characters, section 3.3: %x21 / %x23-5B / %x5D-7E
SELECT string_agg(chr(c), '' ORDER BY c) AS accepted FROM generate_series(1, 255) AS c
WHERE pg_temp.error_of(format('SELECT mogo_add_client(%L, scopes => ARRAY[%L])', 'regress scope '
	|| c, chr(c))) = 'no error';
SELECT client_name, scopes FROM mogo_clients
	WHERE client_name IN ('regress scopes 3', 'regress scopes 5', 'regress scopes 6',
	'regress scopes 7') ORDER BY 1;
SELECT array_agg('scope:' || g) AS many FROM generate_series(1, 256) AS g \gset
SELECT client_id FROM mogo_add_client('regress many scopes', scopes => :'many') \gset
SELECT scopes = :'many' AS many_in_their_order FROM mogo_clients WHERE client_id = :'client_id';

-- Metadata.
SELECT metadata, pg_temp.error_of(format('SELECT mogo_add_client(%L, metadata => %L)',
	'regress metadata ' || n, metadata)) AS error
FROM (VALUES (1, '{}'), (2, '{"a": {"b": [1, null]}}'), (3, '[]'), (4, '[{}]'), (5, '"x"'),
	(6, '1'), (7, 'true'), (8, 'null'), (9, NULL))
	AS v (n, metadata) ORDER BY n;

-- The caps: scopes and networks by number, metadata by bytes of its text ('{"big": ""}' has
-- 11), whether it compresses or not, and whether it grows as jsonb.
SELECT client_id, client_secret FROM mogo_add_client(
	'regress much metadata', metadata => jsonb_build_object('big', repeat('x', 16384 - 11))) \gset
SELECT length(metadata::text) AS bytes, mogo_verify(client_id, :'client_secret')
FROM mogo_clients WHERE client_id = :'client_id';
SELECT what, pg_temp.error_of(format('SELECT mogo_add_client(%L, %s)', 'regress cap ' || n, args))
	AS error
FROM (VALUES
	(1, 'scopes', $$scopes => (SELECT array_agg('s' || g) FROM generate_series(1, 257) g)$$),
	(2, 'a million scopes', $$scopes => (
		SELECT array_agg('s'::text) FROM generate_series(1, 1000000))$$),
	(3, 'networks', $$allowed_cidrs => (SELECT array_agg(('10.0.0.0'::inet + g)::cidr)
		FROM generate_series(1, 257) g)$$),
	(4, 'metadata', $$metadata => jsonb_build_object('big', repeat('x', 16384 - 10))$$),
	(5, 'escapes', $$metadata => jsonb_build_object('big', repeat('"', 8187))$$),
	(6, 'numbers within', $$metadata => jsonb_build_object('n',
		(SELECT jsonb_agg(1) FROM generate_series(1, 5000)))$$),
	(7, 'numbers', $$metadata => jsonb_build_object('n',
		(SELECT jsonb_agg(1) FROM generate_series(1, 5500)))$$),
	(8, 'a hundred megabytes', $$metadata => jsonb_build_object('big', repeat('x', 100000000))$$))
	AS v (n, what, args) ORDER BY n;
-- a row over the caps, from before there were any, can be repaired
UPDATE mogo_client SET metadata = jsonb_build_object('big', repeat('x', 20000000)),
	scopes = (SELECT array_agg('s' || g) FROM generate_series(1, 1000) g)
WHERE client_id = :'client_id';
SELECT mogo_update_client(:'client_id', metadata => '{}', scopes => '{a}');
SELECT scopes, metadata FROM mogo_clients WHERE client_id = :'client_id';

-- Expiries, by the clock: one that passes while the transaction is open is refused.
SELECT expires_at, pg_temp.error_of(format('SELECT mogo_add_client(%L, %L)', 'regress expiry ' || n,
	expires_at)) AS error
FROM (VALUES (1, NULL), (2, '2999-12-31 00:00:00+00'), (3, '294276-12-31 23:59:59.999999+00'),
	(4, 'infinity'), (5, '-infinity'),
	(6, '2020-01-01 00:00:00+00'), (7, '4714-11-24 00:00:00+00 BC'))
	AS v (n, expires_at) ORDER BY n;
SELECT pg_temp.error_of('SELECT mogo_add_client(''regress now'', clock_timestamp())') AS "now";
BEGIN;
SELECT clock_timestamp() + interval '1 millisecond' AS soon \gset
SELECT pg_sleep(0.002);
SELECT pg_temp.error_of(format('SELECT mogo_add_client(''regress soon'', %L)', :'soon'))
	AS "has passed",
	:'soon' > now() AS "after the transaction's start";
COMMIT;

-- Several faults: any of them, and nothing made.
SELECT pg_temp.error_of($$SELECT mogo_add_client('', 'infinity', '{a,a}', '[]')$$) LIKE '22023%'
	AS refused;
SELECT count(*) AS made_by_failures FROM mogo_clients
WHERE client_name
	LIKE ANY ('{regress now,regress soon,regress expiry 4,regress metadata 3,regress scopes 15}');

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
