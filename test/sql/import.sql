--
-- mogo_import_client: a client from another system keeps its secret
--
-- The hashes were made elsewhere: SHA-256, SHA-512 and PBKDF2 in PHC form by Python's
-- hashlib, the others by passlib 1.7.4 and Django 3.2, bcrypt by libxcrypt (Python's
-- crypt); the $2a$05$CCCC… ones are OpenBSD's and crypt_blowfish's own test vectors, and
-- the one of "passwd" is RFC 7914's.
--
\pset null '(null)'
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS
$$ SELECT ('c0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat(state, ': ', message, E'\nDETAIL: ' || nullif(detail, ''),
		E'\nHINT: ' || nullif(hint, ''));
END $$;
-- what was imported: its number, the secret and the stored text
CREATE TEMPORARY TABLE kept (n int, algorithm text, stored text, secret text);

-- sha256: hex in either case, base64 and base64url with or without padding
INSERT INTO kept VALUES
(1, 'sha256', '1011fa912002dd2b76638a5fb982db7c583508f49e1734607f3598902ab050e3',
	'imported secret one'),
(2, 'sha256', '1011FA912002DD2B76638A5FB982DB7C583508F49E1734607F3598902AB050E3',
	'imported secret one'),
(3, 'sha256', 'EBH6kSAC3St2Y4pfuYLbfFg1CPSeFzRgfzWYkCqwUOM=', 'imported secret one'),
(4, 'sha256', 'EBH6kSAC3St2Y4pfuYLbfFg1CPSeFzRgfzWYkCqwUOM', 'imported secret one'),
(5, 'sha256', 'Yx48nsl/41yAMR8KxCkTGtqHLEhT/PXUkUvyel0hvro=', 'a:b c+d%&=ü'),
(6, 'sha256', 'Yx48nsl_41yAMR8KxCkTGtqHLEhT_PXUkUvyel0hvro=', 'a:b c+d%&=ü'),
(7, 'sha256', 'Yx48nsl_41yAMR8KxCkTGtqHLEhT_PXUkUvyel0hvro', 'a:b c+d%&=ü'),
-- bcrypt: three labels of one algorithm; costs 4 and 5
(11, 'bcrypt', '$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery'),
(12, 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery'),
(13, 'bcrypt', '$2y$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery'),
(14, 'bcrypt', '$2a$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa',
	'Grüße an den Bäcker'),
(15, 'bcrypt', '$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa',
	'Grüße an den Bäcker'),
(16, 'bcrypt', '$2y$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa',
	'Grüße an den Bäcker'),
(17, 'bcrypt', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'),
(18, 'bcrypt', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', 'U*U*'),
-- plain: what a person chose, with 16 characters, and with 72 bytes
(21, 'plain', 'sixteen letters!', 'sixteen letters!'),
(22, 'plain', 'Grüße an alle Bäcker', 'Grüße an alle Bäcker'),
(23, 'plain', repeat('ü', 36), repeat('ü', 36)),
-- plain is never guessed at: what looks like a digest is a secret that somebody chose
(24, 'plain', '1011fa912002dd2b76638a5fb982db7c583508f49e1734607f3598902ab050e3',
	'1011fa912002dd2b76638a5fb982db7c583508f49e1734607f3598902ab050e3'),
-- nor does a secret look like a stored form that only begins as some do
(25, 'plain', 'sha256sumofsomething', 'sha256sumofsomething'),
(26, 'plain', '$ecret that is long', '$ecret that is long'),
(27, 'plain', 'scrypt is what I like', 'scrypt is what I like'),
(28, 'plain', '{curly but no scheme}', '{curly but no scheme}'),
-- sha512: the same forms
(131, 'sha512', 'eb22f1632d19f55646da5ab495799837761cf65141533f35033cd6f7bd97c3c7'
	'5831d5e04a5b9339f48098de4f3be28a71e6c65d4fa74bf7fbc252e96e09dc23', 'imported secret 311'),
(132, 'sha512', '7YIjo6uhNg2JOJgLYOSDdMHnBfUhndlqHQr4eClwGp8YZK6Bhy8RvX1qVj4IVgsFpRn/MxUf4aq1ucB+'
	'usky7Q==', 'imported secret 312 ü'),
(133, 'sha512', '7YIjo6uhNg2JOJgLYOSDdMHnBfUhndlqHQr4eClwGp8YZK6Bhy8RvX1qVj4IVgsFpRn_MxUf4aq1ucB-'
	'usky7Q', 'imported secret 312 ü'),
-- pbkdf2: PHC, passlib and Django; one block and two, a part of one, a long secret
(141, 'pbkdf2', '$pbkdf2-sha256$i=1,l=64$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM'
	'8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw', 'passwd'),
(142, 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', 'imported secret 37'),
(143, 'pbkdf2', '$pbkdf2-sha256$i=1$++++/w$3EtLnvtDOUaLWrQGfG0wxw', 'imported secret 37'),
(144, 'pbkdf2',
	'$pbkdf2-sha256$i=999,l=64$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY$p3i1A8l0RVm7/Nj'
	'mEAQTDE1cb3BEu+Q5Fetzs8eRjxNsb+B2kcaBpvxAhiTpdahaq0MtvJW/hxsTzLrY2UuhPA',
	'imported secret 38'),
(145, 'pbkdf2',
	'$pbkdf2-sha512$i=1000,l=64$cw$mCaIx4GhJ9H3QmQpVzXxb36YH54Gt1T/CZ7bMpzqfxVtU0F9oBgwA'
	'nKlHmtZgRqbCbXR9yWyvxbtEk218BRYQg', 'imported secret 39 Grüße'),
(146, 'pbkdf2',
	'$pbkdf2-sha512$i=2049,l=33$eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5e'
	'Xl5eXl5eXl5eXl5eXl5eXl5eXl5eQ$VDeEPlRowvF059j+O/C1494iopQei7eeTzy9skYl0kmU',
	'imported secret 310 ' || repeat('x', 200)),
(147, 'pbkdf2',
	'$pbkdf2-sha256$1000$c2FsdCBvZiBwYXNzbGliIQ$ucLfl3ocjk/wMfhW2jog3lYBXUm3J/epfh5LbLfpY'
	'z8', 'imported secret 33'),
(148, 'pbkdf2', '$pbkdf2-sha256$1000$....//8$elAN8ljOgglhhlLJH/GjWawMUwUcHd58heHsGlHrweE',
	'imported secret 34'),
(149, 'pbkdf2',
	'$pbkdf2-sha512$1000$c2FsdCBvZiBwYXNzbGliIQ$YP8Oe7OaXlU9b5IL.8o6T3KNXRo5AmlxM9SgXlDtn'
	'RIF.bBEjuLTSO5JOMja.qeONIXY8LGQMuUTsy6/rN3ANg', 'imported secret 35'),
(150, 'pbkdf2', 'pbkdf2_sha256$1000$saltOfDjango$PgzTVNEV9kUhz3bsYekHK50JZoWp3vE5uvrlII9natI=',
	'imported secret 36'),
-- bcrypt behind what Spring and Django put before it
(151, 'bcrypt', '{bcrypt}$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'correct horse battery'),
(152, 'bcrypt', 'bcrypt$$2b$04$N9qo8uLOickgx2ZMRZoMyeDjb.keiplQ41Pg4vPx6sU162t6TijOO',
	'imported secret 313');
SET mogocred.bcrypt_cost = 4;
SELECT n, mogo_import_client('regress_import ' || n, pg_temp.id(n), algorithm, stored) IS NOT NULL
	AS imported
FROM kept ORDER BY n;
RESET mogocred.bcrypt_cost;

-- the secret is right; the stored text never is, and a digest only where SHA-256 was kept
SELECT k.n, k.algorithm,
	mogo_verify(c.client_id, k.secret) AS secret,
	mogo_verify_status(c.client_id, k.secret) AS status,
	CASE WHEN k.stored <> k.secret THEN mogo_verify(c.client_id, k.stored) END AS stored_text,
	mogo_verify(c.client_id, k.secret || ' ') AS longer,
	mogo_verify(c.client_id, left(k.secret, -1)) AS shorter,
	CASE WHEN upper(k.secret COLLATE "C") <> k.secret
	THEN mogo_verify(c.client_id, upper(k.secret COLLATE "C")) END AS other_case,
	mogo_verify_digest(c.client_id, sha256(convert_to(k.secret, 'UTF8'))) AS digest
FROM kept AS k JOIN mogo_clients AS c ON c.client_id = pg_temp.id(k.n) ORDER BY k.n;
-- whatever our own rows hold works neither, as text, as hex, or as a digest
SELECT count(*) FROM mogo_client AS c, unnest(c.live) AS l,
	LATERAL (VALUES (l.hash), (split_part(l.hash, '$', 3)), (split_part(l.hash, '$', 2)), (right(
	l.hash, 31))) AS t (text)
WHERE c.client_name ^@ 'regress_import' AND
	(mogo_verify(c.client_id, t.text) OR mogo_verify_digest(c.client_id, convert_to(t.text, 'UTF8'))
	OR l.hash ^@ 'sha256' AND mogo_verify_digest(
	c.client_id, decode(split_part(l.hash, '$', 3), 'hex')));

-- sha256 is native now, as if it had been generated here; plain is bcrypt at the setting's cost
SELECT DISTINCT k.algorithm, s.algorithm AS kept_as,
	substring(l.hash FROM '^(?:sha...\$|\$2.\$\d\d\$|\$?pbkdf2.sha...\$)') AS label,
	CASE WHEN k.algorithm = 'pbkdf2' THEN l.hash = k.stored
		ELSE length(l.hash) IN (60, 104) END AS form
FROM kept AS k JOIN mogo_client AS c ON c.client_id = pg_temp.id(k.n), unnest(c.live) AS l
JOIN mogo_secrets AS s ON s.secret_id = l.secret_id ORDER BY 1, 3;
SELECT k.n FROM kept AS k JOIN mogo_client AS c ON c.client_id = pg_temp.id(k.n), unnest(c.live)
	AS l
WHERE k.algorithm = 'sha256' AND l.hash <> 'sha256$' || encode(c.salt, 'hex') || '$'
	|| encode(sha256(c.salt || sha256(convert_to(k.secret, 'UTF8'))), 'hex');
-- two clients with one secret do not show it
SELECT count(DISTINCT l.hash), count(DISTINCT c.salt) FROM mogo_client AS c, unnest(c.live) AS l
WHERE c.client_id IN (pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(4));

-- the setting's default and bounds
SHOW mogocred.bcrypt_cost;
SELECT mogo_import_client('regress_import plain', pg_temp.id(31), 'plain',
	'correct horse battery staple') IS NOT NULL AS imported;
SELECT regexp_replace(l.hash, '^(\$2.\$\d\d\$).*$', '\1') AS label
	FROM mogo_client AS c, unnest(c.live) AS l
WHERE c.client_id = pg_temp.id(31);
SET mogocred.bcrypt_cost = 3;
SET mogocred.bcrypt_cost = 13;
-- the same secret twice has two salts
SELECT mogo_import_client('regress_import plain 2', pg_temp.id(32), 'plain',
	'correct horse battery staple') IS NOT NULL AS imported;
SELECT count(DISTINCT left(l.hash, 29)) FROM mogo_client AS c, unnest(c.live) AS l
WHERE c.client_id IN (pg_temp.id(31), pg_temp.id(32));

-- all the other properties, and the audit
SELECT mogo_import_client('regress_import all', pg_temp.id(41), 'sha256',
	encode(sha256('secret of import all'), 'hex'), '2999-12-31 00:00:00+00', '{read,write}',
	'{"from": "elsewhere"}') AS secret_id \gset
SELECT client_name, enabled, scopes, metadata, allowed_cidrs, created_by = session_user AS mine,
	live_secrets, next_expiry AT TIME ZONE 'UTC' AS next_expiry
FROM mogo_clients WHERE client_id = pg_temp.id(41);
SELECT secret_id = :'secret_id' AS the_same, status, expires_at AT TIME ZONE 'UTC' AS expires_at,
	revoked_at
FROM mogo_secrets WHERE client_id = pg_temp.id(41);
SELECT client_name, scopes, metadata, secret_id = :'secret_id' AS the_same,
	expires_at AT TIME ZONE 'UTC' AS expires_at
FROM mogo_authenticate(pg_temp.id(41), 'secret of import all');
SELECT a.action, a.client_name, a.secret_id IS NOT NULL AS secret, a.detail
FROM mogo_audit AS a WHERE a.client_id IN (pg_temp.id(41), pg_temp.id(17), pg_temp.id(21))
	ORDER BY at;
-- no hash reaches the audit
SELECT count(*) FROM mogo_audit_log AS a, kept AS k WHERE strpos(a::text, k.stored) > 0;

-- an imported client's life goes on as any other's: an overlap from bcrypt to a new one
SELECT client_secret AS new FROM mogo_rotate_secret(pg_temp.id(14), '1 hour') \gset
SELECT mogo_verify(pg_temp.id(14), 'Grüße an den Bäcker') AS old,
	mogo_verify(pg_temp.id(14), :'new') AS new;
SELECT status, algorithm, expires_at IS NOT NULL AS expires FROM mogo_secrets
WHERE client_id = pg_temp.id(14) ORDER BY created_at;
SELECT client_secret AS new FROM mogo_rotate_secret(pg_temp.id(14), '0') \gset
SELECT mogo_verify_status(pg_temp.id(14), 'Grüße an den Bäcker') AS old,
	mogo_verify_status(pg_temp.id(14), 'Grüße an den Becker') AS never_was,
	mogo_verify_status(pg_temp.id(14), :'new') AS new;
SELECT status, algorithm FROM mogo_secrets WHERE client_id = pg_temp.id(14) ORDER BY created_at;
-- from sha256
SELECT client_secret AS new FROM mogo_rotate_secret(pg_temp.id(1), '0') \gset
SELECT mogo_verify_status(pg_temp.id(1), 'imported secret one') AS old,
	mogo_verify_status(pg_temp.id(1), :'new') AS new;
-- revoked and expired bcrypt secrets stay known
SELECT mogo_revoke_secret(secret_id) FROM mogo_secrets WHERE client_id = pg_temp.id(15);
SELECT mogo_verify(pg_temp.id(15), 'Grüße an den Bäcker') AS verify,
	mogo_verify_status(pg_temp.id(15), 'Grüße an den Bäcker') AS status;
SELECT client_name FROM mogo_rotate_secret(pg_temp.id(16), '1 microsecond');
SELECT mogo_verify(pg_temp.id(16), 'Grüße an den Bäcker') AS verify,
	mogo_verify_status(pg_temp.id(16), 'Grüße an den Bäcker') AS status;
SELECT client_name FROM mogo_add_secret(pg_temp.id(16));
SELECT mogo_verify(pg_temp.id(16), 'Grüße an den Bäcker') AS verify,
	mogo_verify_status(pg_temp.id(16), 'Grüße an den Bäcker') AS status;

-- so do ended ones of every other form
SELECT client_name FROM mogo_rotate_secret(pg_temp.id(132), '0');
SELECT client_name FROM mogo_rotate_secret(pg_temp.id(144), '0');
SELECT client_name FROM mogo_rotate_secret(pg_temp.id(150), '1 microsecond');
SELECT client_name FROM mogo_add_secret(pg_temp.id(150));
SELECT k.n, mogo_verify(pg_temp.id(k.n), k.secret) AS verify,
	mogo_verify_status(pg_temp.id(k.n), k.secret) AS status,
	mogo_verify_status(pg_temp.id(k.n), k.secret || 'x') AS never_was, s.algorithm
FROM kept AS k JOIN mogo_secrets AS s ON s.client_id = pg_temp.id(k.n) AND s.status <> 'active'
WHERE n IN (132, 144, 150) ORDER BY 1;

-- what is not what the algorithm says is refused, and not guessed at
SELECT concat(c.algorithm, ' ', c.what, E'\n  ', replace(pg_temp.try(format(
	'mogo_import_client(%L, %L, %L, %L)',
	'regress_import bad', pg_temp.id(99), c.algorithm, c.secret)), E'\n', E'\n  ')) AS refused
FROM (VALUES
(1, 'sha256', 'empty', ''),
(2, 'sha256', '63 digits', repeat('0', 63)),
(3, 'sha256', '65 digits', repeat('0', 65)),
(4, 'sha256', 'no hex', repeat('0', 63) || 'g'),
(5, 'sha256', 'a prefix', '0x' || repeat('0', 62)),
(6, 'sha256', 'a space', repeat('0', 63) || ' '),
(7, 'sha256', '42 digits', repeat('A', 42)),
(8, 'sha256', '44 digits', repeat('A', 44)),
(9, 'sha256', 'two paddings', repeat('A', 42) || '=='),
(10, 'sha256', 'unused bits set', repeat('A', 42) || 'B='),
(11, 'sha256', 'both alphabets', '+_' || repeat('A', 41)),
(12, 'sha256', 'a line feed', repeat('A', 43) || E'\n'),
(13, 'sha256', 'SHA-512', repeat('0', 128)),
(14, 'sha256', 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(15, 'sha256', 'our own form', 'sha256$' || repeat('0', 32) || '$' || repeat('0', 64)),
(16, 'sha256', 'LDAP''s form', '{SHA256}EBH6kSAC3St2Y4pfuYLbfFg1CPSeFzRgfzWYkCqwUOM='),
(17, 'sha256', 'of nothing', encode(sha256(''), 'hex')),
(21, 'bcrypt', 'empty', ''),
(22, 'bcrypt', '59 characters',
	left('$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.', -1)),
(23, 'bcrypt', '61 characters', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo..'),
(24, 'bcrypt', '$2x$', '$2x$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(25, 'bcrypt', '$2$', '$2$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo..'),
(26, 'bcrypt', '$3a$', '$3a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(27, 'bcrypt', 'cost 3', '$2b$03$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(28, 'bcrypt', 'cost 13', '$2b$13$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(29, 'bcrypt', 'cost 1a', '$2b$1a$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(30, 'bcrypt', 'cost 99', '$2b$99$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(31, 'bcrypt', 'a plus', '$2b$05$abcdefghijklmnopqrstuu+3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(32, 'bcrypt', 'an umlaut', '$2b$05$abcdefghijklmnopqrstuuü3mHdCr44zlIZ.VZCaYRpfQhXMYnE'),
(33, 'bcrypt', 'a plain secret', 'correct horse battery staple'),
(34, 'bcrypt', 'SHA-256', repeat('0', 64)),
(35, 'bcrypt', 'with a new line', E'$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo\n'),
(41, 'plain', 'empty', ''),
(42, 'plain', '15 characters', 'fifteen letters'),
(43, 'plain', '15 characters of 30 bytes', repeat('ü', 15)),
(44, 'plain', '73 bytes', repeat('x', 73)),
(45, 'plain', '37 characters of 74 bytes', repeat('ü', 37)),
(46, 'plain', 'a megabyte', repeat('x', 1048576)),
-- what no client presents
(61, 'plain', 'a space before', ' sixteen letters!'),
(62, 'plain', 'a space behind', 'sixteen letters! '),
(63, 'plain', 'a new line behind', E'sixteen letters!\n'),
(64, 'plain', 'a tab inside', E'sixteen\tletters!'),
(65, 'plain', 'DEL', 'sixteen letters!' || chr(127)),
(66, 'plain', 'a C1 character', 'sixteen' || chr(133) || 'letters!'),
(67, 'plain', 'a no-break space behind', 'sixteen letters!' || chr(160)),
(68, 'plain', 'an ideographic space before', chr(12288) || 'sixteen letters!'),
(69, 'plain', 'a byte order mark', chr(65279) || 'sixteen letters!'),
-- the stored forms of other systems
(71, 'plain', 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(72, 'plain', 'Spring''s bcrypt',
	'{bcrypt}$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(73, 'plain', 'Django''s bcrypt',
	'bcrypt$$2b$04$N9qo8uLOickgx2ZMRZoMyeDjb.keiplQ41Pg4vPx6sU162t6TijOO'),
(74, 'plain', 'bcrypt of SHA-256', 'bcrypt_sha256$$2b$04$N9qo8uLOickgx2ZMRZoMyeDjb'),
(75, 'plain', 'bcrypt that is cut', '$2b$05$abcdefghijklmnopq'),
(76, 'plain', 'Argon2', '$argon2id$v=19$m=65536,t=2,p=4$aI2R0hpDyLm3ltLa+1/rvQ$LqPKjd6n8yniKtAi'),
(77, 'plain', 'Django''s Argon2', 'argon2$argon2id$v=19$m=102400,t=2,p=8$T2xkIHNhbHQ$LqPKjd6n8yni'),
(78, 'plain', 'PHC PBKDF2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(79, 'plain', 'Django''s PBKDF2',
	'pbkdf2_sha256$1000$saltOfDjango$PgzTVNEV9kUhz3bsYekHK50JZoWp3vE5uvrlII9natI='),
(80, 'plain', 'Werkzeug', 'pbkdf2:sha256:260000$salt$0123456789abcdef0123456789abcdef'),
(81, 'plain', 'scrypt', 'scrypt:32768:8:1$salt$0123456789abcdef0123456789abcdef'),
(82, 'plain', 'SHA-512 crypt', '$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnA'),
(83, 'plain', 'crypt with parameters', '$md5,rounds=5000$salt$0123456789abcdef'),
(84, 'plain', 'Django''s MD5', 'md5$salt$0123456789abcdef0123456789abcdef'),
(85, 'plain', 'Spring''s plain', '{noop}a secret in clear'),
(86, 'plain', 'LDAP', '{SSHA256}EBH6kSAC3St2Y4pfuYLbfFg1CPSeFzRgfzWYkCqwUOM='),
(87, 'plain', 'Spring''s own', '{pbkdf2@SpringSecurity_v5_8}dc5f2d2d0b0dbd8a'),
(88, 'plain', 'upper case', 'SHA256$salt$0123456789abcdef0123456789abcdef'),
(89, 'plain', 'our own', 'sha512$' || repeat('0', 32) || '$' || repeat('0', 64)),
(91, 'sha512', 'SHA-256', repeat('0', 64)),
(92, 'sha512', '127 digits', repeat('0', 127)),
(93, 'sha512', '86 digits, unused bits', repeat('A', 85) || 'B'),
(94, 'sha512', 'one padding', repeat('A', 86) || '='),
(95, 'sha512', 'of nothing', encode(sha512(''), 'hex')),
(101, 'pbkdf2', 'empty', ''),
(102, 'pbkdf2', 'SHA-1', '$pbkdf2-sha1$i=1,l=20$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(103, 'pbkdf2', 'SHA-384', '$pbkdf2-sha384$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(104, 'pbkdf2', 'LDAP', '{PBKDF2-SHA256}1000$c2FsdCBvZiBwYXNzbGliIQ$ucLfl3ocjk/wMfhW2jog3lYBXUm3J'),
(105, 'pbkdf2', 'no iterations', '$pbkdf2-sha256$i=0,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(106, 'pbkdf2', 'no number', '$pbkdf2-sha256$i=,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(107, 'pbkdf2', 'a leading zero', '$pbkdf2-sha256$i=01,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(108, 'pbkdf2', '2,000,001', '$pbkdf2-sha256$i=2000001,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(109, 'pbkdf2', '2^32 + 1', '$pbkdf2-sha256$i=4294967297,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(110, 'pbkdf2', 'another length', '$pbkdf2-sha256$i=1,l=32$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(111, 'pbkdf2', 'no length', '$pbkdf2-sha256$i=1,l=$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(127, 'pbkdf2', 'another separator', '$pbkdf2-sha256$i=1;l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(112, 'pbkdf2', 'no salt', '$pbkdf2-sha256$i=1,l=16$$3EtLnvtDOUaLWrQGfG0wxw'),
(113, 'pbkdf2', 'bad salt', '$pbkdf2-sha256$i=1,l=16$+++.$3EtLnvtDOUaLWrQGfG0wxw'),
(114, 'pbkdf2', '65 bytes of salt',
	'$pbkdf2-sha256$i=1,l=16$' || repeat('A', 87) || '$3EtLnvtDOUaLWrQGfG0wxw'),
(115, 'pbkdf2', '67 bytes of salt',
	'$pbkdf2-sha256$i=1,l=16$' || repeat('A', 90) || '$3EtLnvtDOUaLWrQGfG0wxw'),
(116, 'pbkdf2', '65 bytes of Django''s salt', 'pbkdf2_sha256$1000$' || repeat('x', 65)
	|| '$PgzTVNEV9kUhz3bsYekHK50JZoWp3vE5uvrlII9natI='),
(117, 'pbkdf2', 'no hash', '$pbkdf2-sha256$i=1$++++/w'),
(118, 'pbkdf2', '15 bytes of hash', '$pbkdf2-sha256$i=1$++++/w$' || repeat('A', 20)),
(119, 'pbkdf2', '65 bytes of hash', '$pbkdf2-sha256$i=1$++++/w$' || repeat('A', 87)),
(120, 'pbkdf2', '67 bytes of hash', '$pbkdf2-sha256$i=1$++++/w$' || repeat('A', 90)),
(121, 'pbkdf2', 'a fourth part', '$pbkdf2-sha256$i=1$++++/w$3EtLnvtDOUaLWrQGfG0wxw$'),
(122, 'pbkdf2', 'with a new line', E'$pbkdf2-sha256$i=1$++++/w$3EtLnvtDOUaLWrQGfG0wxw\n'),
(123, 'pbkdf2', 'Django''s in PHC form', 'pbkdf2_sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw'),
(124, 'pbkdf2', 'a megabyte', '$pbkdf2-sha256$i=1$' || repeat('A', 1048576)),
(125, 'bcrypt', 'both prefixes',
	'{bcrypt}bcrypt$$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(126, 'bcrypt', 'another prefix',
	'{noop}$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.'),
(51, 'SHA256', 'the name''s case', repeat('0', 64)),
(52, 'sha-256', 'another spelling', repeat('0', 64)),
(53, '', 'no name', repeat('0', 64)),
(54, 'md5', 'another algorithm', repeat('0', 32)),
(55, 'sha256 ', 'a space', repeat('0', 64))
) AS c (n, algorithm, what, secret) ORDER BY c.n
\g (format=unaligned tuples_only=on)
SELECT count(*) FROM mogo_clients WHERE client_id = pg_temp.id(99);
SELECT count(*) FROM mogo_audit WHERE client_id = pg_temp.id(99);

-- bcrypt of nothing, which is no secret either (by libxcrypt)
SELECT mogo_import_client('regress_import nothing', pg_temp.id(53), 'bcrypt',
	'$2b$04$N9qo8uLOickgx2ZMRZoMyexhJu7XyhFyrko6QMKtD6uvGcfCxpYoK') IS NOT NULL AS imported;
SELECT mogo_verify(pg_temp.id(53), '') AS verify, mogo_verify_status(pg_temp.id(53), '') AS status;
SELECT crypt('', '$2a$04$N9qo8uLOickgx2ZMRZoMyexhJu7XyhFyrko6QMKtD6uvGcfCxpYoK')
	= '$2a$04$N9qo8uLOickgx2ZMRZoMyexhJu7XyhFyrko6QMKtD6uvGcfCxpYoK' AS it_is_that;
-- bounds of a secret: 1,024 bytes are checked, one more is false; bcrypt reads 72, as it
-- did where the hash comes from
SELECT mogo_import_client('regress_import 1024', pg_temp.id(51), 'sha256', encode(sha256(convert_to(
	repeat('ü', 512), 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_import_client('regress_import 1025', pg_temp.id(52), 'sha256', encode(sha256(convert_to(
	repeat('ü', 512) || 'x', 'UTF8')), 'hex')) IS NOT NULL AS imported;
SELECT mogo_verify(pg_temp.id(51), repeat('ü', 512)) AS with_1024,
	mogo_verify(pg_temp.id(52), repeat('ü', 512) || 'x') AS with_1025;
SELECT mogo_verify(pg_temp.id(23), repeat('ü', 36)) AS with_72,
	mogo_verify(pg_temp.id(23), repeat('ü', 36) || 'x') AS with_73;

-- the most iterations; a query that is cancelled meanwhile does not go on to its end
SELECT mogo_import_client('regress_import slow', pg_temp.id(54), 'pbkdf2',
	'$pbkdf2-sha256$i=2000000,l=32$c2xvdyBzYWx0$aY155DZLpen1kRGkKPH0wDxuLXTAOwAB5xVYGc+dvjk')
	IS NOT NULL AS imported;
SELECT mogo_verify(pg_temp.id(54), repeat('x', 24)) AS secret;
CREATE SEQUENCE regress_reached;
SET statement_timeout = '10ms';
SELECT mogo_verify(pg_temp.id(54), repeat('x', 24)), nextval('regress_reached');
RESET statement_timeout;
SELECT is_called FROM regress_reached;
DROP SEQUENCE regress_reached;

-- pgcrypto in another schema, and one that is in nobody's search_path
CREATE SCHEMA regress_crypto;
ALTER EXTENSION pgcrypto SET SCHEMA regress_crypto;
SELECT mogo_import_client('regress_import elsewhere', pg_temp.id(61), 'plain',
	'pgcrypto is elsewhere') IS NOT NULL AS imported;
SELECT mogo_verify(pg_temp.id(61), 'pgcrypto is elsewhere') AS secret,
	mogo_verify(pg_temp.id(12), 'correct horse battery') AS older;
-- somebody else's crypt is not asked
CREATE FUNCTION public.crypt(text, text) RETURNS text LANGUAGE sql AS 'SELECT $2';
CREATE FUNCTION public.gen_salt(text, int) RETURNS text
	LANGUAGE sql AS $$ SELECT '$2a$04$' || repeat('a', 22) $$;
SELECT mogo_verify(pg_temp.id(12), 'anything') AS wrong,
	mogo_verify(pg_temp.id(12), 'correct horse battery') AS secret;
DROP FUNCTION public.crypt(text, text), public.gen_salt(text, int);
ALTER EXTENSION pgcrypto SET SCHEMA public;
DROP SCHEMA regress_crypto;
-- a role that may not call pgcrypto's functions
CREATE ROLE regress_verifier;
SELECT mogo_grant_verifier('regress_verifier');
REVOKE EXECUTE ON FUNCTION crypt(text, text) FROM PUBLIC;
SET ROLE regress_verifier;
SELECT mogo_verify(pg_temp.id(12), 'correct horse battery') AS secret;
RESET ROLE;
GRANT EXECUTE ON FUNCTION crypt(text, text) TO PUBLIC;
SELECT mogo_revoke_access('regress_verifier');
DROP ROLE regress_verifier;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_import';
DROP TABLE kept;
