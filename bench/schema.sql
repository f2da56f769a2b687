-- What the benchmark needs beside the extension: ids and secrets that follow from a
-- number, and what mogo_verify is measured against. The ids rise with the number, so
-- that every index fills in order, and are spread over the whole key space by the
-- time there are ten million.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION mogocred;
CREATE EXTENSION pg_prewarm;
CREATE SCHEMA bench;

CREATE FUNCTION bench.id(n int) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex(n::bigint * 400), 8, '0') || substr(md5('id' || n), 9))::uuid;
CREATE FUNCTION bench.secret(n int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN md5('secret' || n)::uuid::text;

CREATE FUNCTION bench.external_id(n int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN 'client-' || lpad(n::text, 8, '0');

-- The bare SELECT reads the same rows as mogo_verify, from a table of its own.
CREATE TABLE bench.bare (LIKE mogo_client, PRIMARY KEY (client_id), UNIQUE (external_id));

-- What people write themselves. The function is VOLATILE, as PostgreSQL makes it and as
-- mogo_verify is: a STABLE one would not see what was revoked since its statement began.
-- One bcrypt hash stands in every row: that it does not fit costs the same, and a million
-- of them would take an hour to make.
CREATE TABLE bench.own (client_id uuid PRIMARY KEY, digest bytea NOT NULL, salt bytea NOT NULL,
	hash bytea NOT NULL, bcrypt text NOT NULL);
CREATE FUNCTION bench.verify_digest(id uuid, secret text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	stored bytea;
BEGIN
	SELECT digest INTO stored FROM bench.own WHERE client_id = id;
	RETURN FOUND AND stored = digest(secret, 'sha256');
END
$$;
-- and with the two hashes that we make
CREATE FUNCTION bench.verify_salted(id uuid, secret text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	own record;
BEGIN
	SELECT salt, hash INTO own FROM bench.own WHERE client_id = id;
	RETURN FOUND AND own.hash = digest(own.salt || digest(secret, 'sha256'), 'sha256');
END
$$;
