-- What the benchmark needs beside the extension: ids and secrets that follow from a
-- number, and the table of the bare SELECT, of the same rows as mogo_client.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION mogocred;
CREATE SCHEMA bench;
CREATE FUNCTION bench.id(n int) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex(n::bigint * 400), 8, '0') || substr(md5('id' || n), 9))::uuid;
CREATE FUNCTION bench.secret(n int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN md5('secret' || n)::uuid::text;
CREATE TABLE bench.bare (LIKE mogo_client, PRIMARY KEY (client_id));
