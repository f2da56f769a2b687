-- The attack: casts and event triggers. Somebody defines a cast from text to uuid or
-- back, so that ids are changed on their way; or a type of his own that casts itself
-- into our arguments; or an event trigger that a check or an ordinary change would
-- set off and that could see or stop it.
\set VERBOSITY terse
CREATE ROLE regress_mogo_attacker;
GRANT CREATE ON SCHEMA public TO regress_mogo_attacker;
SELECT client_id, client_secret FROM mogo_add_client('regress victim') \gset
SET ROLE regress_mogo_attacker;
CREATE FUNCTION public.regress_to_uuid(text) RETURNS uuid
	LANGUAGE sql AS $$ SELECT '99999999-9999-4999-8999-999999999999'::uuid $$;
CREATE CAST (text AS uuid) WITH FUNCTION public.regress_to_uuid(text) AS IMPLICIT;
CREATE CAST (uuid AS text) WITH INOUT AS IMPLICIT;
-- a type of his own, cast into ours: it reaches nothing but his own calls
CREATE TYPE public.regress_id AS (t text);
CREATE FUNCTION public.regress_cast(public.regress_id) RETURNS text
	LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'cast as %', current_user; RETURN ($1).t; END $$;
CREATE CAST (public.regress_id AS text) WITH FUNCTION public.regress_cast(public.regress_id)
	AS IMPLICIT;
RESET ROLE;
SELECT mogo_verify(:'client_id', :'client_secret') AS untyped,
	mogo_verify(:'client_id'::text, :'client_secret') AS text,
	mogo_verify(:'client_id'::uuid, :'client_secret') AS uuid;
SET ROLE regress_mogo_attacker;
SELECT mogo_verify(ROW(:'client_id')::public.regress_id, :'client_secret');
RESET ROLE;
-- even a superuser's cast from text to uuid changes nothing: the text form never casts
CREATE CAST (text AS uuid) WITH FUNCTION public.regress_to_uuid(text);
SELECT :'client_id'::text::uuid AS another_id;
SELECT mogo_verify(:'client_id'::text, :'client_secret') AS text,
	mogo_verify('99999999-9999-4999-8999-999999999999'::text, :'client_secret') AS the_cast_ones;
DROP CAST (text AS uuid);

-- Event triggers see commands, and neither a check nor a change is one. Granting is,
-- and tells them nothing but the names.
CREATE FUNCTION public.regress_event() RETURNS event_trigger
	LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'event % %', tg_event, tg_tag; END $$;
CREATE EVENT TRIGGER regress_start ON ddl_command_start EXECUTE FUNCTION public.regress_event();
CREATE EVENT TRIGGER regress_end ON ddl_command_end EXECUTE FUNCTION public.regress_event();
CREATE EVENT TRIGGER regress_drop ON sql_drop EXECUTE FUNCTION public.regress_event();
SELECT mogo_verify(:'client_id', :'client_secret'), mogo_verify_status(:'client_id', 'wrong');
SELECT client_name FROM mogo_add_client('regress quiet');
SELECT client_name FROM mogo_rotate_secret(:'client_id', '0');
SELECT mogo_remove_client(:'client_id');
DROP EVENT TRIGGER regress_start;
DROP EVENT TRIGGER regress_end;
DROP EVENT TRIGGER regress_drop;
-- a grant that one of them stops is not half made, and one that adds a client on its
-- own leaves the record right
CREATE OR REPLACE FUNCTION public.regress_event() RETURNS event_trigger
	LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$;
CREATE EVENT TRIGGER regress_end ON ddl_command_end WHEN tag IN ('GRANT')
	EXECUTE FUNCTION public.regress_event();
SELECT mogo_grant_verifier('regress_mogo_attacker');
SELECT count(*) AS recorded FROM mogo_audit WHERE action = 'access_granted';
SELECT has_function_privilege('regress_mogo_attacker', 'mogo_verify(text, text)', 'EXECUTE')
	AS granted;
CREATE OR REPLACE FUNCTION public.regress_event() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.mogo_add_client('regress nested ' || (SELECT count(*) FROM public.mogo_clients));
END $$;
SELECT mogo_grant_verifier('regress_mogo_attacker');
SELECT action, count(*) > 0 AS some, bool_and(acting_as = current_user) AS as_us,
	max(detail->>'role') AS role FROM mogo_audit WHERE client_name LIKE 'regress nested %'
	OR action = 'access_granted' GROUP BY action ORDER BY action;
DROP EVENT TRIGGER regress_end;
DROP FUNCTION public.regress_event();

SELECT mogo_revoke_access('regress_mogo_attacker');
SET client_min_messages = warning;
DROP OWNED BY regress_mogo_attacker CASCADE;
RESET client_min_messages;
DROP ROLE regress_mogo_attacker;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
