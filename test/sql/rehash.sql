-- mogo_rehash_secret: a secret that a program made gets the native hash, once it is seen.
\pset null '(null)'
\set VERBOSITY terse
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS
$$ SELECT ('c1000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
-- each algorithm twice: made by a program, and not; bcrypt by libxcrypt, PBKDF2 by hashlib
CREATE TEMP TABLE kept (n int, algorithm text, stored text, secret text, generated boolean);
INSERT INTO kept VALUES
(1, 'sha256', encode(sha256('generated secret 1 abcdef'), 'hex'), 'generated secret 1 abcdef',
	true),
(2, 'sha256', encode(sha256('generated secret 1 abcdef'), 'hex'), 'generated secret 1 abcdef',
	false),
(3, 'sha512', encode(sha512('generated secret 1 abcdef'), 'hex'), 'generated secret 1 abcdef',
	true),
(4, 'sha512', encode(sha512('generated secret 1 abcdef'), 'hex'), 'generated secret 1 abcdef',
	false),
(5, 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', 'imported secret 37', true),
(6, 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', 'imported secret 37', false),
(7, 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery', true),
(8, 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery', false),
(9, 'plain', 'generated secret 1 abcdef', 'generated secret 1 abcdef', true),
(10, 'plain', 'generated secret 1 abcdef', 'generated secret 1 abcdef', false);
SET mogocred.bcrypt_cost = 4;
SELECT count(mogo_import_client('regress_rehash ' || n, pg_temp.id(n), algorithm, stored,
	generated => generated, label => 'from elsewhere')) FROM kept;
RESET mogocred.bcrypt_cost;
CREATE FUNCTION pg_temp.kept_as(n int) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(algorithm, ' ') FROM mogo_secrets WHERE client_id = pg_temp.id(n) $$;

-- a wrong pair changes nothing, whatever is sent
SELECT count(*) FILTER (WHERE mogo_rehash_secret(pg_temp.id(n), sent)) AS rehashed
FROM kept, LATERAL (VALUES (stored), ('wrong'), (''), (NULL), (secret || 'x'), (repeat('x',
	100000)))
	AS wrong (sent)
WHERE wrong.sent IS DISTINCT FROM secret;
SELECT count(*) FILTER (WHERE mogo_rehash_secret(id, 'generated secret 1 abcdef')) AS rehashed
FROM (VALUES ('nobody'), (''), (NULL), (repeat('x', 100000)), (chr(233)),
	('c1000000-0000-4000-8000-999999999999')) AS wrong (id);
SELECT mogo_rehash_secret(NULL::uuid, 'x') AS no_uuid, mogo_rehash_secret(NULL, NULL) AS none;
-- a right one is asked for where it is needed, and done once
SELECT n, algorithm, generated, a.needs_rehash, mogo_rehash_secret(pg_temp.id(n), secret) AS first,
	mogo_rehash_secret(pg_temp.id(n), secret) AS second
FROM kept, mogo_authenticate(pg_temp.id(n), secret) AS a ORDER BY n;
SELECT n, algorithm, pg_temp.kept_as(n) AS kept_as, a.needs_rehash,
	mogo_verify(pg_temp.id(n), secret) AS secret,
	mogo_verify(pg_temp.id(n), secret || 'x') AS wrong,
	mogo_verify(pg_temp.id(n), stored) AND stored <> secret AS stored_text,
	mogo_verify_digest(pg_temp.id(n), sha256(convert_to(secret, 'UTF8'))) AS digest
FROM kept, mogo_authenticate(pg_temp.id(n), secret) AS a ORDER BY n;
-- the row is what it would have been here, and the secret is the same one
SELECT count(*) FROM kept AS k JOIN mogo_client AS c ON c.client_id = pg_temp.id(k.n),
	unnest(c.live) AS l
WHERE l.hash = 'sha256$' || encode(c.salt, 'hex') || '$'
	|| encode(sha256(c.salt || sha256(convert_to(k.secret, 'UTF8'))), 'hex');
SELECT k.n, s.label, s.status, a.detail FROM kept AS k
JOIN mogo_audit AS a ON a.client_id = pg_temp.id(k.n) AND a.action = 'secret_rehashed'
JOIN mogo_secrets AS s ON s.secret_id = a.secret_id ORDER BY k.n;

-- by an external id; a client with networks, to which no address is given
SELECT mogo_import_client('regress_rehash external', 'https://client.example/mcp', 'sha512',
	encode(sha512('generated secret 1 abcdef'), 'hex'), generated => true) IS NOT NULL AS imported;
SELECT client_id AS id FROM mogo_clients WHERE external_id = 'https://client.example/mcp' \gset
SELECT mogo_update_client(:'id', allowed_cidrs => '{10.0.0.0/8}');
SELECT mogo_disable_client(:'id');
SELECT mogo_rehash_secret('https://client.example/mcp', 'generated secret 1 abcdef') AS disabled;
SELECT mogo_enable_client(:'id');
SELECT needs_rehash FROM mogo_authenticate('https://client.example/mcp',
	'generated secret 1 abcdef', '10.1.2.3');
SELECT mogo_rehash_secret('https://client.example/mcp', 'generated secret 1 abcdef') AS rehashed;
SELECT needs_rehash FROM mogo_authenticate('https://client.example/mcp',
	'generated secret 1 abcdef', '10.1.2.3');

-- Only the one that was sent, of two; with both live, then with one that expired meanwhile
SELECT mogo_import_client('regress_rehash two', pg_temp.id(20), 'bcrypt',
	'$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.', generated => true) AS one \gset
SELECT mogo_import_secret(pg_temp.id(20), 'pbkdf2',
	'$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', generated => true) AS two \gset
SELECT mogo_rehash_secret(pg_temp.id(20), 'imported secret 37') AS rehashed;
SELECT algorithm, secret_id = :'one' AS one, secret_id = :'two' AS two, status FROM mogo_secrets
WHERE client_id = pg_temp.id(20) ORDER BY algorithm;
SELECT mogo_update_secret(:'one', clock_timestamp() + '1 second');
SELECT pg_sleep(1.1);
SELECT mogo_rehash_secret(pg_temp.id(20), 'correct horse battery') AS expired;
SELECT mogo_verify(pg_temp.id(20), 'imported secret 37') AS other,
	mogo_verify_status(pg_temp.id(20), 'correct horse battery') AS expired;

-- bcrypt reads 72 bytes: what stands behind them is not known, so such a secret stays
SELECT crypt(repeat('x', 80), '$2a$04$N9qo8uLOickgx2ZMRZoMye') AS stored \gset
SELECT mogo_import_client('regress_rehash 80', pg_temp.id(30), 'bcrypt', :'stored',
	generated => true) IS NOT NULL AS imported;
SELECT n, mogo_verify(pg_temp.id(30), repeat('x', n)) AS verify,
	(SELECT needs_rehash FROM mogo_authenticate(pg_temp.id(30), repeat('x', n))) AS needs_rehash,
	mogo_rehash_secret(pg_temp.id(30), repeat('x', n)) AS rehashed
FROM (VALUES (71), (72), (73), (80)) AS lengths (n) ORDER BY n;
SELECT crypt(repeat('x', 71), '$2a$04$N9qo8uLOickgx2ZMRZoMye') AS stored \gset
SELECT mogo_import_client('regress_rehash 71', pg_temp.id(31), 'bcrypt', :'stored',
	generated => true) IS NOT NULL AS imported;
SELECT mogo_rehash_secret(pg_temp.id(31), repeat('x', 72)) AS with_72,
	mogo_rehash_secret(pg_temp.id(31), repeat('x', 71)) AS with_71;

-- a verifier may, a monitor may not
CREATE ROLE regress_verifier;
CREATE ROLE regress_monitor;
SELECT mogo_grant_verifier('regress_verifier');
SELECT mogo_grant_monitor('regress_monitor');
SELECT mogo_import_secret(pg_temp.id(31), 'sha512',
	encode(sha512('generated secret 2 abcdef'), 'hex'), generated => true) IS NOT NULL AS imported;
SET ROLE regress_monitor;
SELECT mogo_rehash_secret('c1000000-0000-4000-8000-000000000031', 'generated secret 2 abcdef');
SET ROLE regress_verifier;
SELECT mogo_rehash_secret('c1000000-0000-4000-8000-000000000031', 'generated secret 2 abcdef')
	AS by_verifier;
RESET ROLE;
SELECT acting_as, detail FROM mogo_audit WHERE client_id = pg_temp.id(31)
	AND action = 'secret_rehashed' ORDER BY at DESC LIMIT 1;
SELECT mogo_revoke_access('regress_verifier'), mogo_revoke_access('regress_monitor');
DROP ROLE regress_verifier, regress_monitor;
-- not where nothing may be written, and that comes first
BEGIN READ ONLY;
SELECT mogo_rehash_secret('nobody', 'x');
ROLLBACK;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_rehash';
