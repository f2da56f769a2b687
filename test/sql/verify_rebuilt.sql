-- Checks go on while what they read is rebuilt, rewritten, moved or made again, in a
-- session whose caches are warm.
\set VERBOSITY terse

SELECT client_id, client_secret FROM mogo_add_client('regress rebuilt') \gset
SELECT client_id AS past_id, client_secret AS past_secret FROM mogo_add_client('regress past') \gset
SELECT client_secret AS past_new FROM mogo_rotate_secret(:'past_id', '0') \gset
PREPARE all_of_it AS SELECT mogo_verify(:'client_id', :'client_secret') AS live,
	mogo_verify(:'client_id', 'wrong') AS wrong,
	mogo_verify_status(:'past_id', :'past_secret') AS ended,
	mogo_verify_status(:'past_id', :'past_new') AS new,
	(SELECT client_name FROM mogo_authenticate(:'client_id', :'client_secret')) AS name;
EXECUTE all_of_it;
SELECT 'mogo_client_pkey'::regclass::oid AS old_index,
	pg_relation_filenode('mogo_client') AS old_file \gset
REINDEX TABLE mogo_client;
EXECUTE all_of_it;
REINDEX TABLE CONCURRENTLY mogo_client;
EXECUTE all_of_it;
SELECT 'mogo_client_pkey'::regclass::oid <> :old_index AS another_index;
REINDEX INDEX CONCURRENTLY mogo_secret_client_id_hash_idx;
EXECUTE all_of_it;
VACUUM FULL mogo_client;
EXECUTE all_of_it;
VACUUM FULL mogo_secret;
CLUSTER mogo_client USING mogo_client_client_name_key;
SELECT pg_relation_filenode('mogo_client') <> :old_file AS another_file;
EXECUTE all_of_it;
ALTER TABLE mogo_client SET WITHOUT CLUSTER;
VACUUM (FREEZE, ANALYZE) mogo_client, mogo_secret;
EXECUTE all_of_it;
ALTER TABLE mogo_client SET (fillfactor = 90);
EXECUTE all_of_it;
ALTER TABLE mogo_client RESET (fillfactor);
DISCARD PLANS;
EXECUTE all_of_it;
-- another table in its place, as after a repair, and the first one back
BEGIN;
ALTER TABLE mogo_client RENAME TO regress_old;
CREATE TABLE mogo_client (LIKE regress_old INCLUDING ALL);
EXECUTE all_of_it;
INSERT INTO mogo_client SELECT * FROM regress_old;
EXECUTE all_of_it;
ROLLBACK;
EXECUTE all_of_it;
-- without the second index it is only slower
BEGIN;
ALTER EXTENSION mogocred DROP TABLE mogo_secret;
DROP INDEX mogo_secret_client_id_hash_idx;
EXECUTE all_of_it;
ROLLBACK;
EXECUTE all_of_it;
-- a schema under another name
CREATE SCHEMA regress_other;
ALTER SCHEMA public RENAME TO regress_public;
SELECT regress_public.mogo_verify(:'client_id', :'client_secret') AS in_the_renamed_schema;
SELECT client_name FROM regress_public.mogo_add_client('regress renamed');
ALTER SCHEMA regress_public RENAME TO public;
EXECUTE all_of_it;
SELECT client_name FROM mogo_add_client('regress renamed back');
DEALLOCATE all_of_it;

-- The extension dropped and made again, elsewhere, with all caches warm: also the
-- plans of changes.
BEGIN;
DROP EXTENSION mogocred;
SELECT mogo_verify(:'client_id', :'client_secret');
ROLLBACK;
SELECT mogo_verify(:'client_id', :'client_secret') AS after_rollback;
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_again TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_mogo_again
CREATE EXTENSION mogocred CASCADE;
SELECT client_id, client_secret FROM mogo_add_client('regress first') \gset
SELECT mogo_verify(:'client_id', :'client_secret') AS first;
DROP EXTENSION mogocred;
SELECT mogo_verify(:'client_id', :'client_secret');
CREATE EXTENSION mogocred;
SELECT mogo_verify(:'client_id', :'client_secret') AS first_is_gone;
SELECT client_id, client_secret FROM mogo_add_client('regress first') \gset
SELECT mogo_verify(:'client_id', :'client_secret') AS second;
DROP EXTENSION mogocred;
CREATE SCHEMA "Odd.name; é";
CREATE EXTENSION mogocred SCHEMA "Odd.name; é";
SELECT "Odd.name; é".mogo_verify(:'client_id', :'client_secret') AS second_is_gone;
SELECT client_id, client_secret FROM "Odd.name; é".mogo_add_client('regress first') \gset
SELECT "Odd.name; é".mogo_verify(:'client_id', :'client_secret') AS third;
SELECT client_secret AS new_secret FROM "Odd.name; é".mogo_rotate_secret(:'client_id', '0') \gset
SELECT "Odd.name; é".mogo_verify_status(:'client_id', :'client_secret') AS old,
	"Odd.name; é".mogo_verify(:'client_id', :'new_secret') AS new;
-- an index of that name which was not built to its end is not asked
DROP INDEX "Odd.name; é".mogo_secret_client_id_hash_idx;
INSERT INTO "Odd.name; é".mogo_secret SELECT gen_random_uuid(), client_id, created_at, created_by,
	expires_at, revoked_at, hash FROM "Odd.name; é".mogo_secret WHERE hash IS NOT NULL;
\set VERBOSITY terse
CREATE UNIQUE INDEX CONCURRENTLY mogo_secret_client_id_hash_idx
	ON "Odd.name; é".mogo_secret (client_id, hash);
SELECT indisvalid FROM pg_index WHERE indexrelid
	= '"Odd.name; é".mogo_secret_client_id_hash_idx'::regclass;
SELECT "Odd.name; é".mogo_verify_status(:'client_id', :'client_secret') AS old;
-- nor one of other columns
DROP INDEX "Odd.name; é".mogo_secret_client_id_hash_idx;
CREATE INDEX mogo_secret_client_id_hash_idx ON "Odd.name; é".mogo_secret (created_at);
SELECT "Odd.name; é".mogo_verify_status(:'client_id', :'client_secret') AS old;
-- nor a primary key of other columns
ALTER TABLE "Odd.name; é".mogo_client DROP CONSTRAINT mogo_client_pkey,
	ADD PRIMARY KEY (client_name);
SELECT "Odd.name; é".mogo_verify(:'client_id', :'new_secret') AS new;
ALTER TABLE "Odd.name; é".mogo_client DROP CONSTRAINT mogo_client_pkey, ADD PRIMARY KEY (client_id);
SELECT "Odd.name; é".mogo_verify(:'client_id', :'new_secret') AS new;
-- an open transaction that saw the old one
BEGIN;
SELECT "Odd.name; é".mogo_verify(:'client_id', :'new_secret') AS before;
DROP EXTENSION mogocred;
CREATE EXTENSION mogocred SCHEMA public;
SELECT mogo_verify(:'client_id', :'new_secret') AS gone;
SELECT client_id, client_secret FROM mogo_add_client('regress inside') \gset inside_
SELECT mogo_verify(:'inside_client_id', :'inside_client_secret') AS inside;
ROLLBACK;
SELECT "Odd.name; é".mogo_verify(:'client_id', :'new_secret') AS as_before;
\c :this_database
DROP DATABASE regress_mogo_again;

DROP SCHEMA regress_other;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
