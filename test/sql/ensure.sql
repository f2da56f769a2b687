-- mogo_ensure_client: a client that is declared exists, as declared, however often.
\pset null '(null)'
\set VERBOSITY terse
CREATE FUNCTION pg_temp.records() RETURNS TABLE (action text, detail jsonb) LANGUAGE sql AS $$
	SELECT action, detail FROM mogo_audit WHERE client_name = 'regress_ensure' ORDER BY at
$$;
SELECT client_id AS new_id, client_secret AS new_secret
FROM mogo_ensure_client('regress_ensure', '{read}', '{"team": "a"}', 'orders', '{10.0.0.0/8}') \gset
SELECT mogo_verify_status('orders', :'new_secret') AS status;
SELECT scopes, metadata, allowed_cidrs, external_id, live_secrets FROM mogo_clients
WHERE client_name = 'regress_ensure';
-- again, with all, with some, with none
SELECT client_name, client_id = :'new_id' AS same, client_secret, secret_id, expires_at, external_id
FROM mogo_ensure_client('regress_ensure', '{read}', '{"team": "a"}', 'orders', '{10.0.0.0/8}');
SELECT client_id = :'new_id' AS same, client_secret, external_id
FROM mogo_ensure_client('regress_ensure', scopes => '{read}');
SELECT client_id = :'new_id' AS same, client_secret, external_id
FROM mogo_ensure_client('regress_ensure');
-- issued_at is when the client was added
SELECT e.issued_at = c.created_at AS since FROM mogo_ensure_client('regress_ensure') AS e
JOIN mogo_clients AS c USING (client_id);
SELECT count(*) FROM pg_temp.records();
-- one property changes, and the others are left
SELECT client_secret, external_id
FROM mogo_ensure_client('regress_ensure', scopes => '{read,write}');
SELECT client_secret, external_id
FROM mogo_ensure_client('regress_ensure', external_id => 'invoices');
SELECT client_secret, external_id FROM mogo_ensure_client('regress_ensure', external_id => '',
	allowed_cidrs => '{}');
SELECT scopes, metadata, allowed_cidrs, external_id, live_secrets FROM mogo_clients
WHERE client_name = 'regress_ensure';
SELECT mogo_verify(:'new_id', :'new_secret') AS first_secret;
-- a disabled client stays so
SELECT mogo_disable_client(:'new_id');
SELECT client_secret FROM mogo_ensure_client('regress_ensure', scopes => '{read,write}');
SELECT enabled FROM mogo_clients WHERE client_id = :'new_id';
SELECT * FROM pg_temp.records();

-- with nothing but a name, and with an empty external id
SELECT client_secret IS NOT NULL AS secret FROM mogo_ensure_client('regress_ensure 2');
SELECT client_secret IS NOT NULL AS secret, external_id
FROM mogo_ensure_client('regress_ensure 3', external_id => '');
SELECT client_name, scopes, metadata, allowed_cidrs, external_id FROM mogo_clients
WHERE client_name IN ('regress_ensure 2', 'regress_ensure 3') ORDER BY 1;
-- a client that was there before
SELECT client_name FROM mogo_add_client('regress_ensure 4', with_secret => false);
SELECT client_secret FROM mogo_ensure_client('regress_ensure 4', metadata => '{"a": 1}');
SELECT metadata FROM mogo_clients WHERE client_name = 'regress_ensure 4';
-- the settings on lifetimes hold
SET mogocred.default_secret_lifetime = 86400;
SELECT expires_at - issued_at AS lifetime FROM mogo_ensure_client('regress_ensure 5');
SELECT expires_at FROM mogo_ensure_client('regress_ensure 5');
RESET mogocred.default_secret_lifetime;

-- many, in one statement, and again
SELECT count(client_secret) FROM generate_series(10, 19) AS n,
	LATERAL mogo_ensure_client('regress_ensure ' || n, external_id => 'ensure-' || n);
SELECT count(client_secret) FROM generate_series(10, 19) AS n,
	LATERAL mogo_ensure_client('regress_ensure ' || n, external_id => 'ensure-' || n);
-- one call a column would lose the secret
SELECT (mogo_ensure_client('regress_ensure 6')).*;
SELECT count(*) FROM mogo_clients WHERE client_name = 'regress_ensure 6';
-- what fails leaves nothing, and the transaction can go on if the caller caught it
BEGIN;
SELECT client_secret IS NOT NULL AS secret FROM mogo_ensure_client('regress_ensure 7');
SAVEPOINT s;
SELECT client_secret IS NOT NULL FROM mogo_ensure_client(
	'regress_ensure 8', external_id => 'ensure-10');
ROLLBACK TO s;
SELECT client_secret FROM mogo_ensure_client('regress_ensure 7');
COMMIT;
SELECT client_name FROM mogo_clients WHERE client_name IN ('regress_ensure 7', 'regress_ensure 8');
SELECT mogo_ensure_client('regress_ensure 7', external_id => 'ensure-10');
SELECT mogo_ensure_client(NULL);
SELECT mogo_ensure_client(' regress_ensure 9');
SELECT mogo_ensure_client('regress_ensure 9', scopes => '{a b}');
SELECT mogo_ensure_client('regress_ensure 9', metadata => '[]');
SELECT mogo_ensure_client('regress_ensure 9', external_id => 'ü');
SELECT mogo_ensure_client('regress_ensure 9', allowed_cidrs => '{NULL}');
BEGIN READ ONLY;
SELECT mogo_ensure_client(NULL);
ROLLBACK;
SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_ensure';
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
