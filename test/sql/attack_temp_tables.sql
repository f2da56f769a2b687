-- The attack: everybody may make temporary objects, and pg_temp stands first in every
-- search path for tables and types. So a caller puts a table mogo_client of his own
-- there, with a client whose secret he knows, or types and views of our names, and
-- asks. Then he does it before the library's first look-up in a new session.
\set VERBOSITY terse
CREATE ROLE regress_mogo_admin;
SELECT mogo_grant_admin('regress_mogo_admin');
SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress victim') \gset
\c -
\set VERBOSITY terse
SET ROLE regress_mogo_admin;
CREATE TYPE pg_temp.mogo_live_secret AS (secret_id uuid, expires_at timestamptz,
	generated boolean, hash text);
CREATE TYPE pg_temp.mogo_credentials AS (client_name text, client_id uuid, client_secret text);
CREATE TEMP TABLE mogo_client (
	client_id uuid PRIMARY KEY, enabled boolean, salt bytea, live pg_temp.mogo_live_secret[],
	allowed_cidrs cidr[],
	client_name text UNIQUE, scopes text[], metadata jsonb, created_at timestamptz,
	created_by text, external_id text);
CREATE TEMP TABLE mogo_secret (
	secret_id uuid, client_id uuid, created_at timestamptz, created_by text, expires_at timestamptz,
	revoked_at timestamptz, hash text, label text);
CREATE TEMP TABLE mogo_audit_log (
	at timestamptz, actor text, acting_as text, action text, client_id uuid, client_name text,
	secret_id uuid, client_addr inet, application_name text, detail jsonb);
INSERT INTO mogo_client SELECT '99999999-9999-4999-8999-999999999999', true, salt,
	ARRAY[ROW(gen_random_uuid(), 'infinity', true, 'sha256$' || encode(salt, 'hex') || '$'
	|| encode(sha256(salt || sha256('known')), 'hex'))::pg_temp.mogo_live_secret], '{}',
	'regress fake', '{}', '{}', now(), 'x' FROM decode(repeat('00', 16), 'hex') AS salt;
SELECT 'mogo_client'::regclass::text, to_regtype('mogo_live_secret')::text;
SELECT mogo_verify('99999999-9999-4999-8999-999999999999', 'known') AS fake_client,
	mogo_verify_digest('99999999-9999-4999-8999-999999999999', sha256('known')) AS fake_client,
	mogo_verify_status('99999999-9999-4999-8999-999999999999', 'known'),
	(SELECT count(*) FROM mogo_authenticate('99999999-9999-4999-8999-999999999999', 'known'))
	AS fake_rows;
SELECT mogo_verify(:'client_id', :'client_secret') AS real_client;
SELECT client_id AS new_id, client_secret AS new_secret
	FROM mogo_add_client('regress made under attack') \gset
SELECT mogo_verify(:'new_id', :'new_secret') AS new_client;
SELECT client_secret AS newer_secret FROM mogo_rotate_secret(:'new_id', '0') \gset
SELECT mogo_verify(:'new_id', :'newer_secret') AS new_client;
SELECT mogo_revoke_secret(:'secret_id');
SELECT mogo_verify(:'client_id', :'client_secret') AS revoked;
SELECT (SELECT count(*) FROM mogo_client) AS only_the_fake,
	(SELECT count(*) FROM mogo_secret) AS untouched,
	(SELECT count(*) FROM mogo_audit_log) AS untouched;
SELECT count(*) AS recorded FROM mogo_audit WHERE acting_as = 'regress_mogo_admin';
-- what is dropped and made anew there does not disturb the cached tables either
DROP TABLE mogo_client, mogo_secret;
CREATE TEMP TABLE mogo_client (client_id uuid);
SELECT mogo_verify(:'new_id', :'newer_secret') AS new_client;
DROP TABLE mogo_client, mogo_audit_log;
DROP TYPE pg_temp.mogo_live_secret, pg_temp.mogo_credentials;
RESET ROLE;

-- As superuser, too.
CREATE TEMP TABLE mogo_client (client_id uuid);
CREATE TEMP TABLE pg_extension (oid oid, extname name);
CREATE TEMP TABLE pg_depend (classid oid, objid oid, refclassid oid, refobjid oid, deptype "char");
CREATE ROLE regress_mogo_verifier;
SELECT mogo_grant_verifier('regress_mogo_verifier');
SELECT has_function_privilege('regress_mogo_verifier', 'mogo_verify(text, text)', 'EXECUTE')
	AS granted;
SELECT mogo_revoke_access('regress_mogo_verifier'), mogo_revoke_access('regress_mogo_admin');
DROP TABLE mogo_client, pg_extension, pg_depend;
DROP ROLE regress_mogo_verifier, regress_mogo_admin;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
