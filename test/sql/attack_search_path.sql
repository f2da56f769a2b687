-- The attack: somebody who may create objects puts operators, functions, types and
-- tables of the names that mogocred's statements use into a schema, gets it into the
-- search_path of an administrator or of the wrapper that calls mogocred, and waits
-- for the tables' owner to run them: to be let in, to read hashes, to become owner.
-- Then the same with a superuser's path and with pg_catalog last.
\set VERBOSITY terse
CREATE ROLE regress_mogo_attacker;
CREATE ROLE regress_mogo_admin;
SELECT mogo_grant_admin('regress_mogo_admin'), mogo_grant_portal('regress_mogo_admin');
SELECT client_id, client_secret FROM mogo_add_client('regress victim') \gset
CREATE SCHEMA regress_evil AUTHORIZATION regress_mogo_attacker;
CREATE TABLE regress_loot (what text, who text);
GRANT INSERT ON regress_loot TO PUBLIC;
GRANT USAGE ON SCHEMA regress_evil TO PUBLIC;

SET ROLE regress_mogo_attacker;
CREATE FUNCTION regress_evil.steal(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.regress_loot VALUES ($1, current_user);
	RETURN true;
END $$;
-- every operator on the types that the statements compare
DO $$
DECLARE
	t text;
	o text;
BEGIN
	FOREACH t IN ARRAY '{uuid,text,bytea,timestamptz,boolean,int4,oid,"char",name,jsonb,interval,'
	'inet,cidr}'::text[] LOOP
		EXECUTE format(
		'CREATE FUNCTION regress_evil.op(%1$s, %1$s) RETURNS boolean LANGUAGE sql AS $f$ SELECT '
		'regress_evil.steal(''operator on %2$s'') $f$',
		
			CASE t WHEN 'char' THEN '"char"' ELSE t END, t);
		FOREACH o IN ARRAY '{=,<>,<,<=,>,>=}'::text[] LOOP
			EXECUTE format(
			'CREATE OPERATOR regress_evil.%1$s (PROCEDURE = regress_evil.op, LEFTARG = %2$s, '
			'RIGHTARG = %2$s)',
			o, CASE t WHEN 'char' THEN '"char"' ELSE t END);
		END LOOP;
	END LOOP;
END $$;
-- functions and types of PostgreSQL's names
CREATE FUNCTION regress_evil.unnest(anyarray) RETURNS SETOF anyelement
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('unnest'); END $$;
CREATE FUNCTION regress_evil.array_append(anyarray, anyelement) RETURNS anyarray
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('array_append'); RETURN $1; END $$;
CREATE FUNCTION regress_evil.cardinality(anyarray) RETURNS int
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('cardinality'); RETURN 1; END $$;
CREATE FUNCTION regress_evil.octet_length(bytea) RETURNS int
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('octet_length'); RETURN 16; END $$;
CREATE FUNCTION regress_evil.isfinite(timestamptz) RETURNS boolean
	LANGUAGE plpgsql AS $$ BEGIN RETURN regress_evil.steal('isfinite'); END $$;
CREATE FUNCTION regress_evil.clock_timestamp() RETURNS timestamptz
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('clock'); RETURN '2000-01-01'; END $$;
CREATE FUNCTION regress_evil.current_setting(text) RETURNS text
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('current_setting'); RETURN 'x'; END $$;
CREATE FUNCTION regress_evil.inet_client_addr() RETURNS inet
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('inet_client_addr'); RETURN NULL;
END $$;
CREATE FUNCTION regress_evil.format(text, anyelement) RETURNS text
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('format'); RETURN 'x'; END $$;
CREATE FUNCTION regress_evil.crypt(text, text) RETURNS text
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('crypt'); RETURN $2; END $$;
CREATE FUNCTION regress_evil.gen_salt(text, int) RETURNS text
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('gen_salt'); RETURN 'x'; END $$;
CREATE FUNCTION regress_evil.digest(bytea, text) RETURNS bytea
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('digest'); RETURN 'x'; END $$;
CREATE FUNCTION regress_evil.count() RETURNS bigint
	LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.steal('count'); RETURN 0; END $$;
-- catalogs and types
CREATE TYPE regress_evil.mogo_live_secret AS (secret_id uuid, expires_at timestamptz,
	generated boolean, hash text);
CREATE TYPE regress_evil.mogo_credentials AS (client_name text);
CREATE TABLE regress_evil.pg_depend (
	classid oid, objid oid, refclassid oid, refobjid oid, deptype "char");
CREATE TABLE regress_evil.pg_extension (oid oid, extname name);
CREATE TABLE regress_evil.pg_proc (oid oid, proname name, pronamespace oid);
RESET ROLE;
-- tables of the same shape (nobody but the owner can copy it by LIKE, but it is no
-- secret), with the attacker's own row
CREATE TABLE regress_evil.mogo_client (LIKE public.mogo_client);
CREATE TABLE regress_evil.mogo_secret (LIKE public.mogo_secret);
CREATE TABLE regress_evil.mogo_audit_log (LIKE public.mogo_audit_log);
ALTER TABLE regress_evil.mogo_client OWNER TO regress_mogo_attacker;
INSERT INTO regress_evil.mogo_client SELECT '99999999-9999-4999-8999-999999999999', true, salt,
	live, '{}', 'regress attacker', '{}', '{}', now(), 'x' FROM mogo_client
	WHERE client_id = :'client_id';

-- All functions, with the attacker's schema first and PostgreSQL's last, and the names of
-- those that are missing here.
CREATE FUNCTION pg_temp.use_everything(id uuid, secret text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c public.mogo_credentials;
	said text := '';
	code text;
	invitation uuid;
	bcrypt_id pg_catalog.uuid := '33333333-3333-4333-8333-333333333333';
BEGIN
	said := concat_ws(' ', said, public.mogo_verify(id, secret), public.mogo_verify(id, 'wrong'),
	public.mogo_verify_status(id, secret),
		public.mogo_verify('99999999-9999-4999-8999-999999999999'::pg_catalog.uuid, secret));
	SELECT * INTO c FROM public.mogo_add_client('regress under attack', NULL, '{a}', '{"b": 1}');
	said := concat_ws(' ', said, public.mogo_verify(c.client_id, c.client_secret));
	PERFORM public.mogo_credentials_json(c), public.mogo_registration_json(c);
	SELECT * INTO c FROM public.mogo_add_secret(c.client_id);
	SELECT * INTO c FROM public.mogo_rotate_secret(c.client_id, '1 hour');
	PERFORM public.mogo_revoke_secret(c.secret_id), public.mogo_disable_client(c.client_id),
	public.mogo_enable_client(c.client_id);
	PERFORM public.mogo_update_client(
	c.client_id, 'regress still under attack', '{}', '{}', '{10.0.0.0/8}', 'a name elsewhere');
	PERFORM public.mogo_update_client(c.client_id, external_id => '');
	PERFORM public.mogo_ensure_client('regress still under attack', external_id => 'a third'),
		public.mogo_ensure_client('regress ensured', scopes => '{a}');
	PERFORM public.mogo_import_client(
	'regress plain', '22222222-2222-4222-8222-222222222222', 'plain', 'a secret somebody chose');
	said := concat_ws(' ', said, public.mogo_verify(
	'22222222-2222-4222-8222-222222222222'::pg_catalog.uuid, 'a secret somebody chose'),
		public.mogo_verify('22222222-2222-4222-8222-222222222222'::pg_catalog.uuid,
		'not the secret'));
	PERFORM public.mogo_import_client('regress bcrypt', bcrypt_id, 'bcrypt',
		public.crypt('a secret of long ago', public.gen_salt('bf', 4)), generated => true);
	said := concat_ws(' ', said, public.mogo_rehash_secret(bcrypt_id, 'a secret of long ago'),
		public.mogo_rehash_secret(bcrypt_id::pg_catalog.text, 'not the secret'),
		public.mogo_verify_digest(bcrypt_id, public.digest(
			'a secret of long ago'::pg_catalog.bytea, 'sha256')));
	PERFORM public.mogo_import_secret(bcrypt_id, 'plain', 'another that somebody chose');
	PERFORM * FROM public.mogo_authenticate('a third', c.client_secret);
	PERFORM * FROM public.mogo_authenticate_basic('Basic eDp5');
	PERFORM * FROM public.mogo_get_client('a third');
	PERFORM * FROM public.mogo_find_secret(secret);
	PERFORM public.mogo_update_secret(s.secret_id, label => 'a label') FROM public.mogo_secrets AS s
		WHERE s.client_id OPERATOR(pg_catalog.=) bcrypt_id;
	SELECT i.code INTO code FROM public.mogo_invite(bcrypt_id, '1 hour') AS i;
	SELECT * INTO c FROM public.mogo_accept_invitation(code);
	SELECT * INTO c FROM public.mogo_rotate_own_secret(c.client_id, c.client_secret, '0');
	SELECT i.invitation_id INTO invitation FROM public.mogo_invite(bcrypt_id, '1 hour') AS i;
	PERFORM public.mogo_revoke_invitation(invitation), public.mogo_usage_status();
	PERFORM public.mogo_remove_client(i.client_id) FROM public.mogo_clients AS i
		WHERE i.client_name OPERATOR(pg_catalog.=) 'regress ensured'
			OR i.client_name OPERATOR(pg_catalog.=) 'regress still under attack';
	PERFORM public.mogo_purge('0'), public.mogo_remove_client(bcrypt_id),
	public.mogo_remove_client('22222222-2222-4222-8222-222222222222');
	PERFORM * FROM public.mogo_clients;
	PERFORM * FROM public.mogo_secrets;
	PERFORM * FROM public.mogo_audit;
	RETURN said;
END $$;
SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname) AS not_used
	FROM pg_proc AS p, pg_depend AS d
	WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mogocred')
		AND (SELECT prosrc FROM pg_proc WHERE proname = 'use_everything')
			NOT LIKE '%public.' || p.proname || '(%';
SET mogocred.bcrypt_cost = 4;
GRANT USAGE ON SCHEMA regress_evil TO regress_mogo_admin;
SET ROLE regress_mogo_admin;
SET search_path = regress_evil, public, pg_catalog;
SELECT pg_temp.use_everything(:'client_id', :'client_secret');
RESET search_path;
RESET ROLE;
SET search_path = regress_evil, public, pg_catalog;
SELECT pg_temp.use_everything(:'client_id', :'client_secret');
SELECT public.mogo_grant_verifier('regress_mogo_attacker'),
	public.mogo_revoke_access('regress_mogo_attacker'), public.mogo_purge_audit('1 day');
RESET search_path;
SELECT DISTINCT * FROM regress_loot;
-- the attack was real: the same path does it to a statement that qualifies nothing
SET search_path = regress_evil, public, pg_catalog;
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text AS fooled;
RESET search_path;
SELECT DISTINCT what FROM regress_loot;

-- The same while the extension is made: nothing of the attacker's is used or adopted.
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_attack TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_mogo_attack
\set VERBOSITY terse
CREATE SCHEMA evil AUTHORIZATION regress_mogo_attacker;
CREATE TABLE public.loot (what text);
GRANT INSERT ON public.loot TO PUBLIC;
SET ROLE regress_mogo_attacker;
CREATE FUNCTION evil.op(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT
	INTO public.loot VALUES (current_user); RETURN true; END $$;
CREATE OPERATOR evil.= (PROCEDURE = evil.op, LEFTARG = oid, RIGHTARG = oid);
CREATE FUNCTION evil.pg_extension_config_dump(regclass, text) RETURNS void
	LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.loot VALUES (current_user); END $$;
CREATE FUNCTION evil.cardinality(anyarray) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT
	INTO public.loot VALUES (current_user); RETURN 0; END $$;
RESET ROLE;
SET search_path = evil, pg_catalog;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION mogocred SCHEMA evil;
SELECT client_name FROM evil.mogo_add_client('regress in an evil schema');
SELECT count(*) AS loot FROM public.loot;
-- planted members' names: an error, nothing adopted
DROP EXTENSION mogocred;
CREATE SCHEMA planted AUTHORIZATION regress_mogo_attacker;
SET ROLE regress_mogo_attacker;
CREATE TABLE planted.mogo_client ();
RESET ROLE;
CREATE EXTENSION mogocred SCHEMA planted;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE planted.mogo_client;
SET ROLE regress_mogo_attacker;
CREATE FUNCTION planted.mogo_verify(client_id uuid, client_secret text) RETURNS boolean
	LANGUAGE sql AS 'SELECT true';
RESET ROLE;
CREATE EXTENSION mogocred SCHEMA planted;
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION planted.mogo_verify(uuid, text);
SET ROLE regress_mogo_attacker;
CREATE VIEW planted.mogo_clients AS SELECT 1 AS x;
RESET ROLE;
CREATE EXTENSION mogocred SCHEMA planted;
\echo :LAST_ERROR_SQLSTATE
DROP VIEW planted.mogo_clients;
SET ROLE regress_mogo_attacker;
CREATE TYPE planted.mogo_live_secret AS (x int);
RESET ROLE;
CREATE EXTENSION mogocred SCHEMA planted;
\echo :LAST_ERROR_SQLSTATE
\c :this_database
DROP DATABASE regress_mogo_attack;

SELECT mogo_revoke_access('regress_mogo_admin');
DROP TABLE regress_loot;
\set ECHO none
SET client_min_messages = warning;
DROP SCHEMA regress_evil CASCADE;
RESET client_min_messages;
\set ECHO all
REVOKE ALL ON SCHEMA public FROM regress_mogo_attacker, regress_mogo_admin;
DROP ROLE regress_mogo_attacker, regress_mogo_admin;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
