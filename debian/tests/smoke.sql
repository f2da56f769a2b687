-- Create, add, check: stops at the first thing that is not as it should be.
\set ON_ERROR_STOP on
\set QUIET on
\set ECHO none
CREATE EXTENSION mogocred CASCADE;
SELECT client_id AS id, client_secret AS secret, secret_id FROM mogo_add_client('smoke') \gset
SELECT 1 / mogo_verify(:'id', :'secret')::int AS right;
SELECT 1 / (NOT mogo_verify(:'id', :'id'))::int AS wrong;
SELECT 1 / (count(*) = 1)::int AS listed FROM mogo_clients WHERE client_name = 'smoke';
SELECT mogo_revoke_secret(:'secret_id');
SELECT 1 / (NOT mogo_verify(:'id', :'secret'))::int AS revoked;
DROP EXTENSION mogocred;
