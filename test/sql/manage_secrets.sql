--
-- The life of a client's secrets: add, rotate, revoke
--
-- Secrets and ids are random, so what is printed are properties of them.
--
\pset null '(null)'
SELECT client_id AS id, client_secret AS s1, secret_id AS i1
FROM mogo_add_client('regress_secrets') \gset
-- a client like it, to which nothing may happen
SELECT client_id AS bystander, client_secret AS bystander_secret
FROM mogo_add_client('regress_secrets bystander') \gset
-- what the administrator sees of the first one's secrets, oldest first
CREATE VIEW pg_temp.secrets AS
SELECT row_number() OVER (ORDER BY created_at) AS n, status, algorithm,
	expires_at IS NOT NULL AS expires, revoked_at IS NOT NULL AS revoked
FROM mogo_secrets WHERE client_name = 'regress_secrets' ORDER BY created_at;

-- mogo_add_secret: one more, and the first lives on
SELECT client_name, client_id = :'id' AS same_client,
	client_secret ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AS formatted,
	client_secret <> :'s1' AS another_secret, secret_id <> :'i1' AS another_id,
	issued_at <= clock_timestamp() AS issued, expires_at IS NULL AS never_expires,
	client_secret AS s2, secret_id AS i2
FROM mogo_add_secret(:'id') \gset
SELECT :'client_name' AS client_name, :'same_client' AS same_client, :'formatted' AS formatted,
	:'another_secret' AS another_secret, :'another_id' AS another_id, :'issued' AS issued,
	:'never_expires' AS never_expires;
SELECT expires_at - issued_at > '59 minutes'::interval AS expires, client_secret AS s3,
	secret_id AS i3
FROM mogo_add_secret(:'id', now() + '1 hour') \gset
SELECT mogo_verify(:'id', :'s1') AS s1, mogo_verify(:'id', :'s2') AS s2,
	mogo_verify(:'id', :'s3') AS s3;
TABLE pg_temp.secrets;
SELECT live_secrets, next_expiry > now() + '59 minutes' AS next_expiry
FROM mogo_clients WHERE client_id = :'id';

-- mogo_revoke_secret: that one and no other, and twice is no error
SELECT mogo_revoke_secret(:'i2');
SELECT mogo_verify(:'id', :'s1') AS s1, mogo_verify(:'id', :'s2') AS s2,
	mogo_verify_status(:'id', :'s2') AS s2_status, mogo_verify(:'id', :'s3') AS s3;
SELECT revoked_at AS before FROM mogo_secrets WHERE secret_id = :'i2' \gset
SELECT mogo_revoke_secret(:'i2');
SELECT revoked_at = :'before' AS unchanged FROM mogo_secrets WHERE secret_id = :'i2';
SELECT count(*) FROM mogo_audit WHERE action = 'secret_revoked' AND secret_id = :'i2';
TABLE pg_temp.secrets;

-- mogo_rotate_secret with an overlap: the others end after it at the latest; what
-- would have ended before does so
SELECT client_secret AS s4, secret_id AS i4, issued_at AS t4
FROM mogo_rotate_secret(:'id', '2 hours') \gset
SELECT mogo_verify(:'id', :'s1') AS s1, mogo_verify(:'id', :'s3') AS s3,
	mogo_verify(:'id', :'s4') AS s4;
SELECT expires_at = :'t4'::timestamptz + '2 hours' AS s1_ends_after_the_overlap
FROM mogo_secrets WHERE secret_id = :'i1';
SELECT expires_at < :'t4'::timestamptz + '1 hour' AS s3_ends_as_before
FROM mogo_secrets WHERE secret_id = :'i3';
TABLE pg_temp.secrets;
-- the overlap begins again for those that had longer: never later than before
SELECT client_secret AS s5, secret_id AS i5
FROM mogo_rotate_secret(:'id', '1 day', expires_at => now() + '1 year') \gset
SELECT expires_at = :'t4'::timestamptz + '2 hours' AS no_longer_than_before
FROM mogo_secrets WHERE secret_id = :'i1';
SELECT live_secrets FROM mogo_clients WHERE client_id = :'id';

-- without an overlap: only the new one is left, the others are revoked
SELECT client_secret AS s6, secret_id AS i6 FROM mogo_rotate_secret(:'id', '0') \gset
SELECT s.n, mogo_verify(:'id', s.secret) AS verify, mogo_verify_status(:'id', s.secret) AS status
FROM (VALUES (1, :'s1'), (2, :'s2'), (3, :'s3'), (4, :'s4'), (5, :'s5'), (6, :'s6'))
	AS s (n, secret)
ORDER BY n;
TABLE pg_temp.secrets;
SELECT live_secrets, next_expiry FROM mogo_clients WHERE client_id = :'id';

-- a secret that expires while nobody is looking
SELECT client_secret AS s7, secret_id AS i7 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
SELECT mogo_verify(:'id', :'s6') AS verify, mogo_verify_status(:'id', :'s6') AS status;
SELECT status FROM mogo_secrets WHERE secret_id = :'i6';
SELECT live_secrets, next_expiry FROM mogo_clients WHERE client_id = :'id';
-- it takes no place from a live one, and stays known as expired when it has moved
SELECT client_secret AS s8, secret_id AS i8 FROM mogo_add_secret(:'id') \gset
SELECT mogo_verify_status(:'id', :'s6') AS status;
SELECT status, revoked_at FROM mogo_secrets WHERE secret_id = :'i6';
-- an expired one can be revoked still, before and after it has moved
SELECT client_secret AS s9, secret_id AS i9 FROM mogo_rotate_secret(:'id', '1 microsecond') \gset
SELECT mogo_revoke_secret(:'i6'), mogo_revoke_secret(:'i7');
SELECT mogo_verify_status(:'id', :'s6') AS s6, mogo_verify_status(:'id', :'s7') AS s7,
	mogo_verify_status(:'id', :'s8') AS s8;
SELECT secret_id = :'i7' AS last, status, expires_at < revoked_at AS expired_before
FROM mogo_secrets WHERE secret_id IN (:'i6', :'i7') ORDER BY created_at;
-- the very last one: the client has no secret then, and can be given one
SELECT mogo_revoke_secret(:'i9');
SELECT enabled, live_secrets FROM mogo_clients WHERE client_id = :'id';
SELECT mogo_verify(:'id', client_secret) AS new_secret FROM mogo_add_secret(:'id');
SELECT mogo_verify(:'id', client_secret) AS rotated FROM mogo_rotate_secret(:'id', '0');

-- the cap
SHOW mogocred.max_live_secrets;
SELECT count(mogo_add_secret(:'id')) FROM generate_series(1, 4);
SELECT mogo_add_secret(:'id');
-- a rotation with an overlap needs room too; one without makes it
SELECT mogo_rotate_secret(:'id', '1 hour');
SELECT live_secrets FROM mogo_clients WHERE client_id = :'id';
SET mogocred.max_live_secrets = 6;
SELECT client_name FROM mogo_rotate_secret(:'id', '1 hour');
SET mogocred.max_live_secrets = 20;
SELECT count(mogo_add_secret(:'id')) FROM generate_series(1, 14);
SELECT mogo_add_secret(:'id');
SET mogocred.max_live_secrets = 21;
-- a lower cap takes nothing away
SET mogocred.max_live_secrets = 1;
SELECT live_secrets FROM mogo_clients WHERE client_id = :'id';
SELECT client_name FROM mogo_rotate_secret(:'id', '0');
SELECT mogo_rotate_secret(:'id', '1 second');
SELECT live_secrets FROM mogo_clients WHERE client_id = :'id';
RESET mogocred.max_live_secrets;
CREATE ROLE regress_cap;
SET ROLE regress_cap;
SET mogocred.max_live_secrets = 20;
RESET ROLE;
DROP ROLE regress_cap;

-- a transaction that is rolled back changes nothing
SELECT client_secret AS s10 FROM mogo_rotate_secret(:'id', '0') \gset
BEGIN;
SELECT client_secret AS never FROM mogo_rotate_secret(:'id', '0') \gset
SELECT mogo_verify(:'id', :'s10') AS old, mogo_verify(:'id', :'never') AS new;
ROLLBACK;
SELECT mogo_verify(:'id', :'s10') AS old, mogo_verify(:'id', :'never') AS new;
-- several changes in one
BEGIN;
SELECT client_secret AS s11, secret_id AS i11 FROM mogo_add_secret(:'id') \gset
SELECT client_secret AS s12 FROM mogo_rotate_secret(:'id', '1 hour') \gset
SELECT mogo_revoke_secret(:'i11');
COMMIT;
SELECT mogo_verify(:'id', :'s10') AS s10, mogo_verify(:'id', :'s11') AS s11,
	mogo_verify(:'id', :'s12') AS s12;

-- a disabled client's secrets can be rotated too: it comes back with the new one only
SELECT mogo_disable_client(:'id');
SELECT client_secret AS s13 FROM mogo_rotate_secret(:'id', '0') \gset
SELECT mogo_verify(:'id', :'s13') AS while_disabled;
SELECT mogo_enable_client(:'id');
SELECT mogo_verify(:'id', :'s12') AS old, mogo_verify(:'id', :'s13') AS new;

-- the other format
SET mogocred.secret_format = token;
SELECT client_secret ~ '^mogo_[0-9A-Za-z]{49}$' AS token, mogo_verify(:'id', client_secret)
FROM mogo_rotate_secret(:'id', '0');
RESET mogocred.secret_format;

-- nothing of a secret is kept: neither in the rows nor in the views
SELECT client_secret AS s14 FROM mogo_rotate_secret(:'id', '0') \gset
SELECT count(*) FROM (SELECT c::text FROM mogo_client AS c UNION ALL SELECT s::text FROM mogo_secret
	AS s
	UNION ALL SELECT a::text FROM mogo_audit_log AS a) AS t (row)
WHERE strpos(t.row, :'s14') > 0 OR strpos(t.row, replace(:'s14', '-', '')) > 0
	OR strpos(t.row, encode(sha256(convert_to(:'s14', 'UTF8')), 'hex')) > 0;
-- no hash or salt in the views
SELECT count(*) FROM (SELECT v::text FROM mogo_clients AS v UNION ALL SELECT v::text
	FROM mogo_secrets AS v
	UNION ALL SELECT v::text FROM mogo_audit AS v) AS t (row),
	mogo_client AS c, unnest(c.live) AS l
WHERE strpos(t.row, encode(c.salt, 'hex')) > 0 OR strpos(t.row, right(l.hash, 64)) > 0;
-- the hash of a live secret stands in its client's row and nowhere else, an ended
-- one's in its own
SELECT bool_and((l.secret_id IS NULL) = (s.hash IS NOT NULL)) AS one_place
FROM mogo_secret AS s JOIN mogo_client AS c USING (client_id)
LEFT JOIN LATERAL unnest(c.live) AS l ON l.secret_id = s.secret_id
WHERE client_id = :'id';

SELECT mogo_verify(:'bystander', :'bystander_secret') AS bystander;
SELECT mogo_remove_client(client_id) FROM mogo_clients WHERE client_name ^@ 'regress_secrets';
DROP VIEW pg_temp.secrets;
