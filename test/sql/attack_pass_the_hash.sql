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
SELECT mogo_import_client('regress sha512', 'regress-sha512', 'sha512',
	encode(sha512('an old secret of a third system'), 'hex'), generated => true) IS NOT NULL
	AS imported;
-- by hashlib, of "imported secret 37", and by Django, of "imported secret 36"
SELECT mogo_import_client('regress pbkdf2', 'regress-pbkdf2', 'pbkdf2',
	'$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', generated => true) IS NOT NULL
	AS imported;
SELECT client_id AS pbkdf2_id FROM mogo_clients WHERE external_id = 'regress-pbkdf2' \gset
SELECT mogo_import_secret(:'pbkdf2_id', 'pbkdf2',
	'pbkdf2_sha256$1000$saltOfDjango$PgzTVNEV9kUhz3bsYekHK50JZoWp3vE5uvrlII9natI=') IS NOT NULL
	AS imported;
SELECT client_secret AS new_secret FROM mogo_rotate_secret(:'client_id', '0') \gset

CREATE FUNCTION pg_temp.refuses(t text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM mogo_import_client('regress refused', 'regress-refused', 'plain', t, generated => g)
	FROM (VALUES (false), (true)) AS v (g);
	RETURN false;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN true;
END $$;
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
		(encode(salt, 'base64')), (hash || E'\n'), ('sha256$' || part), ('sha512$' || part),
		(split_part(hash, '$', 4)), (split_part(hash, '$', 5)), ('{bcrypt}' || hash)) AS v (t)
UNION ALL SELECT client_id, s.secret_id::text FROM mogo_secret AS s
UNION ALL SELECT client_id, client_name FROM mogo_client
UNION ALL SELECT client_id, client_id::text FROM mogo_client
UNION ALL SELECT client_id, external_id FROM mogo_client WHERE external_id IS NOT NULL;
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE mogo_verify(client_id, t)) AS as_secret,
	count(*) FILTER (WHERE mogo_verify_digest(client_id, convert_to(t, 'UTF8'))) AS as_digest,
	count(*) FILTER (WHERE mogo_verify_digest(client_id, sha256(convert_to(t, 'UTF8'))))
	AS its_digest, count(*) FILTER (WHERE mogo_verify_status(client_id, t) <> 'invalid') AS status,
	count(*) FILTER (WHERE t ~ '^([0-9a-fA-F]{2})+$' AND mogo_verify_digest(client_id, decode(CASE
	WHEN t ~ '^([0-9a-fA-F]{2})+$' THEN t ELSE '' END, 'hex'))) AS hex_as_digest,
	count(*) FILTER (WHERE EXISTS (SELECT FROM mogo_authenticate(client_id, t))) AS authenticated
FROM stolen;
SELECT count(*) FILTER (WHERE mogo_rehash_secret(client_id, t)) AS rehashed FROM stolen;
-- nor does a hash work at another client, or imported again as what it is
SELECT count(*) FILTER (WHERE mogo_verify(c.client_id, t)) AS elsewhere
	FROM stolen, mogo_clients AS c;
SELECT substr(l.hash, 41) AS stored FROM mogo_client AS c, unnest(c.live) AS l
	WHERE c.client_id = :'client_id' \gset
SELECT mogo_import_client('regress reimported', '44444444-4444-4444-8444-444444444444', 'sha256',
	:'stored') IS NOT NULL AS imported;
SELECT mogo_verify('44444444-4444-4444-8444-444444444444', :'client_secret') AS the_secret,
	mogo_verify('44444444-4444-4444-8444-444444444444', :'stored') AS the_hash;

-- A stolen text cannot be imported as what it is not, so that it would work as a secret.
SELECT count(*) AS many, count(*) FILTER (WHERE refused) AS refused FROM (
	SELECT pg_temp.refuses(l.hash) AS refused FROM mogo_client AS c, unnest(c.live) AS l) AS f;
-- What is imported as a hash does not work as a secret (a system that guessed did that).
SELECT mogo_verify('33333333-3333-4333-8333-333333333333', 'an old secret of another system')
	AS the_secret,
	mogo_verify('33333333-3333-4333-8333-333333333333', encode(sha256(
	'an old secret of another system'), 'hex')) AS the_hash;
SELECT mogo_verify('22222222-2222-4222-8222-222222222222', 'a secret somebody chose') AS the_secret,
	mogo_verify('22222222-2222-4222-8222-222222222222', l.hash) AS the_hash
FROM mogo_client, unnest(live) AS l WHERE client_id = '22222222-2222-4222-8222-222222222222';
SELECT mogo_verify('regress-sha512', 'an old secret of a third system') AS the_secret,
	mogo_verify('regress-sha512', encode(sha512('an old secret of a third system'), 'hex'))
	AS the_hash,
	mogo_verify_digest('regress-sha512', sha512('an old secret of a third system')) AS as_digest,
	mogo_verify_digest('regress-sha512', sha256('an old secret of a third system')) AS sha256;
SELECT mogo_verify('regress-pbkdf2', 'imported secret 37') AS the_secret,
	mogo_verify('regress-pbkdf2', 'imported secret 36') AS the_other,
	bool_or(mogo_verify('regress-pbkdf2', l.hash)) AS the_hash
FROM mogo_client, unnest(live) AS l WHERE external_id = 'regress-pbkdf2';
-- A secret's hash is as good before a rehash as after it.
SELECT mogo_rehash_secret('regress-pbkdf2', 'imported secret 37') AS rehashed,
	mogo_verify('regress-pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw')
	AS old_hash;

DROP TABLE stolen;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
