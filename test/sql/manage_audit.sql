--
-- The audit: one row for every change, with who asked and what changed
--
\pset null '(null)'
CREATE ROLE regress_admin;
CREATE ROLE regress_deputy;
GRANT regress_deputy TO regress_admin;
SELECT mogo_grant_admin('regress_admin'), mogo_grant_admin('regress_deputy');
SELECT clock_timestamp() AS start \gset
-- the audit from here on; what differs from run to run is only compared
CREATE VIEW pg_temp.audit AS
SELECT row_number() OVER (ORDER BY at) AS n, actor = session_user AS session, acting_as, action,
	client_name,
	client_id IS NOT NULL AS client, secret_id IS NOT NULL AS secret, client_addr, application_name,
	detail - 'others_end_at' - 'ended_before' AS detail
FROM mogo_audit WHERE at > :'start'::timestamptz AND action !~ '^access' ORDER BY at;
SET application_name = 'regress "audit"';

-- every kind of change, by an administrator
SET ROLE regress_admin;
SELECT client_id AS id, secret_id AS i1 FROM mogo_add_client('regress_audit') \gset
SELECT secret_id AS i2 FROM mogo_add_secret(:'id') \gset
SELECT secret_id AS i3, issued_at + '1 day' AS cutoff FROM mogo_rotate_secret(:'id', '1 day') \gset
SELECT mogo_revoke_secret(:'i1') \g /dev/null
SELECT mogo_update_client(:'id', 'regress_audit 2', '{read}', '{"a": 1}',
	'{10.0.0.0/8}') \g /dev/null
SELECT mogo_disable_client(:'id') \g /dev/null
SELECT mogo_enable_client(:'id') \g /dev/null
SELECT mogo_import_client('regress_audit imported', 'd0000000-0000-4000-8000-000000000001',
	'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa') AS i4 \gset
SELECT mogo_remove_client(:'id') \g /dev/null
RESET ROLE;
TABLE pg_temp.audit;
-- the right ids
SELECT action, client_id = :'id' AS client, CASE secret_id WHEN :'i1' THEN 1 WHEN :'i2' THEN 2
	WHEN :'i3' THEN 3 END AS secret,
	(detail ->> 'others_end_at')::timestamptz = :'cutoff' AS cutoff
FROM mogo_audit WHERE client_id = :'id' AND at > :'start' ORDER BY at;
SELECT client_id, secret_id = :'i4' AS secret FROM mogo_audit
	WHERE client_name = 'regress_audit imported' AND at > :'start';
-- the secret's own row says who made it: the session's user too
SELECT created_by = session_user AS session FROM mogo_secrets WHERE secret_id = :'i4';
SELECT created_by = session_user AS session FROM mogo_clients
	WHERE client_name = 'regress_audit imported';

-- actor and acting_as: SET ROLE, a function of somebody else's, both
SELECT clock_timestamp() AS start \gset
CREATE VIEW pg_temp.actors AS
SELECT row_number() OVER (ORDER BY at) AS n, actor = session_user AS session, actor, acting_as,
	action
FROM mogo_audit WHERE at > :'start'::timestamptz AND action !~ '^access' ORDER BY at;
CREATE FUNCTION regress_rename(name text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path FROM CURRENT AS
$$ SELECT mogo_update_client('d0000000-0000-4000-8000-000000000001', name) $$;
ALTER FUNCTION regress_rename OWNER TO regress_deputy;
SET SESSION AUTHORIZATION regress_admin;
SELECT mogo_update_client('d0000000-0000-4000-8000-000000000001', 'regress_audit 3') \g /dev/null
SET ROLE regress_deputy;
SELECT mogo_update_client('d0000000-0000-4000-8000-000000000001', 'regress_audit 4') \g /dev/null
RESET ROLE;
SELECT regress_rename('regress_audit 5') \g /dev/null
RESET SESSION AUTHORIZATION;
SET ROLE regress_admin;
SELECT regress_rename('regress_audit 6') \g /dev/null
RESET ROLE;
SELECT n, session, CASE WHEN NOT session THEN actor END AS actor, acting_as, action
	FROM pg_temp.actors;
DROP FUNCTION regress_rename;

-- one change, one row; a failed or a rolled-back one none
SELECT count(*) AS before FROM mogo_audit \gset
BEGIN;
SELECT mogo_disable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
SELECT count(*) - :before AS inside FROM mogo_audit;
SAVEPOINT s;
SELECT mogo_enable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
ROLLBACK TO s;
COMMIT;
SELECT count(*) - :before AS committed FROM mogo_audit;
BEGIN;
SELECT mogo_enable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
ROLLBACK;
SELECT mogo_add_secret(NULL);
SELECT mogo_purge('0') = 0 AS nothing_to_purge;
SELECT count(*) - :before AS not_more FROM mogo_audit;
-- times go on inside a transaction too, so that the order is kept
BEGIN;
SELECT mogo_enable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
SELECT mogo_disable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
SELECT mogo_enable_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
COMMIT;
SELECT action FROM mogo_audit ORDER BY at DESC LIMIT 3;
SELECT count(DISTINCT at) FROM (SELECT at FROM mogo_audit ORDER BY at DESC LIMIT 3) AS a;

-- a check leaves no row
SELECT count(*) AS before FROM mogo_audit \gset
SELECT mogo_verify('d0000000-0000-4000-8000-000000000001', 'Grüße an den Bäcker') AS right,
	mogo_verify('d0000000-0000-4000-8000-000000000001', 'wrong') AS wrong;
SELECT count(*) - :before AS more FROM mogo_audit;

-- the administrator reads it, and writes it by no way
SET ROLE regress_admin;
SELECT count(*) > 0 AS readable FROM mogo_audit;
UPDATE mogo_audit SET actor = 'somebody else';
DELETE FROM mogo_audit;
INSERT INTO mogo_audit (action) VALUES ('client_added');
TRUNCATE mogo_audit_log;
SELECT mogo_purge_audit('0');
RESET ROLE;

-- mogo_purge_audit: rows that are older, and one that says so
SELECT mogo_purge_audit('0') > 0 AS trimmed;
SELECT action, client_id, client_name, secret_id, (detail ->> 'count')::int > 0 AS count,
	(detail ->> 'ended_before')::timestamptz <= at AS cutoff
FROM mogo_audit;
SELECT mogo_purge_audit('1 hour');
SELECT mogo_purge_audit('0');
SELECT action, detail -> 'count' AS count FROM mogo_audit;

SELECT mogo_remove_client('d0000000-0000-4000-8000-000000000001') \g /dev/null
-- a warning, because regress_admin is a member of another role or a superuser: not its list
\set VERBOSITY terse
SELECT mogo_revoke_access('regress_admin'), mogo_revoke_access('regress_deputy') \g /dev/null
DROP VIEW pg_temp.audit, pg_temp.actors;
RESET application_name;
DROP ROLE regress_admin, regress_deputy;
