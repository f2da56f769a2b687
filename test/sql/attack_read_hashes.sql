-- The attack: an administrator's account (who may read the views and change clients,
-- but is given no hash) looks for hashes and salts: in the views' rows, by functions
-- that leak what the planner hands them, in plans and statistics, by copying,
-- referencing, inheriting or locking the tables.
\set VERBOSITY terse
CREATE ROLE regress_mogo_admin;
SELECT mogo_grant_admin('regress_mogo_admin');
SELECT client_id, client_secret FROM mogo_add_client('regress victim') \gset
SELECT client_name FROM mogo_rotate_secret(:'client_id', '0');
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_client('regress bcrypt', '22222222-2222-4222-8222-222222222222', 'plain',
	'a secret somebody chose') IS NOT NULL AS imported;
ANALYZE mogo_client, mogo_secret, mogo_audit_log;
SELECT encode(salt, 'hex') AS salt, substr((live[1]).hash, 41) AS hash FROM mogo_client
	WHERE client_id = :'client_id' \gset
-- what must not be found anywhere, as a pattern: hex of 32 digits or more, and labels
SELECT 'sha256\$|\$2[aby]\$|[0-9a-f]{32}|\\x[0-9a-f]{32}' AS pattern \gset
SELECT (SELECT string_agg(c::text, ' ') FROM mogo_client AS c) ~ :'pattern' AS pattern_finds_them;
GRANT CREATE ON SCHEMA public TO regress_mogo_admin;
SET ROLE regress_mogo_admin;

-- The views' rows.
SELECT string_agg(v, ' ') ~ :'pattern' AS in_a_view
	FROM (SELECT c::text FROM mogo_clients AS c UNION ALL SELECT s::text FROM mogo_secrets AS s
	UNION ALL SELECT a::text FROM mogo_audit AS a) AS r (v);
SELECT c.salt FROM mogo_clients AS c;
SELECT s.hash FROM mogo_secrets AS s;
SELECT c.live FROM mogo_clients AS c;

-- Functions and operators that leak what they see, cheap enough to be asked first.
CREATE FUNCTION public.regress_leak(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	IF t ~ 'sha256\$|\$2[aby]\$|[0-9a-f]{32}' THEN RAISE NOTICE 'leaked'; END IF;
	RETURN true;
END $$;
SELECT count(*) > 0 AS some FROM mogo_clients AS c WHERE public.regress_leak(c::text)
	AND public.regress_leak(c.client_name);
SELECT count(*) > 0 AS some FROM mogo_secrets AS s WHERE public.regress_leak(s::text)
	AND public.regress_leak(s.algorithm) AND public.regress_leak(s.status);
SELECT count(*) > 0 AS some FROM mogo_audit AS a WHERE public.regress_leak(a::text)
	AND public.regress_leak(a.detail::text);

-- Plans.
CREATE FUNCTION public.regress_explain(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS, SETTINGS) ' || query LOOP
		found := found OR line ~ '\$2[aby]\$|[0-9a-f]{32}';
	END LOOP;
	RETURN found;
END $$;
SELECT public.regress_explain('SELECT * FROM mogo_clients') AS clients,
	public.regress_explain('SELECT * FROM mogo_secrets') AS secrets,
	public.regress_explain('SELECT * FROM mogo_audit') AS audit,
	public.regress_explain(
	'SELECT mogo_verify(''22222222-2222-4222-8222-222222222222'', ''a secret somebody chose'')')
	AS verify;

-- Statistics.
SELECT count(*) AS rows FROM pg_stats WHERE tablename IN (
	'mogo_client', 'mogo_secret', 'mogo_audit_log');
SELECT count(*) FROM pg_statistic;
SELECT count(*) FROM pg_stats_ext;

-- The tables themselves.
SELECT * FROM mogo_client;
COPY mogo_client TO STDOUT;
COPY (SELECT * FROM mogo_secret) TO STDOUT;
CREATE TABLE public.regress_copy (LIKE mogo_client);
CREATE TABLE public.regress_child () INHERITS (mogo_client);
CREATE TABLE public.regress_reference (id uuid REFERENCES mogo_client);
CREATE INDEX regress_index ON mogo_client ((public.regress_leak(salt::text)));
CREATE TRIGGER regress_trigger BEFORE UPDATE ON mogo_client FOR EACH ROW
	EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE POLICY regress_policy ON mogo_client USING (public.regress_leak(salt::text));
CREATE RULE regress_rule AS ON UPDATE TO mogo_client DO ALSO
	SELECT public.regress_leak(OLD.salt::text);
CREATE STATISTICS regress_statistics ON salt, live FROM mogo_client;
ALTER TABLE mogo_client ADD COLUMN stolen text;
BEGIN;
LOCK TABLE mogo_client IN ACCESS SHARE MODE;
ROLLBACK;
SELECT client_id FROM mogo_clients FOR UPDATE;
CREATE VIEW public.regress_view AS SELECT salt FROM mogo_client;
SELECT * FROM public.regress_view;
DROP VIEW public.regress_view;
SELECT ctid, salt FROM mogo_client;
PREPARE stolen AS SELECT salt FROM mogo_client;
EXECUTE stolen;
DEALLOCATE stolen;

-- By way of his own rights: the functions run as him, and what he passes is not run.
SELECT mogo_update_client(:'client_id', metadata => '{"x": "'' || salt || ''"}'),
	mogo_update_client(:'client_id', client_name => ''' || salt || ''');
SELECT client_name, metadata FROM mogo_clients WHERE client_id = :'client_id';
DROP FUNCTION public.regress_leak(text), public.regress_explain(text);
RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM regress_mogo_admin;
SELECT mogo_revoke_access('regress_mogo_admin');
DROP ROLE regress_mogo_admin;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
