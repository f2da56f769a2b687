-- mogo_verify_status: why, for somebody who has the right secret; for all others: invalid.

-- One client for each state, and one secret that is nobody's.
SELECT client_id, client_secret FROM mogo_add_client('regress valid') \gset v_
SELECT client_id, client_secret FROM mogo_add_client(
	'regress expired', clock_timestamp() + interval '500 milliseconds') \gset e_
SELECT client_id, client_secret, secret_id FROM mogo_add_client('regress revoked') \gset r_
SELECT client_id, client_secret FROM mogo_add_client('regress disabled') \gset d_
SELECT client_id, client_secret FROM mogo_add_client('regress address') \gset a_
SELECT client_id, client_secret, secret_id FROM mogo_add_client(
	'regress revoked and expired', clock_timestamp() + interval '500 milliseconds') \gset re_
SELECT client_id, client_secret FROM mogo_add_client(
	'regress expired and disabled', clock_timestamp() + interval '500 milliseconds') \gset ed_
SELECT mogo_revoke_secret(:'r_secret_id'), mogo_revoke_secret(:'re_secret_id'),
	mogo_disable_client(:'d_client_id'), mogo_disable_client(:'ed_client_id'),
	mogo_update_client(:'a_client_id', allowed_cidrs => '{10.0.0.0/8,2001:db8::/32}');
SELECT pg_sleep(0.6);
CREATE TEMP TABLE client AS
SELECT * FROM (VALUES ('valid', :'v_client_id', :'v_client_secret'), ('expired', :'e_client_id',
	:'e_client_secret'),
	('revoked', :'r_client_id', :'r_client_secret'),
	('disabled', :'d_client_id', :'d_client_secret'),
	('address required', :'a_client_id', :'a_client_secret'),
	('revoked, then expired', :'re_client_id', :'re_client_secret'),
	('expired and disabled', :'ed_client_id', :'ed_client_secret')) AS v (state, id, secret);
SELECT state, mogo_verify_status(id, secret) AS text_form,
	mogo_verify_status(id::uuid, secret) AS uuid_form,
	mogo_verify(id, secret), mogo_verify(id::uuid, secret),
	mogo_verify_digest(id, sha256(convert_to(secret, 'UTF8')))
FROM client ORDER BY state;

-- Without the right secret there is nothing to learn, whatever the state.
SELECT DISTINCT mogo_verify_status(c.id, s) AS status
FROM client AS c, LATERAL (SELECT secret FROM client AS o WHERE o.id <> c.id
	UNION ALL VALUES (''), (c.id), (upper(c.secret) || 'A'), (left(c.secret, 35)), (
	c.secret || ' '), (NULL), (repeat('x', 10000000))) AS w (s);
SELECT DISTINCT mogo_verify_status(i, c.secret) AS status
FROM client AS c, (VALUES ('782e12aa-23d3-11c0-8452-111114a14e13'), (
	'00000000-0000-0000-0000-000000000000'), (''), ('x'), (NULL), (repeat('x', 10000000))) AS w (i);
SELECT mogo_verify_status(NULL::uuid, 'x'), mogo_verify_status(NULL, NULL),
	mogo_verify_status('x'::varchar, 'y'::varchar);

-- Expired or revoked, whether the hash still stands in the client's row or has moved on.
SELECT s.secret_id FROM mogo_add_secret(:'e_client_id') AS s \gset moved_
SELECT mogo_verify_status(:'e_client_id', :'e_client_secret') AS still_expired;
SELECT mogo_revoke_secret(:'moved_secret_id');
SELECT mogo_verify_status(:'e_client_id', :'e_client_secret') AS still_expired;
SELECT mogo_disable_client(:'r_client_id');
SELECT mogo_verify_status(:'r_client_id', :'r_client_secret') AS still_revoked;
SELECT mogo_enable_client(:'r_client_id');
SELECT mogo_verify_status(:'r_client_id', :'r_client_secret') AS still_revoked;

-- After a rotation the old one is revoked, after its overlap expired; among many past
-- secrets each is known.
SELECT client_secret AS new_secret FROM mogo_rotate_secret(:'v_client_id', '0') \gset
SELECT mogo_verify_status(:'v_client_id', :'v_client_secret') AS old,
	mogo_verify_status(:'v_client_id', :'new_secret') AS new;
SELECT client_secret AS newer_secret FROM mogo_rotate_secret(
	:'v_client_id', '100 milliseconds') \gset
SELECT pg_sleep(0.6);
SELECT mogo_verify_status(:'v_client_id', :'v_client_secret') AS oldest,
	mogo_verify_status(:'v_client_id', :'new_secret') AS old,
	mogo_verify_status(:'v_client_id', :'newer_secret') AS new;
CREATE TEMP TABLE past (secret text);
DO $$
DECLARE
	id uuid := (SELECT client_id FROM mogo_clients WHERE client_name = 'regress valid');
BEGIN
	FOR i IN 1 .. 50 LOOP
		INSERT INTO past SELECT client_secret FROM mogo_rotate_secret(id, '0');
	END LOOP;
END $$;
SELECT mogo_verify_status(:'v_client_id', secret) AS status, count(*) FROM past GROUP BY 1
	ORDER BY 1;

-- What is purged or removed is unknown.
SELECT mogo_purge('0') > 50 AS purged;
SELECT mogo_verify_status(:'v_client_id', :'v_client_secret') AS purged,
	mogo_verify_status(:'e_client_id', :'e_client_secret') AS purged;
SELECT mogo_remove_client(:'d_client_id');
SELECT mogo_verify_status(:'d_client_id', :'d_client_secret') AS removed;

-- A bcrypt secret has the same states.
SET mogocred.bcrypt_cost = 4;
SELECT mogo_import_client('regress bcrypt', '22222222-2222-4222-8222-222222222222', 'plain',
	'a secret somebody chose') AS secret_id \gset b_
RESET mogocred.bcrypt_cost;
SELECT mogo_verify_status('22222222-2222-4222-8222-222222222222', 'a secret somebody chose')
	AS "right", mogo_verify_status('22222222-2222-4222-8222-222222222222',
	'a secret somebody chooses') AS wrong;
SELECT mogo_revoke_secret(:'b_secret_id');
SELECT mogo_verify_status('22222222-2222-4222-8222-222222222222', 'a secret somebody chose')
	AS "right", mogo_verify_status('22222222-2222-4222-8222-222222222222',
	'a secret somebody chooses') AS wrong,
	mogo_verify('22222222-2222-4222-8222-222222222222', 'a secret somebody chose');

DROP TABLE client, past;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
