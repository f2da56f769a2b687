-- mogo_find_secret: whose is a secret that leaked without its client's id?
\pset null '(null)'
SELECT client_id AS id1, client_secret AS live FROM mogo_add_client('regress_find live',
	external_id => 'find-1') \gset
SELECT client_id AS id2, client_secret AS revoked, secret_id AS s2
FROM mogo_add_client('regress_find ended') \gset
SELECT client_secret AS rotated FROM mogo_add_secret(:'id2') \gset
SELECT mogo_revoke_secret(:'s2') \g /dev/null
SELECT client_secret AS newest FROM mogo_rotate_secret(:'id2', '1 microsecond') \gset
SELECT client_secret AS expired FROM mogo_add_client('regress_find expired',
	clock_timestamp() + '1 second') \gset
SELECT client_id AS id4, client_secret AS disabled FROM mogo_add_client('regress_find off') \gset
SELECT mogo_disable_client(:'id4') \g /dev/null
SELECT client_id AS id5, client_secret AS removed FROM mogo_add_client('regress_find gone') \gset
SELECT mogo_remove_client(:'id5') \g /dev/null
SET mogocred.secret_format = token;
SELECT client_secret AS token FROM mogo_add_client('regress_find token') \gset
RESET mogocred.secret_format;
SELECT pg_sleep(1.1) \g /dev/null

CREATE FUNCTION pg_temp.find(text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(', ', f.client_name, f.external_id, f.status,
		CASE WHEN (s.secret_id, s.client_id) = (f.secret_id, f.client_id) THEN 'right ids' END),
		'; ' ORDER BY f.client_name)
	FROM mogo_find_secret($1) AS f JOIN mogo_secrets AS s USING (secret_id)
$$;
SELECT n, what, pg_temp.find(secret) FROM (VALUES
	(1, 'live', :'live'), (2, 'revoked', :'revoked'), (3, 'rotated', :'rotated'),
	(4, 'newest', :'newest'), (5, 'expired', :'expired'), (6, 'disabled', :'disabled'),
	(7, 'removed', :'removed'), (8, 'token', :'token'), (9, 'another', gen_random_uuid()::text),
	(10, 'upper case', upper(:'live')), (11, 'empty', ''), (12, 'long', repeat('x', 1025)),
	(13, 'longer', repeat('x', 1000000)), (14, 'its hash', encode(sha256(:'live'), 'hex')))
	AS v (n, what, secret) ORDER BY n;
SELECT mogo_find_secret(NULL);
-- an expired one that has moved is found in its own row
SELECT count(*) FROM mogo_clients AS c CROSS JOIN LATERAL mogo_add_secret(c.client_id)
WHERE c.client_name = 'regress_find expired';
SELECT pg_temp.find(:'expired') AS expired;
-- in the select list; and several rows at a time
SELECT (mogo_find_secret(:'live')).client_name;
SELECT f.client_name FROM (VALUES (:'live'), ('none'), (:'token')) AS v (secret)
CROSS JOIN LATERAL mogo_find_secret(v.secret) AS f ORDER BY 1;

-- one secret of several clients: each
SELECT count(mogo_import_client('regress_find import ' || n, gen_random_uuid(), 'sha256',
	encode(sha256('the same secret'), 'hex'))) FROM generate_series(1, 2) AS n;
SELECT pg_temp.find('the same secret');
-- hashes of another kind are not compared, and it says how many there are, ended ones too
SELECT mogo_import_client('regress_find bcrypt ' || n,
	('d0000000-0000-4000-8000-00000000000' || n)::uuid, 'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa') IS NOT NULL AS imported
FROM generate_series(1, 3) AS n;
SELECT client_name FROM mogo_find_secret('Grüße an den Bäcker');
SELECT client_name FROM mogo_rotate_secret('d0000000-0000-4000-8000-000000000001', '0');
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients
WHERE client_name = 'regress_find bcrypt 3';
SELECT client_name FROM mogo_find_secret(:'live');
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients
WHERE client_name = 'regress_find bcrypt 2';
SELECT client_name FROM mogo_find_secret(:'live');
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients
WHERE client_name = 'regress_find bcrypt 1';

-- it writes nothing, and sees what is committed now
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_temp.find(:'live') AS read_only;
COMMIT;
BEGIN;
SELECT client_secret AS own FROM mogo_add_client('regress_find own') \gset
SELECT client_name FROM mogo_find_secret(:'own');
ROLLBACK;
SELECT client_name FROM mogo_find_secret(:'own');
BEGIN;
SELECT count(*) FROM mogo_find_secret(:'live');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN (
	'mogo_client'::regclass, 'mogo_secret'::regclass);
COMMIT;
SELECT last_used_at, failed_checks FROM mogo_clients WHERE client_id = :'id1';

-- an administrator's right, not a verifier's
CREATE ROLE regress_find;
SELECT mogo_grant_verifier('regress_find') \g /dev/null
SET ROLE regress_find;
SELECT mogo_find_secret('x');
RESET ROLE;
SELECT mogo_grant_admin('regress_find') \g /dev/null
SET ROLE regress_find;
SELECT client_name FROM mogo_find_secret(:'live');
RESET ROLE;
SELECT mogo_revoke_access('regress_find') \g /dev/null
DROP ROLE regress_find;

-- it can be cancelled: fifty thousand hashes take longer than a millisecond
BEGIN;
INSERT INTO mogo_client SELECT gen_random_uuid(), enabled, salt, live, allowed_cidrs,
	'regress_find ' || g, scopes, metadata, created_at, created_by
FROM mogo_client CROSS JOIN generate_series(1, 50000) AS g WHERE client_id = :'id1';
SET LOCAL statement_timeout = 1;
SELECT count(*) FROM mogo_find_secret('none');
ROLLBACK;
-- what the tables' owner wrote is an error, or not found, and no crash
BEGIN;
UPDATE mogo_secret SET hash = 'sha256$' || repeat('x', 97) WHERE secret_id = :'s2';
SELECT count(*) FROM mogo_find_secret('none');
ROLLBACK;
BEGIN;
UPDATE mogo_client SET salt = '\x00' WHERE client_id = :'id1';
SELECT count(*) FROM mogo_find_secret('none');
ROLLBACK;
CREATE FUNCTION regress_other(text) RETURNS TABLE (client_id uuid, client_name text)
LANGUAGE c AS 'mogocred', 'mogo_find_secret';
SELECT regress_other('none');
DROP FUNCTION regress_other;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_find';
