-- The audit: one row for each change, by whom and acting as whom.
CREATE ROLE regress_mogo_admin;
CREATE ROLE regress_mogo_login;
CREATE ROLE regress_mogo_wrapper;
GRANT regress_mogo_admin TO regress_mogo_login;
SELECT mogo_grant_admin('regress_mogo_admin'), mogo_grant_admin('regress_mogo_wrapper');
GRANT CREATE ON SCHEMA public TO regress_mogo_wrapper;
SET ROLE regress_mogo_wrapper;
CREATE FUNCTION public.regress_add(name text) RETURNS uuid LANGUAGE sql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$ SELECT c.client_id FROM public.mogo_add_client(name) AS c $$;
RESET ROLE;

-- Ourselves; SET ROLE; another session user; a SECURITY DEFINER function; all of it.
SELECT client_name FROM mogo_add_client('regress audit self');
SET ROLE regress_mogo_admin;
SELECT client_name FROM mogo_add_client('regress audit set role');
RESET ROLE;
SET SESSION AUTHORIZATION regress_mogo_login;
SET ROLE regress_mogo_admin;
SELECT client_name FROM mogo_add_client('regress audit login');
RESET ROLE;
SELECT client_name FROM mogo_add_client('regress audit inherited');
SELECT public.regress_add('regress audit definer') IS NOT NULL AS added;
RESET SESSION AUTHORIZATION;
SELECT client_name, CASE actor WHEN session_user THEN 'us' ELSE actor END AS actor, CASE acting_as
	WHEN session_user THEN 'us' ELSE acting_as END AS acting_as
FROM mogo_audit WHERE client_name LIKE 'regress audit %' ORDER BY at;
SELECT client_name, CASE created_by WHEN session_user THEN 'us' ELSE created_by END AS created_by
	FROM mogo_clients ORDER BY created_at;
-- the identity of the caller comes back, also after an error
SET ROLE regress_mogo_admin;
SELECT client_name FROM mogo_add_client('regress audit self');
SELECT current_user, session_user <> current_user AS others;
DO $$
BEGIN
	PERFORM mogo_add_client('regress audit self');
EXCEPTION WHEN unique_violation THEN
	RAISE NOTICE 'still %', current_user;
END $$;
SELECT salt FROM mogo_client;
RESET ROLE;

-- Application name and address are the session's; a time is the clock's, so rows of
-- one transaction can be told apart.
SET application_name = 'regress "app"';
BEGIN;
SELECT client_id FROM mogo_add_client('regress audit order 1') \gset
SELECT pg_sleep(0.001);
SELECT mogo_remove_client(:'client_id');
COMMIT;
RESET application_name;
SELECT action, application_name, client_addr, at > lag(at) OVER (ORDER BY at) AS later
FROM mogo_audit WHERE client_id = :'client_id' ORDER BY at;

-- Nothing in it for a failure or a rollback, and a removed client's rows stay.
BEGIN;
SELECT client_name FROM mogo_add_client('regress audit rolled back');
ROLLBACK;
SELECT count(*) AS rows FROM mogo_audit WHERE client_name = 'regress audit rolled back';
SELECT count(*) AS rows FROM mogo_audit WHERE client_id = :'client_id';
-- checks leave no row
SELECT count(*) AS before FROM mogo_audit \gset
SELECT mogo_verify('x', 'y'), mogo_verify_status('x', 'y');
SELECT count(*) = :before AS none_for_checks FROM mogo_audit;

DROP FUNCTION public.regress_add(text);
REVOKE CREATE ON SCHEMA public FROM regress_mogo_wrapper;
SELECT mogo_revoke_access('regress_mogo_admin'), mogo_revoke_access('regress_mogo_wrapper');
DROP ROLE regress_mogo_admin, regress_mogo_login, regress_mogo_wrapper;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
