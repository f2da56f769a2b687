--
-- mogo_purge: secrets that ended longer ago go, nothing else does
--
\pset null '(null)'
-- what other tests left
SELECT mogo_purge('0') >= 0 AS purged;
SELECT clock_timestamp() AS start \gset

-- a client with secrets of each kind: revoked, expired and moved, expired while nobody
-- looked, one that would have lived for another year, and one that lives on
SELECT client_id AS id, client_secret AS s1, secret_id AS i1
	FROM mogo_add_client('regress_purge') \gset
SELECT client_secret AS s2, secret_id AS i2 FROM mogo_rotate_secret(:'id', '0') \gset
SELECT client_secret AS s3, secret_id AS i3 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
SELECT client_secret AS s4, secret_id AS i4 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
SELECT client_secret AS s6, secret_id AS i6 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
CREATE VIEW pg_temp.secrets AS
SELECT row_number() OVER (ORDER BY s.created_at) AS n, s.status,
	t.hash IS NULL AS in_its_clients_row
FROM mogo_secrets AS s JOIN mogo_secret AS t USING (secret_id) WHERE s.client_id = :'id'
	ORDER BY s.created_at;
SELECT client_secret AS s5, secret_id AS i5 FROM mogo_add_secret(:'id', now() + '1 year') \gset
SELECT client_secret AS s7, secret_id AS i7 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
TABLE pg_temp.secrets;
SELECT client_id AS bystander, client_secret AS bystander_secret
	FROM mogo_add_client('regress_purge bystander', now() + '1 day') \gset

-- nothing ended an hour ago
SELECT mogo_purge('1 hour');
SELECT count(*) FROM pg_temp.secrets;
SELECT count(*) FROM mogo_audit WHERE action = 'secrets_purged' AND at > :'start';
-- all that has ended has done so by now, those in their client's row too
SELECT mogo_purge('0');
TABLE pg_temp.secrets;
SELECT action, client_id, client_name, secret_id, detail -> 'count' AS count,
	(detail ->> 'ended_before')::timestamptz BETWEEN :'start' AND at AS cutoff
FROM mogo_audit WHERE action = 'secrets_purged' AND at > :'start';
SELECT s.n, mogo_verify_status(:'id', s.secret)
FROM (VALUES (1, :'s1'), (2, :'s2'), (3, :'s3'), (4, :'s4'), (5, :'s5'), (6, :'s6'), (7, :'s7'))
	AS s (n, secret) ORDER BY n;
SELECT cardinality(live) FROM mogo_client WHERE client_id = :'id';
SELECT mogo_verify(:'bystander', :'bystander_secret') AS bystander;
-- a purged secret's id is nobody's
\set VERBOSITY sqlstate
SELECT mogo_revoke_secret(:'i1');
SELECT mogo_revoke_secret(:'i5');
\set VERBOSITY default
SELECT mogo_purge('0');

-- in the row of one that ends later, and is revoked before: by when it ended first
SELECT secret_id AS i8 FROM mogo_add_secret(:'id', now() + '1 year') \gset
SELECT mogo_revoke_secret(:'i8');
SELECT mogo_purge('0');
-- expired, and revoked later: by its expiry
SELECT client_secret AS s9, secret_id AS i9 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
SELECT clock_timestamp() AS between \gset
SELECT mogo_revoke_secret(:'i7');
SELECT expires_at < :'between' AND revoked_at > :'between' AS both FROM mogo_secrets
	WHERE secret_id = :'i7';
SELECT mogo_purge(clock_timestamp() - :'between'::timestamptz);
-- several of one client and of several at once, some with no live one left
SELECT count(mogo_add_client('regress_purge ' || n)) FROM generate_series(1, 10) AS n;
SELECT count(mogo_rotate_secret(client_id, '1 microsecond')) FROM mogo_clients
	WHERE client_name ~ '^regress_purge \d';
SELECT count(mogo_revoke_secret(secret_id)) FROM mogo_secrets
	WHERE client_name ~ '^regress_purge [1-5]$' AND status = 'active';
SELECT mogo_purge('0');
SELECT client_name, live_secrets FROM mogo_clients WHERE client_name ~ '^regress_purge \d'
	ORDER BY 1;
SELECT client_name, mogo_verify(client_id, client_secret) FROM
	(SELECT c.* FROM mogo_clients AS k, mogo_add_secret(k.client_id) AS c
	WHERE k.client_name = 'regress_purge 1') AS c;
-- no secret without its row, no row without its secret
SELECT count(*) FROM mogo_secret AS s FULL JOIN (
	SELECT l.secret_id FROM mogo_client, unnest(live) AS l) AS l USING (secret_id)
WHERE (s.hash IS NULL) <> (l.secret_id IS NOT NULL) OR s.secret_id IS NULL;
-- a purge that is rolled back
SELECT client_secret AS s10 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
BEGIN;
SELECT mogo_purge('0');
ROLLBACK;
SELECT mogo_verify_status(:'id', :'s9') AS s9, mogo_verify_status(:'id', :'s10') AS s10;
-- a bcrypt secret
SELECT mogo_import_client('regress_purge bcrypt', 'b0000000-0000-4000-8000-000000000001', 'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa') AS i11 \gset
SELECT mogo_revoke_secret(:'i11');
SELECT mogo_verify_status('b0000000-0000-4000-8000-000000000001', 'Grüße an den Bäcker');
SELECT mogo_purge('0');
SELECT mogo_verify_status('b0000000-0000-4000-8000-000000000001', 'Grüße an den Bäcker');

-- VACUUM after a purge gives no pages back to the system: it would have to stop the
-- checks for that. No table of ours lets it, nor what stands beside one.
SELECT c.relname, t.reloptions @> '{vacuum_truncate=off}' AS off
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'mogocred'
JOIN pg_class AS c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass AND c.relkind = 'r'
JOIN pg_class AS t ON t.oid IN (c.oid, c.reltoastrelid)
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND t.reloptions @> '{vacuum_truncate=off}' IS NOT TRUE
ORDER BY 1;
SELECT mogo_import_client('regress_purge many', 'b0000000-0000-4000-8000-000000000002', 'sha256',
	repeat('1', 64)) IS NOT NULL AS imported;
SELECT count(mogo_rotate_secret('b0000000-0000-4000-8000-000000000002', '0'))
	FROM generate_series(1, 100);
SELECT pg_relation_size('mogo_secret') AS size \gset
SELECT mogo_purge('0');
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_purge';
VACUUM mogo_secret;
SELECT pg_relation_size('mogo_secret') = :size AND :size > 0 AS kept;
VACUUM mogo_client, mogo_audit_log;
DROP VIEW pg_temp.secrets;
