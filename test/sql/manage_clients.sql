--
-- A client as a whole: disable, enable, update, remove
--
\pset null '(null)'
SELECT client_id AS id, client_secret AS secret, secret_id
FROM mogo_add_client('regress_client', scopes => '{read}', metadata => '{"team": "a"}') \gset
SELECT client_id AS bystander, client_secret AS bystander_secret
FROM mogo_add_client('regress_client bystander') \gset
CREATE VIEW pg_temp.client AS
SELECT client_name, enabled, scopes, metadata, allowed_cidrs, created_by = session_user AS mine,
	live_secrets
FROM mogo_clients WHERE client_id = :'id';
CREATE VIEW pg_temp.audit AS
SELECT action, client_name, secret_id IS NOT NULL AS secret, detail
FROM mogo_audit WHERE client_id = :'id' ORDER BY at;

-- mogo_disable_client and mogo_enable_client: the secret is right all the while
SELECT mogo_disable_client(:'id');
TABLE pg_temp.client;
SELECT mogo_verify(:'id', :'secret') AS verify, mogo_verify_status(:'id', :'secret') AS status,
	mogo_verify_status(:'id', 'wrong') AS wrong,
	mogo_verify_digest(:'id', sha256(:'secret')) AS digest,
	(SELECT count(*) FROM mogo_authenticate(:'id', :'secret')) AS rows;
SELECT mogo_disable_client(:'id');
SELECT mogo_enable_client(:'id');
SELECT mogo_verify(:'id', :'secret') AS verify, mogo_verify_status(:'id', :'secret') AS status;
SELECT mogo_enable_client(:'id');
-- what changes nothing leaves no record
TABLE pg_temp.audit;

-- mogo_update_client: NULL leaves a property as it is
SELECT mogo_update_client(:'id');
SELECT mogo_update_client(:'id', NULL, NULL, NULL, NULL);
SELECT mogo_update_client(:'id', client_name => 'regress_client, renamed');
TABLE pg_temp.client;
SELECT mogo_update_client(:'id', scopes => '{read,write}', metadata => '{"team": "b", "tier": 1}');
TABLE pg_temp.client;
SELECT mogo_update_client(:'id', allowed_cidrs => '{10.0.0.0/8,2001:db8::/32}');
TABLE pg_temp.client;
-- '{}' clears
SELECT mogo_update_client(:'id', scopes => '{}', metadata => '{}', allowed_cidrs => '{}');
TABLE pg_temp.client;
-- the same once more changes nothing, and neither does its own name
SELECT mogo_update_client(:'id', 'regress_client, renamed', '{}', '{}', '{}');
-- of those that were given, only what changed is told
SELECT mogo_update_client(:'id', 'regress_client, renamed', '{read}', '{}', '{}');
-- metadata that is equal and yet not the same
SELECT mogo_update_client(:'id', metadata => '{"tier": 1}');
SELECT mogo_update_client(:'id', metadata => '{"tier": 1.0}');
TABLE pg_temp.client;
-- a name that another one gave up can be had, and the letter's case counts
SELECT mogo_update_client(:'id', 'regress_client');
SELECT mogo_update_client(:'bystander', 'regress_client BYSTANDER');
SELECT mogo_update_client(:'id', 'regress_"quoted" \ name');
SELECT mogo_update_client(:'id', 'regress_client');
TABLE pg_temp.audit;
-- the secret is the same all the while
SELECT mogo_verify(:'id', :'secret');
-- the new ones reach a token service
SELECT client_name, scopes, metadata FROM mogo_authenticate(:'id', :'secret');

-- allowed_cidrs: accepted only with an address inside one of them
SELECT mogo_update_client(:'id', allowed_cidrs => '{10.1.0.0/16,192.0.2.7,2001:db8:1::/48}');
SELECT mogo_verify(:'id', :'secret') AS verify,
	mogo_verify_digest(:'id', sha256(:'secret')) AS digest,
	mogo_verify_status(:'id', :'secret') AS status, mogo_verify_status(:'id', 'wrong') AS wrong;
SELECT 'Basic ' || translate(encode(convert_to(:'id' || ':' || :'secret', 'UTF8'), 'base64'), E'\n',
	'') AS basic \gset
SELECT address,
	EXISTS (SELECT FROM mogo_authenticate(:'id', :'secret', address::inet)) AS text,
	EXISTS (SELECT FROM mogo_authenticate(:'id'::uuid, :'secret', address::inet)) AS uuid,
	EXISTS (SELECT FROM mogo_authenticate_basic(:'basic', address::inet)) AS basic,
	EXISTS (SELECT FROM mogo_authenticate(:'id', 'wrong', address::inet)) AS wrong
FROM (VALUES (1, NULL), (2, '10.1.0.0'), (3, '10.1.255.255'), (4, '10.2.0.0'), (5, '10.0.255.255'),
	(6, '192.0.2.7'), (7, '192.0.2.8'), (8, '0.0.0.0'), (9, '10.1.2.3/16'), (10, '10.1.2.3/8'),
	(11, '2001:db8:1::1'), (12, '2001:db8:2::1'), (13, '::'),
	(14, '::ffff:10.1.2.3'), (15, '::ffff:10.2.2.3'), (16, '::ffff:192.0.2.7'),
	(17, '::10.1.2.3'), (18, '64:ff9b::10.1.2.3'), (19, '::fffe:10.1.2.3')) AS a (n, address)
ORDER BY n;
-- networks that are written as IPv4 mapped into IPv6 are IPv4 networks
SELECT mogo_update_client(:'id', allowed_cidrs => '{::ffff:10.1.0.0/112}');
SELECT address, EXISTS (SELECT FROM mogo_authenticate(:'id', :'secret', address::inet))
FROM (VALUES (1, '10.1.2.3'), (2, '10.2.2.3'), (3, '::ffff:10.1.2.3'), (4, '::ffff:10.2.2.3'))
	AS a (n, address)
ORDER BY n;
-- all of IPv4 is not all of IPv6, nor the other way round
CREATE FUNCTION pg_temp.accepts(id uuid, secret text, net cidr) RETURNS text[]
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM mogo_update_client(id, allowed_cidrs => ARRAY[net]);
	RETURN ARRAY(SELECT a FROM unnest('{198.51.100.1,::ffff:198.51.100.1,2001:db8::1,::1}'::text[])
	AS a
	WHERE EXISTS (SELECT FROM mogo_authenticate(id, secret, a::inet)));
END $$;
SELECT pg_temp.accepts(:'id', :'secret', '0.0.0.0/0');
SELECT pg_temp.accepts(:'id', :'secret', '::/0');
SELECT pg_temp.accepts(:'id', :'secret', '::ffff:0:0/96');
SELECT pg_temp.accepts(:'id', :'secret', '::/64');
DROP FUNCTION pg_temp.accepts;
-- so many networks that they leave the row: still one answer
SELECT mogo_update_client(:'id', allowed_cidrs => array_agg(set_masklen('10.0.0.0'::cidr + 256 * i,
	24)::cidr))
FROM generate_series(0, 255) AS i;
SELECT address, EXISTS (SELECT FROM mogo_authenticate(:'id', :'secret', address::inet))
FROM (VALUES (1, '10.0.0.1'), (2, '10.0.255.255'), (3, '10.1.0.0')) AS a (n, address)
	ORDER BY n;
-- an address is no matter where a client is not bound
SELECT mogo_update_client(:'id', allowed_cidrs => '{}');
SELECT mogo_verify(:'id', :'secret') AS verify,
	(SELECT count(*) FROM mogo_authenticate(:'id', :'secret')) AS without,
	(SELECT count(*) FROM mogo_authenticate(:'id', :'secret', '203.0.113.9')) AS with_address;

-- mogo_remove_client: the client and its secrets are gone, ended ones too; the audit stays
SELECT client_secret AS last_secret FROM mogo_rotate_secret(:'id', '0') \gset
SELECT mogo_remove_client(:'id');
SELECT count(*) FROM mogo_clients WHERE client_id = :'id';
SELECT count(*) FROM mogo_secrets WHERE client_id = :'id';
SELECT (SELECT count(*) FROM mogo_client WHERE client_id = :'id') AS clients,
	(SELECT count(*) FROM mogo_secret WHERE client_id = :'id') AS secrets;
SELECT mogo_verify(:'id', :'last_secret') AS verify, mogo_verify_status(:'id', :'secret') AS status;
SELECT action, client_name FROM mogo_audit WHERE client_id = :'id' ORDER BY at DESC LIMIT 2;
-- the name can be had again, and so can the id, on import
SELECT client_id <> :'id' AS another_id, client_id AS second
	FROM mogo_add_client('regress_client') \gset
SELECT :'another_id' AS another_id;
SELECT mogo_import_client('regress_client again', :'id', 'sha256', encode(sha256(
	'once more, with feeling'), 'hex')) IS NOT NULL AS imported;
SELECT mogo_verify(:'id', 'once more, with feeling') AS new,
	mogo_verify(:'id', :'last_secret') AS old;

SELECT mogo_verify(:'bystander', :'bystander_secret') AS bystander;
SELECT mogo_remove_client(client_id) FROM mogo_clients WHERE client_name ^@ 'regress_client';
DROP VIEW pg_temp.client, pg_temp.audit;
