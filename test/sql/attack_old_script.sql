-- The library is another than the script that declared the functions (installed for the
-- next version, ALTER EXTENSION UPDATE not run yet), or somebody who may declare C functions
-- declares ours with other results: an error, and no row of ours is read as another.
\set VERBOSITY terse
BEGIN;
SELECT client_id, client_secret FROM mogo_add_client('regress old script') \gset
CREATE FUNCTION regress_authenticate(uuid, text, OUT client_id uuid, OUT client_name text)
	RETURNS SETOF record
	LANGUAGE c AS '$libdir/mogocred', 'mogo_authenticate_uuid';
CREATE FUNCTION regress_authenticate(text, text, inet) RETURNS SETOF boolean
	LANGUAGE c AS '$libdir/mogocred', 'mogo_authenticate_text';
CREATE FUNCTION regress_add_secret(uuid, timestamptz, OUT client_name text, OUT client_secret text)
	LANGUAGE c AS '$libdir/mogocred', 'mogo_add_secret';
CREATE FUNCTION regress_rotate_secret(uuid, interval, timestamptz) RETURNS boolean
	LANGUAGE c AS '$libdir/mogocred', 'mogo_rotate_secret';
CREATE FUNCTION regress_usage_status(OUT preloaded boolean, OUT entries int)
	LANGUAGE c AS '$libdir/mogocred', 'mogo_usage_status';
CREATE FUNCTION regress_rotate_four(uuid, interval, timestamptz, text) RETURNS boolean
	LANGUAGE c AS '$libdir/mogocred', 'mogo_rotate_secret';
CREATE FUNCTION regress_invite(uuid, interval, interval, timestamptz, text) RETURNS boolean
	LANGUAGE c AS '$libdir/mogocred', 'mogo_invite';
CREATE FUNCTION regress_invite_other(uuid, interval, interval, timestamptz, text, OUT code text,
	OUT client_name text) LANGUAGE c AS '$libdir/mogocred', 'mogo_invite';
SAVEPOINT s;
SELECT regress_rotate_four(:'client_id', '0', NULL, NULL);
ROLLBACK TO s;
SELECT regress_invite(:'client_id', '1 hour', NULL, NULL, NULL);
ROLLBACK TO s;
SELECT * FROM regress_invite_other(:'client_id', '1 hour', NULL, NULL, NULL);
ROLLBACK TO s;
SELECT * FROM regress_authenticate(:'client_id'::uuid, :'client_secret');
ROLLBACK TO s;
SELECT * FROM regress_authenticate(:'client_id'::text, :'client_secret', NULL);
ROLLBACK TO s;
SELECT * FROM regress_add_secret(:'client_id', NULL);
ROLLBACK TO s;
SELECT regress_rotate_secret(:'client_id', '0', NULL);
ROLLBACK TO s;
SELECT live_secrets FROM mogo_clients WHERE client_id = :'client_id';
SELECT * FROM regress_usage_status();
ROLLBACK TO s;
-- what is declared as it is in the script works under any name
CREATE FUNCTION regress_verify(uuid, text) RETURNS boolean
	LANGUAGE c AS '$libdir/mogocred', 'mogo_verify_uuid';
SELECT regress_verify(:'client_id', :'client_secret');
ROLLBACK;
