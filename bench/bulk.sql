-- Tables of the same shape, with the same indexes, as those that mogo_add_client fills,
-- and the rows that it makes for :clients clients, ready to be inserted.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION mogocred;
CREATE SCHEMA bench;
SELECT count(mogo_add_client('client ' || lpad(n::text, 8, '0')))
FROM generate_series(1, :clients) AS n;
CREATE TABLE bench.made_client AS TABLE mogo_client;
CREATE TABLE bench.made_secret AS TABLE mogo_secret;
CREATE TABLE bench.made_audit AS TABLE mogo_audit_log;
CREATE TABLE bench.client (LIKE mogo_client INCLUDING ALL);
CREATE TABLE bench.secret (LIKE mogo_secret INCLUDING ALL);
CREATE TABLE bench.audit (LIKE mogo_audit_log INCLUDING ALL);
