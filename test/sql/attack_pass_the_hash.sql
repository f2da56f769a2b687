-- The attack: somebody got hold of the tables' rows (a dump, a backup, a replica's
-- files, SQL injection elsewhere as a reader of all data) and sends what is in them:
-- the stored text, the hash, the salt, as secret and as digest.
\set VERBOSITY terse
SELECT client_id, client_secret FROM mogo_add_client('regress native') \gset
SELECT client_name AS a_second_for FROM mogo_add_secret(:'client_id');
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_client('regress bcrypt', '22222222-2222-4222-8222-222222222222', 'plain',
	'a secret somebody chose') IS NOT NULL AS imported;
SELECT mogo_import_client('regress sha256', '33333333-3333-4333-8333-333333333333', 'sha256',
	encode(sha256('an old secret of another system'), 'hex')) IS NOT NULL AS imported;
SELECT client_secret AS new_secret FROM mogo_rotate_secret(:'client_id', '0') \gset

-- All that the rows hold, in every form.
CREATE TEMP TABLE stolen AS
WITH hashes AS (
	SELECT c.client_id, c.salt, l.hash FROM mogo_client AS c, unnest(c.live) AS l
	UNION ALL SELECT c.client_id, c.salt, s.hash FROM mogo_secret AS s
	JOIN mogo_client AS c USING (client_id) WHERE s.hash IS NOT NULL)
SELECT client_id, t FROM hashes, LATERAL (SELECT split_part(hash, '$', 3)) AS p (part),
	LATERAL (VALUES (hash), (part), (upper(part)), (encode(salt, 'hex')),
	(encode(salt, 'hex') || part), (substr(hash, 8)), (substr(hash, 9)),
		(CASE WHEN part ~ '^[0-9a-f]{64}$' THEN encode(decode(part, 'hex'), 'base64') END),
		(encode(salt, 'base64')), (hash || E'\n'), ('sha256$' || part)) AS v (t)
UNION ALL SELECT client_id, s.secret_id::text FROM mogo_secret AS s
UNION ALL SELECT client_id, client_name FROM mogo_client
UNION ALL SELECT client_id, client_id::text FROM mogo_client;
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE mogo_verify(client_id, t)) AS as_secret,
	count(*) FILTER (WHERE mogo_verify_digest(client_id, convert_to(t, 'UTF8'))) AS as_digest,
	count(*) FILTER (WHERE mogo_verify_digest(client_id, sha256(convert_to(t, 'UTF8'))))
	AS its_digest, count(*) FILTER (WHERE mogo_verify_status(client_id, t) <> 'invalid') AS status,
	count(*) FILTER (WHERE t ~ '^([0-9a-fA-F]{2})+$' AND mogo_verify_digest(client_id, decode(CASE
	WHEN t ~ '^([0-9a-fA-F]{2})+$' THEN t ELSE '' END, 'hex'))) AS hex_as_digest,
	count(*) FILTER (WHERE EXISTS (SELECT FROM mogo_authenticate(client_id, t))) AS authenticated
FROM stolen;
-- nor does a hash work at another client, or imported again as what it is
SELECT count(*) FILTER (WHERE mogo_verify(c.client_id, t)) AS elsewhere
	FROM stolen, mogo_clients AS c;
SELECT substr(l.hash, 41) AS stored FROM mogo_client AS c, unnest(c.live) AS l
	WHERE c.client_id = :'client_id' \gset
SELECT mogo_import_client('regress reimported', '44444444-4444-4444-8444-444444444444', 'sha256',
	:'stored') IS NOT NULL AS imported;
SELECT mogo_verify('44444444-4444-4444-8444-444444444444', :'client_secret') AS the_secret,
	mogo_verify('44444444-4444-4444-8444-444444444444', :'stored') AS the_hash;

-- What is imported as a hash does not work as a secret (a system that guessed did that).
SELECT mogo_verify('33333333-3333-4333-8333-333333333333', 'an old secret of another system')
	AS the_secret,
	mogo_verify('33333333-3333-4333-8333-333333333333', encode(sha256(
	'an old secret of another system'), 'hex')) AS the_hash;
SELECT mogo_verify('22222222-2222-4222-8222-222222222222', 'a secret somebody chose') AS the_secret,
	mogo_verify('22222222-2222-4222-8222-222222222222', l.hash) AS the_hash
FROM mogo_client, unnest(live) AS l WHERE client_id = '22222222-2222-4222-8222-222222222222';

DROP TABLE stolen;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
