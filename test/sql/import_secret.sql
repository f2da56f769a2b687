-- mogo_import_secret, labels and ids of imports, and the bounds of plain secrets.
\pset null '(null)'
\set VERBOSITY terse
SELECT mogo_import_client('regress_two', 'orders', 'sha256',
	encode(sha256('the first secret'), 'hex'), label => 'until May') AS one \gset
SELECT client_id AS id FROM mogo_clients WHERE external_id = 'orders' \gset
SELECT mogo_import_secret(:'id', 'bcrypt',
	'$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.',
	'2999-12-31 00:00+00', true, 'from June') AS two \gset
SELECT mogo_import_secret(:'id', 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw')
	AS three \gset
SELECT secret, mogo_verify('orders', secret) AS verify, mogo_verify_status(:'id', secret) AS status
FROM (VALUES ('the first secret'), ('correct horse battery'), ('imported secret 37'), ('wrong'))
	AS s (secret);
SELECT secret_id = :'one' AS one, secret_id = :'two' AS two, secret_id = :'three' AS three, status,
	algorithm, expires_at AT TIME ZONE 'UTC' AS expires_at, label
FROM mogo_secrets WHERE client_id = :'id' ORDER BY created_at;
SELECT secret_id = :'two' AS two, expires_at AT TIME ZONE 'UTC' AS expires_at, needs_rehash
FROM mogo_authenticate('orders', 'correct horse battery');
SELECT action, detail->>'algorithm' AS algorithm, secret_id = :'three' AS three FROM mogo_audit
WHERE client_id = :'id' ORDER BY at;

-- at most two slow hashes can be live
SELECT mogo_import_secret(:'id', 'bcrypt',
	'$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_secret(:'id', 'plain', 'sixteen letters!');
-- and any number of fast ones, up to the setting
SELECT mogo_import_secret(:'id', 'sha512', encode(sha512('a fourth secret'), 'hex')) IS NOT NULL
	AS ok;
SELECT mogo_import_secret(:'id', 'plain', 'a generated fifth secret', generated => true) IS NOT NULL
	AS ok;
SELECT mogo_import_secret(:'id', 'sha512', encode(sha512('a sixth secret'), 'hex'));
SELECT mogo_verify('orders', 'a fourth secret') AS fourth,
	mogo_verify('orders', 'a generated fifth secret') AS fifth,
	mogo_verify('orders', 'a sixth secret') AS sixth;
-- once one has ended there is room; the ended ones stay known, the two that ended last
SELECT mogo_revoke_secret(:'two');
SELECT mogo_import_secret(:'id', 'bcrypt',
	'$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')
	AS four \gset
SELECT mogo_revoke_secret(:'three');
SELECT mogo_import_secret(:'id', 'bcrypt',
	'$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK')
	AS five \gset
SELECT mogo_verify_status('orders', 'correct horse battery') AS two,
	mogo_verify_status('orders', 'imported secret 37') AS three,
	mogo_verify_status('orders', 'U*U') AS four, mogo_verify_status('orders', 'U*U*') AS five;
SELECT mogo_revoke_secret(:'five');
SELECT mogo_revoke_secret(:'four');
SELECT mogo_verify_status('orders', 'correct horse battery') AS two,
	mogo_verify_status('orders', 'imported secret 37') AS three,
	mogo_verify_status('orders', 'U*U') AS four, mogo_verify_status('orders', 'U*U*') AS five;

SELECT mogo_import_secret(:'id', 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw')
	AS six \gset
SELECT mogo_revoke_secret(:'six');
SELECT mogo_verify_status('orders', 'imported secret 37') AS six,
	mogo_verify_status('orders', 'U*U') AS four, mogo_verify_status('orders', 'U*U*') AS five;

-- errors
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN concat(SQLSTATE, ': ', regexp_replace(SQLERRM, '[0-9a-f-]{36}', 'ID'));
END $$;
SELECT call, pg_temp.try(replace(call, 'ID', format('%L::uuid', :'id'))) FROM (VALUES
('mogo_import_secret(NULL, ''sha256'', repeat(''0'', 64))'),
('mogo_import_secret(ID, NULL, repeat(''0'', 64))'),
('mogo_import_secret(ID, ''sha256'', NULL)'),
('mogo_import_secret(ID, ''sha256'', repeat(''0'', 64), generated => NULL)'),
('mogo_import_secret(ID, ''sha256'', repeat(''0'', 63))'),
('mogo_import_secret(ID, ''md5'', repeat(''0'', 64))'),
('mogo_import_secret(ID, ''sha256'', repeat(''0'', 64), ''2000-01-01'')'),
('mogo_import_secret(ID, ''sha256'', repeat(''0'', 64), label => '''')'),
('mogo_import_secret(gen_random_uuid(), ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ''orders'', ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', '''', ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', repeat(''x'', 256), ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ''ü'', ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ID, ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ID::text, ''sha256'', repeat(''0'', 64))'),
('mogo_import_client(''x'', ''y'', ''sha256'', repeat(''0'', 64), generated => NULL)'),
('mogo_import_client(''x'', ''y'', ''sha256'', repeat(''0'', 64), label => '' y'')')
) AS calls (call);
-- an id that is a UUID becomes the client id in either form and in any spelling
SELECT mogo_import_client('regress_two uuid', '{C2000000-0000-4000-8000-000000000001}', 'sha256',
	encode(sha256('x'), 'hex')) IS NOT NULL AS as_text,
	mogo_import_client('regress_two uuid 2', 'c2000000-0000-4000-8000-000000000002'::uuid, 'sha256',
	encode(sha256('x'), 'hex')) IS NOT NULL AS as_uuid;
SELECT client_name, external_id FROM mogo_clients
WHERE client_id::text ^@ 'c2000000-0000-4000-8000-00000000000' ORDER BY 1;

-- plain secrets that a program made: 22 characters to 1,024 bytes, with the native hash
SELECT what, pg_temp.try(format('mogo_import_client(%L, %L, ''plain'', %L, generated => true)',
	'regress_plain ' || what, 'plain ' || what, secret)) AS result,
	mogo_verify('plain ' || what, secret) AS verify
FROM (VALUES ('21', repeat('x', 21)), ('21 of 42 bytes', repeat('ü', 21)), ('22', repeat('x', 22)),
	('1024', repeat('ü', 512)), ('1025', repeat('ü', 512) || 'x'),
	('padded', repeat('x', 30) || ' '),
	('stored', '$argon2id$v=19$m=65536,t=2,p=4$aI2R0hpDyLm3ltLa'),
	('megabyte', repeat('x', 1000000)))
	AS s (what, secret);
SELECT client_name, s.algorithm FROM mogo_secrets AS s WHERE client_name ^@ 'regress_plain'
	ORDER BY 1;

-- one bad row of many is named, and nothing came in
SELECT count(*) AS clients FROM mogo_clients \gset
\set VERBOSITY default
SELECT count(mogo_import_client('regress_bulk ' || n, 'bulk-' || n, 'sha256',
	CASE WHEN n = 777 THEN 'oops' ELSE encode(sha256(n::text::bytea), 'hex') END))
FROM generate_series(1, 1000) AS n;
\set VERBOSITY terse
SELECT count(*) = :clients AS none_came_in FROM mogo_clients;
SELECT count(mogo_import_client('regress_bulk ' || n, 'bulk-' || n, 'sha256',
	encode(sha256(n::text::bytea), 'hex'))) FROM generate_series(1, 1000) AS n;
SELECT count(*) FROM generate_series(1, 1000) AS n WHERE mogo_verify('bulk-' || n, n::text);

-- what is stored and cannot be: no secret is right, or an error that names nothing of it
UPDATE mogo_client SET live[1].hash = 'oops' WHERE external_id = 'bulk-1';
SELECT mogo_verify('bulk-1', '1'), mogo_verify('bulk-1', 'oops');
UPDATE mogo_secret SET hash = 'oops' || repeat('x', 300), revoked_at = now()
WHERE client_id = (SELECT client_id FROM mogo_client WHERE external_id = 'bulk-2');
SELECT mogo_verify_status('bulk-2', 'x');
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_';
