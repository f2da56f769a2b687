-- The attack: the tables belong to a role that is no superuser (they may be given to
-- one), and it wants more than they hold. It puts triggers, rules and row-level
-- security on them, and waits for a superuser or an administrator to call mogocred,
-- so as to run something with his rights, or to blind checks and changes.
\set VERBOSITY terse
CREATE ROLE regress_mogo_owner;
CREATE ROLE regress_mogo_admin;
SELECT mogo_grant_admin('regress_mogo_admin');
CREATE TABLE regress_loot (what text, who text, session text);
GRANT INSERT ON regress_loot TO PUBLIC;
SELECT session_user AS us \gset
GRANT CREATE ON SCHEMA public TO regress_mogo_owner;
BEGIN;
ALTER TABLE mogo_client OWNER TO regress_mogo_owner;
ALTER TABLE mogo_secret OWNER TO regress_mogo_owner;
ALTER TABLE mogo_audit_log OWNER TO regress_mogo_owner;
SELECT client_id, client_secret FROM mogo_add_client('regress victim') \gset
SELECT mogo_verify(:'client_id', :'client_secret') AS works_for_such_an_owner;

-- A trigger runs as the owner of the tables, whoever called, in a restricted context.
SET ROLE regress_mogo_owner;
CREATE FUNCTION public.regress_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.regress_loot
		VALUES (TG_TABLE_NAME || ' ' || lower(TG_OP), current_user, CASE session_user
		WHEN current_user THEN 'same' ELSE 'another' END);
	BEGIN
		ALTER ROLE regress_mogo_owner SUPERUSER;
		INSERT INTO public.regress_loot VALUES ('became superuser', current_user);
	EXCEPTION WHEN insufficient_privilege THEN
	END;
	BEGIN
		SET LOCAL SESSION AUTHORIZATION DEFAULT;
		INSERT INTO public.regress_loot VALUES ('session authorization', current_user);
	EXCEPTION WHEN insufficient_privilege THEN
	END;
	BEGIN
		RESET ROLE;
		INSERT INTO public.regress_loot VALUES ('role', current_user);
	EXCEPTION WHEN insufficient_privilege THEN
	END;
	-- in a statement of ours the caller's path plays no part
	IF TG_OP = 'UPDATE' THEN
		INSERT INTO public.regress_loot
			VALUES ('search_path', current_setting('search_path'), current_user);
	END IF;
	PERFORM set_config('search_path', 'regress_evil, public, pg_catalog', false);
	PERFORM set_config('DateStyle', 'German', true);
	BEGIN
		CREATE TEMP TABLE regress_temp ();
		INSERT INTO public.regress_loot VALUES ('temporary table', current_user);
	EXCEPTION WHEN insufficient_privilege THEN
	END;
	RETURN NEW;
END $$;
CREATE TRIGGER regress_trigger BEFORE INSERT OR UPDATE ON mogo_client FOR EACH ROW
	EXECUTE FUNCTION public.regress_trigger();
CREATE TRIGGER regress_trigger AFTER INSERT ON mogo_audit_log FOR EACH ROW
	EXECUTE FUNCTION public.regress_trigger();
RESET ROLE;
SELECT current_setting('search_path') AS path, current_setting('DateStyle') AS style \gset
SELECT client_id AS second_id, client_secret AS second_secret
	FROM mogo_add_client('regress second') \gset
SET ROLE regress_mogo_admin;
SELECT client_secret AS third_secret FROM mogo_rotate_secret(:'second_id', '0') \gset
RESET ROLE;
SELECT DISTINCT * FROM regress_loot ORDER BY 1, 2;
-- what it set, so that a caller's next statement finds another's functions, is gone
SELECT current_setting('search_path') = :'path' AS same_path,
	current_setting('DateStyle') = :'style' AS same_style;
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_mogo_owner';
SELECT client_name, acting_as = :'us' AS us FROM mogo_audit ORDER BY at;
-- one that is deferred would run at commit, as whoever commits: refused
SET ROLE regress_mogo_owner;
CREATE CONSTRAINT TRIGGER regress_deferred AFTER INSERT ON mogo_client DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION public.regress_trigger();
RESET ROLE;
SAVEPOINT s;
SELECT client_name FROM mogo_add_client('regress deferred');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
-- a check asks no trigger, and nothing of the owner's
TRUNCATE regress_loot;
SELECT mogo_verify(:'second_id', :'third_secret'),
	mogo_verify_status(:'second_id', :'second_secret');
SELECT count(*) AS loot FROM regress_loot;
SET ROLE regress_mogo_owner;
DROP TRIGGER regress_trigger ON mogo_client;
DROP TRIGGER regress_deferred ON mogo_client;
DROP TRIGGER regress_trigger ON mogo_audit_log;
-- one that keeps the audit empty does not go unnoticed
CREATE FUNCTION public.regress_keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL;
END $$;
CREATE TRIGGER regress_keep_out BEFORE INSERT ON mogo_audit_log FOR EACH ROW
	EXECUTE FUNCTION public.regress_keep_out();
RESET ROLE;
SAVEPOINT s;
SELECT mogo_disable_client(:'client_id');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
DROP TRIGGER regress_keep_out ON mogo_audit_log;

-- Row-level security, forced, with policies that show nothing and admit nothing:
-- neither checks nor changes are blinded, so no revocation is lost.
ALTER TABLE mogo_client ENABLE ROW LEVEL SECURITY;
ALTER TABLE mogo_client FORCE ROW LEVEL SECURITY;
ALTER TABLE mogo_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE mogo_secret FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing ON mogo_client USING (false) WITH CHECK (false);
SELECT count(*) AS seen_by_a_plain_select FROM mogo_client;
RESET ROLE;
SELECT mogo_verify(:'client_id', :'client_secret') AS live;
SET ROLE regress_mogo_admin;
SELECT client_secret AS fourth_secret FROM mogo_rotate_secret(:'second_id', '0') \gset
SELECT mogo_verify(:'second_id', :'third_secret') AS old,
	mogo_verify(:'second_id', :'fourth_secret') AS new,
	mogo_verify_status(:'second_id', :'third_secret');
SELECT mogo_disable_client(:'client_id');
SELECT mogo_verify(:'client_id', :'client_secret') AS disabled;
SELECT client_name FROM mogo_add_client('regress third');
RESET ROLE;

-- A rule in place of the insert or update, or an index that finds twins: an error or
-- the change, never a success that changed nothing, never a wrong reason.
SET ROLE regress_mogo_owner;
ALTER TABLE mogo_client DISABLE ROW LEVEL SECURITY;
CREATE RULE nothing AS ON INSERT TO mogo_client DO INSTEAD NOTHING;
RESET ROLE;
SAVEPOINT s;
SELECT mogo_verify(client_id, client_secret) FROM mogo_add_client('regress not swallowed');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
DROP RULE nothing ON mogo_client;
CREATE FUNCTION public.regress_swallow() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN IF TG_OP = ''INSERT'' OR NEW.live::text <> OLD.live::text THEN RETURN NULL; END IF; '
	'RETURN NEW; END';
CREATE TRIGGER a_swallow BEFORE INSERT OR UPDATE ON mogo_client FOR EACH ROW
	EXECUTE FUNCTION public.regress_swallow();
RESET ROLE;
SAVEPOINT s;
SELECT client_name FROM mogo_add_client('regress swallowed');
ROLLBACK TO s;
SELECT client_name FROM mogo_rotate_secret(:'second_id', '0');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
DROP TRIGGER a_swallow ON mogo_client;
CREATE UNIQUE INDEX regress_twins ON mogo_client (enabled) WHERE client_name LIKE 'regress twin%';
RESET ROLE;
SELECT client_name FROM mogo_add_client('regress twin 1');
SAVEPOINT s;
SELECT client_name FROM mogo_add_client('regress twin 2');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
CREATE RULE nothing AS ON UPDATE TO mogo_client DO INSTEAD NOTHING;
RESET ROLE;
SAVEPOINT s;
SELECT client_name FROM mogo_rotate_secret(:'second_id', '0');
ROLLBACK TO s;
SELECT mogo_verify(:'second_id', :'fourth_secret') AS as_before;
ROLLBACK;

-- Only the audit is his, or the use counts: what he puts on them would run as the owner
-- of the rest, a superuser.
CREATE FUNCTION public.regress_rise() RETURNS trigger
	LANGUAGE plpgsql
	AS 'BEGIN ALTER ROLE regress_mogo_owner SUPERUSER; RETURN COALESCE(NEW, OLD); END';
BEGIN;
ALTER TABLE mogo_audit_log OWNER TO regress_mogo_owner;
SET ROLE regress_mogo_owner;
CREATE TRIGGER regress_rise BEFORE INSERT ON mogo_audit_log FOR EACH ROW
	EXECUTE FUNCTION public.regress_rise();
RESET ROLE;
SELECT client_name FROM mogo_add_client('regress risen');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT client_id FROM mogo_add_client('regress to be removed') \gset
BEGIN;
ALTER TABLE mogo_client_usage OWNER TO regress_mogo_owner;
INSERT INTO mogo_client_usage VALUES (:'client_id', 1);
SET ROLE regress_mogo_owner;
CREATE TRIGGER regress_rise BEFORE DELETE ON mogo_client_usage FOR EACH ROW
	EXECUTE FUNCTION public.regress_rise();
RESET ROLE;
SELECT mogo_remove_client(:'client_id');
ROLLBACK;
DROP FUNCTION public.regress_rise();

SELECT mogo_revoke_access('regress_mogo_admin');
REVOKE CREATE ON SCHEMA public FROM regress_mogo_owner;
DROP TABLE regress_loot;
DROP ROLE regress_mogo_owner, regress_mogo_admin;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
