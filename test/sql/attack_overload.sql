-- The attack: a function of our name whose argument types fit a call better
-- (varchar, as many drivers send it), in a schema that the caller's search_path
-- names, sees the clear secret. So the extension stands in a schema where nobody
-- else may create, and calls name the schema.
\set VERBOSITY terse
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_overload TEMPLATE template0 ENCODING 'UTF8'
	LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_mogo_overload
\set VERBOSITY terse
CREATE SCHEMA mogocred;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION mogocred SCHEMA mogocred;
CREATE ROLE regress_mogo_attacker;
CREATE ROLE regress_mogo_verifier;
CREATE ROLE regress_mogo_admin;
SELECT mogocred.mogo_grant_verifier('regress_mogo_verifier'),
	mogocred.mogo_grant_admin('regress_mogo_admin');
SELECT client_id, client_secret FROM mogocred.mogo_add_client('regress victim') \gset
CREATE SCHEMA evil AUTHORIZATION regress_mogo_attacker;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SET ROLE regress_mogo_attacker;
CREATE FUNCTION evil.mogo_verify(varchar, varchar) RETURNS boolean
	LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'caught'; RETURN true; END $$;
CREATE FUNCTION evil.mogo_verify(text, text) RETURNS boolean
	LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'caught'; RETURN true; END $$;
CREATE FUNCTION mogocred.mogo_verify(varchar, varchar) RETURNS boolean
	LANGUAGE sql AS 'SELECT true';
RESET ROLE;
-- neither role that mogocred makes can plant one beside ours
SET ROLE regress_mogo_verifier;
CREATE FUNCTION mogocred.mogo_verify(varchar, varchar) RETURNS boolean
	LANGUAGE sql AS 'SELECT true';
RESET ROLE;
SET ROLE regress_mogo_admin;
CREATE FUNCTION mogocred.mogo_verify(varchar, varchar) RETURNS boolean
	LANGUAGE sql AS 'SELECT true';
RESET ROLE;
SET ROLE regress_mogo_verifier;
-- the careless call is caught, the careful ones are not
SET search_path = evil, mogocred;
SELECT mogo_verify(:'client_id'::varchar, :'client_secret'::varchar) AS careless;
SELECT mogocred.mogo_verify(:'client_id'::varchar, :'client_secret'::varchar) AS qualified;
SET search_path = mogocred, pg_temp;
SELECT mogo_verify(:'client_id'::varchar, :'client_secret'::varchar) AS by_path;
-- pg_temp is never searched for functions
CREATE FUNCTION pg_temp.mogo_verify(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT true';
SET search_path = pg_temp, mogocred;
SELECT mogo_verify(:'client_id'::varchar, 'wrong'::varchar) AS not_from_pg_temp;
RESET ROLE;
SELECT mogocred.mogo_revoke_access('regress_mogo_verifier'),
	mogocred.mogo_revoke_access('regress_mogo_admin');

-- The same where CREATE EXTENSION warned: in a schema that another role owns, or may create
-- in, a function that fits a call better wins even over a qualified one. So a superuser's
-- line from a manual makes the attacker a superuser, a revocation is swallowed, and an
-- application's driver hands over clear secrets.
DROP EXTENSION mogocred;
CREATE SCHEMA warned;
GRANT CREATE, USAGE ON SCHEMA warned TO regress_mogo_attacker;
\set VERBOSITY default
CREATE EXTENSION mogocred SCHEMA warned;
\set VERBOSITY terse
SET ROLE regress_mogo_attacker;
CREATE FUNCTION warned.mogo_grant_verifier(role text) RETURNS void
	LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE regress_mogo_attacker SUPERUSER; END $$;
CREATE FUNCTION warned.mogo_revoke_secret(secret_id text) RETURNS void
	LANGUAGE sql AS '';
CREATE FUNCTION warned.mogo_verify(varchar, varchar) RETURNS boolean
	LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'caught'; RETURN true; END $$;
RESET ROLE;
SET search_path = '';
BEGIN;
SELECT warned.mogo_grant_verifier('regress_mogo_verifier');
SELECT rolsuper AS attacker_is_superuser FROM pg_roles WHERE rolname = 'regress_mogo_attacker';
ROLLBACK;
SELECT client_id, client_secret, secret_id FROM warned.mogo_add_client('regress victim') \gset
SELECT warned.mogo_revoke_secret(:'secret_id'::text);
SELECT warned.mogo_verify(:'client_id'::text, :'client_secret'::text) AS still_good,
	warned.mogo_verify(:'client_id'::varchar, :'client_secret'::varchar) AS handed_over;
RESET search_path;
DROP SCHEMA warned CASCADE;
-- no other way to be warned of: the schema's owner is another, or everybody may create
CREATE SCHEMA of_another AUTHORIZATION regress_mogo_attacker;
CREATE EXTENSION mogocred SCHEMA of_another;
DROP EXTENSION mogocred;
CREATE SCHEMA for_all;
GRANT CREATE ON SCHEMA for_all TO PUBLIC;
CREATE EXTENSION mogocred SCHEMA for_all;
DROP EXTENSION mogocred;
-- and nothing to be warned of: others may use it
CREATE SCHEMA of_its_own;
GRANT USAGE ON SCHEMA of_its_own TO PUBLIC;
CREATE EXTENSION mogocred SCHEMA of_its_own;
DROP EXTENSION mogocred;
-- by a role whose name has to be quoted
CREATE ROLE "regress Mogo-owner" SUPERUSER;
SET ROLE "regress Mogo-owner";
CREATE SCHEMA of_a_quoted_one;
CREATE EXTENSION mogocred SCHEMA of_a_quoted_one;
DROP EXTENSION mogocred;
CREATE EXTENSION mogocred SCHEMA of_its_own;
DROP EXTENSION mogocred;
DROP SCHEMA of_a_quoted_one;
RESET ROLE;
DROP ROLE "regress Mogo-owner";
\c :this_database
DROP DATABASE regress_mogo_overload;
DROP ROLE regress_mogo_attacker, regress_mogo_verifier, regress_mogo_admin;
