-- Databases in other encodings: secrets are hashed as UTF-8 everywhere, names come out
-- as valid JSON, and bytes that have no equivalent in UTF-8 are "no", not an error.
\set VERBOSITY terse
SHOW client_encoding;
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_latin1 TEMPLATE template0 ENCODING 'LATIN1'
	LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE regress_mogo_euc_jp TEMPLATE template0 ENCODING 'EUC_JP'
	LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE regress_mogo_ascii TEMPLATE template0 ENCODING 'SQL_ASCII'
	LC_COLLATE 'C' LC_CTYPE 'C';

\c regress_mogo_latin1
\set VERBOSITY terse
CREATE EXTENSION mogocred CASCADE;
SELECT getdatabaseencoding(), getdatabaseencoding() <> current_setting('client_encoding')
	AS converted;
-- generated secrets are ASCII, so the same everywhere
SELECT client_id, client_secret FROM mogo_add_client('Köln "ß" ¿') \gset
SELECT mogo_verify(:'client_id', :'client_secret'),
	mogo_verify_digest(:'client_id', sha256(:'client_secret'));
-- the name is kept in this encoding, and comes out as valid JSON in the client's
SELECT encode(convert_to(client_name, 'LATIN1'), 'hex') AS bytes, client_name FROM mogo_clients;
SELECT mogo_credentials_json('Köln "ß" ¿', '782e12aa-23d3-11c0-8452-111114a14e13', 'é');
SELECT mogo_credentials_json('Köln "ß" ¿', '782e12aa-23d3-11c0-8452-111114a14e13',
	'é')::jsonb->>'clientName' = 'Köln "ß" ¿' AS same;
SELECT mogo_registration_json(c)::jsonb->>'client_name' AS name FROM mogo_add_client('Ærø') AS c;
-- a secret of another system, hashed there as UTF-8
SELECT encode(sha256(convert_to('geheim é ÿ', 'UTF8')), 'hex') AS hash,
	encode(sha256(convert_to('geheim é ÿ', 'LATIN1')), 'hex') AS other_hash \gset
SELECT mogo_import_client('regress utf8', '11111111-1111-4111-8111-111111111111', 'sha256',
	:'hash') IS NOT NULL AS imported;
SELECT mogo_import_client('regress latin1', '22222222-2222-4222-8222-222222222222', 'sha256',
	:'other_hash') IS NOT NULL AS imported;
SELECT mogo_verify('11111111-1111-4111-8111-111111111111', 'geheim é ÿ') AS hashed_as_utf8,
	mogo_verify('22222222-2222-4222-8222-222222222222', 'geheim é ÿ') AS hashed_as_latin1,
	mogo_verify('11111111-1111-4111-8111-111111111111', convert_from(convert_to('geheim é ÿ',
	'UTF8'), 'LATIN1')) AS bytes_of_utf8,
	mogo_verify_status('11111111-1111-4111-8111-111111111111', 'geheim é ÿ'),
	mogo_verify_digest('11111111-1111-4111-8111-111111111111', sha256(convert_to('geheim é ÿ',
	'UTF8')));
SELECT client_name FROM mogo_authenticate('11111111-1111-4111-8111-111111111111', 'geheim é ÿ');
SELECT client_name FROM mogo_authenticate_basic(
	'Basic ' || replace(encode('11111111-1111-4111-8111-111111111111:geheim+%C3%A9+%C3%BF',
	'base64'), E'\n', ''));
-- the limit is one of UTF-8 bytes
SELECT mogo_import_client('regress 1024', '33333333-3333-4333-8333-333333333333', 'sha256', encode(
	sha256(convert_to(repeat('é', 512), 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_import_client('regress 1026', '44444444-4444-4444-8444-444444444444', 'sha256', encode(
	sha256(convert_to(repeat('é', 513), 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_verify('33333333-3333-4333-8333-333333333333', repeat('é', 512)) AS of_1024_bytes,
	mogo_verify('44444444-4444-4444-8444-444444444444', repeat('é', 513)) AS of_1026_bytes,
	mogo_verify('44444444-4444-4444-8444-444444444444', repeat('é', 10000000)) AS long;
-- every byte that the encoding has
SELECT count(*) AS bytes, count(*) FILTER (WHERE mogo_verify('11111111-1111-4111-8111-111111111111',
	chr(c))) AS accepted FROM generate_series(1, 255) AS c;
SELECT mogo_verify(chr(233) || '1111111-1111-4111-8111-111111111111', 'geheim é ÿ') AS id;
-- names are judged by what they are in Unicode
SELECT client_name FROM mogo_add_client('regress ' || chr(133));
SELECT client_name FROM mogo_add_client(chr(160));
SELECT client_name = repeat('é', 255) AS the_limit FROM mogo_add_client(repeat('é', 255));
SELECT client_name FROM mogo_add_client(repeat('é', 256));
SELECT client_name FROM mogo_add_client(repeat('é', 10000));
SELECT client_name FROM mogo_add_client('Köln "ß" ¿');
\echo :LAST_ERROR_SQLSTATE

-- a role whose name is no text in a database of another encoding (see the end)
CREATE ROLE "regress_mogo_Ærø";

\c regress_mogo_euc_jp
\set VERBOSITY terse
CREATE EXTENSION mogocred CASCADE;
SELECT client_id, client_secret FROM mogo_add_client('東京 "テスト"') \gset
SELECT mogo_verify(:'client_id', :'client_secret');
SELECT mogo_credentials_json('東京 "テスト"', '782e12aa-23d3-11c0-8452-111114a14e13', '秘密');
SELECT encode(sha256(convert_to('秘密 ｶﾅ', 'UTF8')), 'hex') AS hash \gset
SELECT mogo_import_client('regress utf8', '11111111-1111-4111-8111-111111111111', 'sha256',
	:'hash') IS NOT NULL AS imported;
SELECT mogo_verify('11111111-1111-4111-8111-111111111111', '秘密 ｶﾅ'),
	mogo_verify('11111111-1111-4111-8111-111111111111', '秘密');
SELECT mogo_import_client('regress 1023', '33333333-3333-4333-8333-333333333333', 'sha256', encode(
	sha256(convert_to(repeat('秘', 341) || 'x', 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_verify('33333333-3333-4333-8333-333333333333', repeat('秘', 341) || 'x')
	AS of_1024_bytes, mogo_verify('33333333-3333-4333-8333-333333333333', repeat('秘', 342))
	AS of_1026_bytes;
-- a character that this encoding has and UTF-8 has not
CREATE TEMP TABLE odd AS SELECT convert_from('\xa9a1', 'EUC_JP') AS t;
SELECT convert_to(t, 'UTF8') FROM odd;
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_verify(:'client_id', t) AS secret, mogo_verify(t, :'client_secret') AS id,
	mogo_verify(:'client_id', :'client_secret' || t) AS behind, mogo_verify_status(:'client_id', t),
	mogo_verify(:'client_id', repeat(t, 400)) AS many,
	(SELECT count(*) FROM mogo_authenticate(:'client_id', t)) AS authenticated,
	(SELECT count(*) FROM mogo_authenticate_basic(t)) AS basic,
	(SELECT count(*) FROM mogo_authenticate_basic('Basic ' || t)) AS basic FROM odd;
DO $$
BEGIN
	PERFORM mogo_add_client(t) FROM odd;
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '% %', SQLSTATE, SQLERRM;
END $$;
-- all two-byte sequences that the encoding allows
SELECT count(*) AS sequences, count(*) FILTER (
	WHERE mogo_verify(:'client_id', convert_from(set_byte(set_byte('\x0000', 0, a), 1, b),
	'EUC_JP'))) AS accepted
FROM generate_series(161, 254) AS a, generate_series(161, 254) AS b;

\c -reuse-previous=on "dbname=regress_mogo_ascii client_encoding=UTF8"
\set VERBOSITY terse
CREATE EXTENSION mogocred CASCADE;
SELECT client_id, client_secret FROM mogo_add_client('Köln 京') \gset
SELECT mogo_verify(:'client_id', :'client_secret');
SELECT client_name, octet_length(client_name) AS bytes FROM mogo_clients;
SELECT mogo_credentials_json('Köln 京', '782e12aa-23d3-11c0-8452-111114a14e13', 's');
SELECT mogo_import_client('regress utf8', '11111111-1111-4111-8111-111111111111', 'sha256', encode(
	sha256('\x67c3a9'), 'hex')) IS NOT NULL AS imported;
-- bytes are taken as they come: those of UTF-8 match
SELECT mogo_verify('11111111-1111-4111-8111-111111111111', E'g\xc3\xa9') AS utf8,
	mogo_verify('11111111-1111-4111-8111-111111111111', E'g\xe9') AS latin1;
SELECT mogo_verify(:'client_id', E'\xff\xfe') AS no_encoding, mogo_verify(E'\xff', E'\x80') AS both,
	mogo_verify_status(:'client_id', E'\xc3') AS half,
	mogo_verify(:'client_id', repeat(E'\xff', 10000000)) AS long;
SELECT count(*) AS bytes, count(*) FILTER (WHERE mogo_verify(:'client_id', chr(c))) AS accepted
	FROM generate_series(1, 255) AS c;
-- a name has to be UTF-8, so that its JSON is
SELECT client_name FROM mogo_add_client(E'K\xf6ln');
\echo :LAST_ERROR_SQLSTATE
SELECT client_name FROM mogo_add_client(E'\xed\xa0\x80');
SELECT client_name FROM mogo_add_client(E'\xc0\x80');
SELECT client_name FROM mogo_add_client(E'x\xe2\x80\xae');
SELECT client_name FROM mogo_add_client(E'\xc2\x85');
SELECT octet_length(client_name) AS the_limit
	FROM mogo_add_client(repeat(E'\xf0\x9f\x98\x80', 255));
SELECT client_name FROM mogo_add_client(repeat(E'\xf0\x9f\x98\x80', 255) || 'x');

-- Such a role's name is kept as what can be dumped and restored.
\c :this_database
\set VERBOSITY terse
BEGIN;
SELECT mogo_grant_admin(oid) FROM pg_roles WHERE rolname ^@ 'regress_mogo_';
SELECT set_config('session_authorization', rolname, false) IS NOT NULL AS became FROM pg_roles
	WHERE rolname ^@ 'regress_mogo_';
SELECT client_name FROM mogo_add_client('regress role') \gset
RESET SESSION AUTHORIZATION;
SELECT created_by FROM mogo_clients WHERE client_name = 'regress role';
SELECT created_by FROM mogo_secrets WHERE client_name = 'regress role';
SELECT action, replace(actor, session_user, 'us') AS actor,
	replace(acting_as, session_user, 'us') AS acting_as, detail FROM mogo_audit ORDER BY at;
ROLLBACK;

\c regress_mogo_latin1
DROP ROLE "regress_mogo_Ærø";
\c :this_database
DROP DATABASE regress_mogo_latin1;
DROP DATABASE regress_mogo_euc_jp;
DROP DATABASE regress_mogo_ascii;
