-- The attack: the tables (and the schema) belong to a role that is no superuser, and
-- it wants to run something in, or to read the memory of, the servers of everybody who
-- calls mogocred; or to bring the server down. What C reads and writes goes by the
-- columns' numbers and types, so it alters them and the type of what is issued, puts
-- another table or a view in a table's place, swallows the rows that a function waits
-- for, and has the schema renamed while a statement of ours runs. It gets errors, and
-- the server stays up.
\set VERBOSITY terse
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_shape TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE ROLE regress_mogo_owner;
\c regress_mogo_shape
\set VERBOSITY terse
GRANT CREATE ON DATABASE regress_mogo_shape TO regress_mogo_owner;
CREATE SCHEMA mogo AUTHORIZATION regress_mogo_owner;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION mogocred SCHEMA mogo;
ALTER TABLE mogo.mogo_client OWNER TO regress_mogo_owner;
ALTER TABLE mogo.mogo_secret OWNER TO regress_mogo_owner;
ALTER TABLE mogo.mogo_audit_log OWNER TO regress_mogo_owner;
GRANT EXECUTE ON FUNCTION mogo.mogo_disable_client(uuid) TO regress_mogo_owner;
GRANT USAGE ON TYPE mogo.mogo_live_secret TO regress_mogo_owner;
SELECT client_id, client_secret, secret_id FROM mogo.mogo_add_client('victim') \gset
SELECT client_id AS other_id FROM mogo.mogo_add_client('other') \gset
SELECT mogo.mogo_verify(:'client_id', :'client_secret') AS works_for_such_an_owner;

-- A trigger swallows the row whose columns a rotation waits for.
BEGIN;
SET ROLE regress_mogo_owner;
CREATE FUNCTION mogo.swallow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN new.live IS NOT DISTINCT FROM old.live THEN new END;
END $$;
CREATE TRIGGER swallow BEFORE UPDATE ON mogo.mogo_client FOR EACH ROW
	EXECUTE FUNCTION mogo.swallow();
RESET ROLE;
SELECT client_name FROM mogo.mogo_rotate_secret(:'client_id', '0');
ROLLBACK;

-- It swallows the new secret only, or has the client gone behind the statement that
-- took hold of it: no secret is given out that works nowhere, nothing is put on record.
BEGIN;
SET ROLE regress_mogo_owner;
CREATE FUNCTION mogo.swallow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN pg_catalog.cardinality(new.live) <= pg_catalog.cardinality(old.live)
	THEN new END;
END $$;
CREATE TRIGGER swallow BEFORE UPDATE ON mogo.mogo_client FOR EACH ROW
	EXECUTE FUNCTION mogo.swallow();
RESET ROLE;
SELECT client_name FROM mogo.mogo_add_secret(:'client_id');
ROLLBACK;
BEGIN;
SET ROLE regress_mogo_owner;
CREATE FUNCTION mogo.gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM mogo.mogo_client AS c WHERE c.client_id OPERATOR(pg_catalog.=) new.client_id;
	RETURN NULL;
END $$;
CREATE TRIGGER gone AFTER UPDATE ON mogo.mogo_client FOR EACH ROW EXECUTE FUNCTION mogo.gone();
RESET ROLE;
SELECT mogo.mogo_update_client(:'client_id', 'renamed');
ROLLBACK;

-- Numbers where pointers were.
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_client ALTER COLUMN salt TYPE bigint USING 4711;
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK;
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_client RENAME TO another;
CREATE TABLE mogo.mogo_client (
	client_id uuid PRIMARY KEY, enabled boolean, salt bigint, live bigint, allowed_cidrs bigint,
	client_name bigint,
	scopes int, metadata int, created_at int, created_by int, external_id int);
INSERT INTO mogo.mogo_client VALUES (:'client_id', true, 4711, 4712, 4713, 4714);
RESET ROLE;
SAVEPOINT s;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
-- what was not allowed once is not allowed the next time
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
SELECT mogo.mogo_disable_client(:'client_id');
ROLLBACK TO s;
SELECT client_name FROM mogo.mogo_add_client('new');
ROLLBACK;
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_audit_log RENAME TO another;
CREATE TABLE mogo.mogo_audit_log (
	at text, actor text, acting_as text, action text, client_id text, client_name text,
	secret_id text, client_addr text, application_name text, detail text);
RESET ROLE;
SELECT mogo.mogo_disable_client(:'client_id');
ROLLBACK;
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_secret RENAME TO another;
CREATE TABLE mogo.mogo_secret (
	secret_id uuid, client_id uuid, created_at int, created_by int, expires_at int, revoked_at int,
	hash int);
RESET ROLE;
SELECT mogo.mogo_verify_status(:'client_id', 'another secret');
ROLLBACK;

-- The same with the type of what is issued.
ALTER TYPE mogo.mogo_credentials OWNER TO regress_mogo_owner;
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TYPE mogo.mogo_credentials ALTER ATTRIBUTE client_secret TYPE bigint;
RESET ROLE;
SAVEPOINT s;
SELECT mogo.mogo_credentials_json(
	ROW('victim', :'client_id', 4711, :'client_id', now(), now(), NULL)::mogo.mogo_credentials);
ROLLBACK TO s;
SELECT mogo.mogo_registration_json(
	ROW('victim', :'client_id', 4711, :'client_id', now(), now(), NULL)::mogo.mogo_credentials);
ROLLBACK TO s;
-- nor is a pointer shown as a number
SELECT client_secret FROM mogo.mogo_add_client('new');
ROLLBACK TO s;
SELECT client_secret FROM mogo.mogo_rotate_secret(:'client_id', '0');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
ALTER TYPE mogo.mogo_credentials DROP ATTRIBUTE client_secret;
RESET ROLE;
SELECT client_id FROM mogo.mogo_add_client('new');
ROLLBACK;

-- NULL where nothing was NULL.
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_client ALTER COLUMN salt DROP NOT NULL, ALTER COLUMN metadata DROP NOT NULL,
	ALTER COLUMN allowed_cidrs DROP NOT NULL;
UPDATE mogo.mogo_client SET metadata = NULL;
RESET ROLE;
SELECT client_name, metadata FROM mogo.mogo_authenticate(:'client_id', :'client_secret');
SAVEPOINT s;
SET ROLE regress_mogo_owner;
UPDATE mogo.mogo_client SET allowed_cidrs = NULL;
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
SET ROLE regress_mogo_owner;
UPDATE mogo.mogo_client SET salt = NULL;
RESET ROLE;
SAVEPOINT s;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
SELECT client_name FROM mogo.mogo_find_secret(:'client_secret');
ROLLBACK TO s;
SELECT mogo.mogo_disable_client(:'client_id');
ROLLBACK;

-- Live secrets that C would read past: their array is taken apart by hand. One more than
-- there is room for, NULL in the array, NULL in a secret, a salt that is too short.
BEGIN;
SET ROLE regress_mogo_owner;
SAVEPOINT s;
UPDATE mogo.mogo_client SET live = ARRAY(SELECT live[1] FROM generate_series(1, 20))
	WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret') AS twenty;
ROLLBACK TO s;
UPDATE mogo.mogo_client SET live = ARRAY(SELECT live[1] FROM generate_series(1, 21))
	WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
UPDATE mogo.mogo_client SET live = pg_catalog.array_append(live, NULL)
	WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
UPDATE mogo.mogo_client SET live = ARRAY[ROW(:'secret_id', NULL, true, (
	live[1]).hash)::mogo.mogo_live_secret] WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
UPDATE mogo.mogo_client SET salt = '\x00' WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK TO s;
UPDATE mogo.mogo_client SET salt = '\x00' WHERE client_id = :'client_id';
RESET ROLE;
SELECT client_name FROM mogo.mogo_add_secret(:'client_id');
ROLLBACK;

-- Another type by the name of the one that the array is of.
BEGIN;
ALTER TYPE mogo.mogo_live_secret OWNER TO regress_mogo_owner;
SET ROLE regress_mogo_owner;
ALTER TYPE mogo.mogo_live_secret RENAME TO another;
CREATE TYPE mogo.mogo_live_secret AS (secret_id int, expires_at int, hash int);
RESET ROLE;
SELECT client_name FROM mogo.mogo_add_client('new');
ROLLBACK;

-- The type itself, for the functions that the views call, which would read on behind a
-- shorter one.
BEGIN;
ALTER EXTENSION mogocred DROP VIEW mogo.mogo_clients;
ALTER EXTENSION mogocred DROP VIEW mogo.mogo_secrets;
SET LOCAL client_min_messages = warning;
ALTER TABLE mogo.mogo_client DROP COLUMN live CASCADE;
ALTER TYPE mogo.mogo_live_secret OWNER TO regress_mogo_owner;
SET ROLE regress_mogo_owner;
ALTER TYPE mogo.mogo_live_secret ALTER ATTRIBUTE secret_id TYPE "char",
	ALTER ATTRIBUTE expires_at TYPE "char", ALTER ATTRIBUTE hash TYPE "char";
RESET ROLE;
SAVEPOINT a;
SELECT mogo.mogo_next_expiry(ARRAY[ROW('a', 'b', true, 'c')::mogo.mogo_live_secret]);
ROLLBACK TO a;
SELECT mogo.mogo_live_count(ARRAY[ROW('a', 'b', true, 'c')::mogo.mogo_live_secret]);
ROLLBACK;

-- A hash that is as long as bcrypt's and is none: pgcrypto, which knows older kinds of
-- hashes by their beginnings, must not have its way with a secret of one of these.
BEGIN;
SET ROLE regress_mogo_owner;
UPDATE mogo.mogo_client
SET live = ARRAY[ROW(:'secret_id', 'infinity', false, pg_catalog.rpad('xy', 60,
	'.'))::mogo.mogo_live_secret]
WHERE client_id = :'client_id';
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret') AS other_kind_of_hash;
ROLLBACK;

-- Three bcrypt hashes, where our functions make one at the most: the second live one
-- counts too, and so does an ended one beside them.
BEGIN;
SET ROLE regress_mogo_owner;
UPDATE mogo.mogo_client SET live = ARRAY(
	SELECT ROW(:'secret_id', 'infinity', false, public.crypt(chosen, public.gen_salt('bf',
		4)))::mogo.mogo_live_secret
	FROM (VALUES ('the first that was chosen'), ('the second that was chosen')) AS v (chosen))
WHERE client_id = :'client_id';
INSERT INTO mogo.mogo_secret (secret_id, client_id, created_at, created_by, expires_at, hash)
VALUES ('99999999-9999-4999-8999-999999999999', :'client_id', now(), '', now(),
	public.crypt('the third that was chosen', public.gen_salt('bf', 4)));
RESET ROLE;
SELECT chosen, mogo.mogo_verify(:'client_id', chosen), mogo.mogo_verify_status(:'client_id', chosen)
FROM (VALUES ('the first that was chosen'), ('the second that was chosen'),
	('the third that was chosen'), ('another')) AS v (chosen);
ROLLBACK;

-- A table that is gone stops what needs it, and nothing else.
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_secret RENAME TO another;
RESET ROLE;
SELECT mogo.mogo_disable_client(:'client_id');
SELECT mogo.mogo_remove_client(:'client_id');
ROLLBACK;

-- A view in a table's place.
BEGIN;
SET ROLE regress_mogo_owner;
ALTER TABLE mogo.mogo_client RENAME TO another;
CREATE VIEW mogo.mogo_client AS SELECT * FROM mogo.another;
RESET ROLE;
SELECT mogo.mogo_verify(:'client_id', :'client_secret');
ROLLBACK;

-- A hash that is too short, and another table's index by the name of ours.
BEGIN;
SET ROLE regress_mogo_owner;
INSERT INTO mogo.mogo_secret (secret_id, client_id, created_at, created_by, hash)
	VALUES ('99999999-9999-4999-8999-999999999999', :'client_id', now(), '', '$2');
RESET ROLE;
SELECT mogo.mogo_verify_status(:'client_id', 'another secret');
ROLLBACK;
BEGIN;
SET ROLE regress_mogo_owner;
DROP INDEX mogo.mogo_secret_client_id_hash_idx;
CREATE TABLE mogo.another (a int, client_id uuid, c int, d int, e int, f int,
	hash text COLLATE "C");
CREATE INDEX mogo_secret_client_id_hash_idx ON mogo.another (client_id, hash);
INSERT INTO mogo.another (client_id, hash) SELECT :'client_id', '$2' FROM generate_series(1, 500);
RESET ROLE;
SELECT mogo.mogo_verify_status(:'client_id', 'another secret');
ROLLBACK;

-- The schema is renamed by a trigger on the statement that runs, which then runs again
-- under the new name: the plan of the first one must not be gone when it returns.
CREATE TABLE public.other AS SELECT :'other_id'::uuid AS client_id;
GRANT SELECT ON public.other TO regress_mogo_owner;
SET ROLE regress_mogo_owner;
CREATE FUNCTION mogo.rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_catalog.pg_trigger_depth() = 1 THEN
		ALTER SCHEMA mogo RENAME TO mogo2;
		PERFORM mogo2.mogo_disable_client(client_id) FROM public.other;
		ALTER SCHEMA mogo2 RENAME TO mogo;
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER rename BEFORE UPDATE ON mogo.mogo_client FOR EACH ROW EXECUTE FUNCTION mogo.rename();
RESET ROLE;
SELECT mogo.mogo_disable_client(:'client_id');
SELECT client_name, enabled FROM mogo.mogo_clients ORDER BY 1;

\c :this_database
\set VERBOSITY terse
DROP DATABASE regress_mogo_shape;
DROP ROLE regress_mogo_owner;
