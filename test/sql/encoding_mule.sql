-- A database in an encoding that PostgreSQL cannot convert to UTF-8: what is ASCII works
-- there. PostgreSQL 19 has no such encoding left (encoding_mule_1.out).
\set VERBOSITY terse
SELECT pg_char_to_encoding('MULE_INTERNAL') >= 0 AS has_mule \gset
\if :has_mule
\else
\quit
\endif
SELECT current_database() AS this_database \gset
CREATE DATABASE regress_mogo_mule TEMPLATE template0 ENCODING 'MULE_INTERNAL'
	LC_COLLATE 'C' LC_CTYPE 'C';
\c -reuse-previous=on "dbname=regress_mogo_mule client_encoding=SQL_ASCII"
\set VERBOSITY terse
CREATE EXTENSION mogocred CASCADE;
SELECT client_id, client_secret FROM mogo_add_client('Koeln') \gset
SELECT mogo_verify(:'client_id', :'client_secret'),
	mogo_verify(:'client_id', :'client_secret' || convert_from('\x81e9', 'MULE_INTERNAL'))
	AS behind,
	mogo_verify(:'client_id', convert_from('\x81e9', 'MULE_INTERNAL')) AS secret,
	mogo_verify_status(convert_from('\x81e9', 'MULE_INTERNAL'), :'client_secret') AS id;
SELECT client_name FROM mogo_add_client(convert_from('\x4b81f66c6e', 'MULE_INTERNAL'));
\echo :LAST_ERROR_SQLSTATE
\c :this_database
DROP DATABASE regress_mogo_mule;
