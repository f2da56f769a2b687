-- The attack: somebody who may add clients weakens them by a setting that is the
-- superuser's: set before the library is loaded, when PostgreSQL does not know yet
-- whose it is; or by a function's or a role's settings.
\set VERBOSITY terse
CREATE ROLE regress_mogo_admin;
SELECT mogo_grant_admin('regress_mogo_admin');
\c -
\set VERBOSITY terse
SET ROLE regress_mogo_admin;
-- where the library is preloaded these fail at once, else they are dropped when it is loaded
SET client_min_messages = error;
DO $$ BEGIN PERFORM set_config('mogocred.secret_format', 'token', false);
EXCEPTION WHEN insufficient_privilege THEN END $$;
DO $$ BEGIN PERFORM set_config('mogocred.token_prefix', 'evil', false);
EXCEPTION WHEN insufficient_privilege THEN END $$;
DO $$ BEGIN PERFORM set_config('mogocred.max_live_secrets', '20', false);
EXCEPTION WHEN insufficient_privilege THEN END $$;
DO $$ BEGIN PERFORM set_config('mogocred.bcrypt_cost', '4', false);
EXCEPTION WHEN insufficient_privilege THEN END $$;
SELECT client_secret ~ '^[0-9a-f-]{36}$' AS as_the_superuser_has_it
	FROM mogo_add_client('regress settings');
SHOW mogocred.secret_format;
SHOW mogocred.token_prefix;
SHOW mogocred.max_live_secrets;
SHOW mogocred.bcrypt_cost;
RESET client_min_messages;
-- and afterwards
SET mogocred.bcrypt_cost = 4;
SELECT set_config('mogocred.max_live_secrets', '20', true);
ALTER ROLE regress_mogo_admin SET mogocred.secret_format = token;
CREATE FUNCTION pg_temp.weak() RETURNS text LANGUAGE sql
	SET mogocred.bcrypt_cost = 4 AS $$ SELECT current_setting('mogocred.bcrypt_cost') $$;
RESET ROLE;
-- for whom it is meant, it has bounds
SET mogocred.max_live_secrets = 0;
SET mogocred.max_live_secrets = 21;
SET mogocred.bcrypt_cost = 3;
SET mogocred.bcrypt_cost = 13;
\c -
SELECT mogo_revoke_access('regress_mogo_admin');
DROP ROLE regress_mogo_admin;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
