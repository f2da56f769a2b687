-- mogo_verify_digest: SHA-256 of the secret in its place, and nothing else.

SELECT client_id, client_secret FROM mogo_add_client('regress digest') \gset
SELECT sha256(:'client_secret') AS digest \gset
SELECT mogo_verify_digest(:'client_id', :'digest') AS untyped,
	mogo_verify_digest(:'client_id'::text, :'digest') AS text,
	mogo_verify_digest(:'client_id'::varchar, :'digest'::bytea) AS varchar,
	mogo_verify_digest(:'client_id'::uuid, :'digest') AS uuid,
	mogo_verify_digest(upper(:'client_id'), :'digest') AS upper_case,
	mogo_verify_digest(client_id => :'client_id', secret_digest => sha256(:'client_secret'))
	AS by_name;
PREPARE untyped AS SELECT mogo_verify_digest($1, $2);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
EXECUTE untyped(:'client_id', :'digest');
DEALLOCATE untyped;

-- Not the digest.
SELECT mogo_verify_digest(:'client_id', convert_to(:'client_secret', 'UTF8')) AS the_secret,
	mogo_verify_digest(:'client_id', sha256(:'digest')) AS twice,
	mogo_verify_digest(:'client_id', convert_to(encode(:'digest', 'hex'), 'UTF8')) AS as_hex_text,
	mogo_verify_digest(:'client_id', sha256(convert_to(upper(:'client_secret') || 'A', 'UTF8')))
	AS of_another,
	mogo_verify_digest(:'client_id', sha512(:'client_secret')) AS sha512,
	mogo_verify_digest(:'client_id', sha224(:'client_secret')) AS sha224;
SELECT mogo_verify_digest(:'client_id', '') AS empty,
	mogo_verify_digest(:'client_id', substr(:'digest'::bytea, 1, 31)) AS less,
	mogo_verify_digest(:'client_id', :'digest'::bytea || '\x00') AS more,
	mogo_verify_digest(:'client_id', decode(repeat('00', 32), 'hex')) AS zeros,
	mogo_verify_digest(:'client_id', decode(repeat('ff', 10000000), 'hex')) AS long;
SELECT count(*) AS bits, count(*) FILTER (WHERE mogo_verify_digest(:'client_id', set_bit(
	:'digest'::bytea, bit, 1 - get_bit(:'digest'::bytea, bit)))) AS accepted_if_changed
FROM generate_series(0, 255) AS bit;
-- nor is the digest a secret
SELECT mogo_verify(:'client_id', encode(:'digest', 'hex')) AS hex,
	mogo_verify(:'client_id', encode(:'digest', 'base64')) AS base64;

-- Not the id; NULL.
SELECT mogo_verify_digest('782e12aa-23d3-11c0-8452-111114a14e13', :'digest') AS unknown,
	mogo_verify_digest('x', :'digest') AS malformed,
	mogo_verify_digest('', :'digest') AS empty,
	mogo_verify_digest(repeat('x', 10000000), :'digest') AS long;
SELECT mogo_verify_digest(NULL, :'digest') AS no_id,
	mogo_verify_digest(NULL::uuid, :'digest') AS no_uuid,
	mogo_verify_digest(:'client_id', NULL) AS no_digest,
	mogo_verify_digest(:'client_id'::uuid, NULL) AS no_digest,
	mogo_verify_digest(NULL, NULL) AS none;

-- From a table: compressed and out of line.
CREATE TEMP TABLE sent (kind text, digest bytea, filler text);
ALTER TABLE sent ALTER COLUMN filler SET STORAGE PLAIN;
INSERT INTO sent VALUES ('short', :'digest', ''), (
	'compressed', decode(repeat('00', 2000), 'hex'), repeat('x', 3000));
ALTER TABLE sent ALTER COLUMN digest SET STORAGE EXTERNAL;
INSERT INTO sent VALUES ('out of line', :'digest'::bytea || decode(repeat('00', 5000), 'hex'),
	repeat('x', 3000));
SELECT kind, mogo_verify_digest(:'client_id', digest) FROM sent ORDER BY kind;
DROP TABLE sent;

-- It follows the same life as the secret.
SELECT mogo_disable_client(:'client_id');
SELECT mogo_verify_digest(:'client_id', :'digest') AS disabled;
SELECT mogo_enable_client(:'client_id');
SELECT mogo_update_client(:'client_id', allowed_cidrs => '{10.0.0.0/8}');
SELECT mogo_verify_digest(:'client_id', :'digest') AS address_required;
SELECT mogo_update_client(:'client_id', allowed_cidrs => '{}');
SELECT mogo_verify_digest(:'client_id', :'digest') AS again;
SELECT secret_id FROM mogo_secrets WHERE client_id = :'client_id' \gset
SELECT mogo_revoke_secret(:'secret_id');
SELECT mogo_verify_digest(:'client_id', :'digest') AS revoked;
SELECT client_id, client_secret FROM mogo_add_client(
	'regress digest expiry', clock_timestamp() + interval '500 milliseconds') \gset soon_
SELECT pg_sleep(0.6);
SELECT mogo_verify_digest(:'soon_client_id', sha256(:'soon_client_secret')) AS expired;

-- A digest is always the one of UTF-8: the secret may be any text.
SELECT mogo_import_client('regress digest utf8', '11111111-1111-4111-8111-111111111111', 'sha256',
	encode(sha256(convert_to(U&'K\00f6ln \4eac \+01f600', 'UTF8')), 'base64')) IS NOT NULL
	AS imported;
SELECT mogo_verify('11111111-1111-4111-8111-111111111111', U&'K\00f6ln \4eac \+01f600') AS secret,
	mogo_verify_digest('11111111-1111-4111-8111-111111111111', sha256(convert_to(
	U&'K\00f6ln \4eac \+01f600', 'UTF8'))) AS digest;

-- Always false for a bcrypt secret.
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_client('regress digest bcrypt', '22222222-2222-4222-8222-222222222222', 'plain',
	'a secret somebody chose') IS NOT NULL AS imported;
RESET mogocred.bcrypt_cost;
SELECT mogo_verify('22222222-2222-4222-8222-222222222222', 'a secret somebody chose') AS secret,
	mogo_verify_digest('22222222-2222-4222-8222-222222222222', sha256('a secret somebody chose'))
	AS digest;

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
