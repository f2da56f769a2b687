-- Invitations: a code is good for one new secret, once, and nothing is stored that could be
-- turned into it. A client that proves its secret gets the next one.
\set VERBOSITY terse
CREATE ROLE regress_mogo_portal;
SELECT mogo_grant_portal('regress_mogo_portal');

-- A client without a secret, and its invitation.
SELECT client_name, client_secret, secret_id, expires_at, external_id
FROM mogo_add_client('regress invited', external_id => 'partner-7', with_secret => false);
SELECT mogo_add_client('regress never', '2999-12-31', with_secret => false);
SELECT mogo_credentials_json(c) FROM mogo_add_client('regress none', with_secret => false) AS c;
\echo :LAST_ERROR_SQLSTATE
SELECT client_id AS id, live_secrets FROM mogo_clients WHERE client_name = 'regress invited' \gset
SELECT * FROM mogo_invite(:'id', '1 hour', label => 'laptop') \gset
SELECT :'client_name' AS client_name, :'client_id' = :'id' AS same_client,
	:'code' ~ '^mogoinvite_[0-9A-Za-z]{49}$' AS code, :'expires_at'::timestamptz > now() AS later;
SELECT client_name, status, created_by = session_user AS mine, accepted_at, accepted_from
FROM mogo_invitations;
-- what is stored is the hash of the code
SELECT count(*) FROM mogo_invitation_code WHERE code_hash = sha256(:'code');
SELECT count(*) AS clear FROM mogo_invitation_code AS i, mogo_audit_log AS a
WHERE strpos(i::text || a::text, :'code') > 0;

-- The portal's role can do this and nothing else.
SELECT string_agg(DISTINCT proname::text, ' ' ORDER BY proname::text) AS functions FROM pg_proc
WHERE proname ^@ 'mogo_' AND has_function_privilege('regress_mogo_portal', oid, 'EXECUTE');
SET ROLE regress_mogo_portal;
SELECT count(*) FROM mogo_invitations;
SELECT count(*) FROM mogo_invite(:'id', '1 hour');
-- what a network may send: none of it is an error, and none of it takes the code away
SELECT n, (SELECT count(*) FROM mogo_accept_invitation(c)) AS rows
FROM (VALUES (1, NULL), (2, ''), (3, 'mogoinvite_'), (4, upper(:'code')), (5, :'code' || ' '),
	(6, left(:'code', 59)), (7, repeat('x', 60)), (8, repeat('x', 10000000)),
	(9, encode(sha256(:'code'), 'hex')), (10, U&'\00e9' || substr(:'code', 3))) AS v (n, c)
ORDER BY n;
SELECT client_name, client_secret, client_id = :'id' AS same_client, external_id, expires_at
FROM mogo_accept_invitation(:'code', 'unknown') \gset accepted_
SELECT :'accepted_client_name' AS client_name, :'accepted_external_id' AS external_id,
	:'accepted_client_secret' ~ '^[0-9a-f-]{36}$' AS secret, :'accepted_same_client' AS same_client;
-- once
SELECT count(*) FROM mogo_accept_invitation(:'code');
RESET ROLE;
SELECT mogo_verify(:'id', :'accepted_client_secret');
SELECT status, accepted_at IS NOT NULL AS accepted, accepted_from FROM mogo_invitations;
SELECT label, status FROM mogo_secrets WHERE client_id = :'id';
SELECT action, actor = session_user AS session, acting_as, client_name,
	secret_id IS NOT NULL AS secret,
	detail ? 'invitation_id' AS invitation
FROM mogo_audit WHERE action LIKE '%invit%' ORDER BY at;

-- Without an overlap beside the others, with one by rotation, from the acceptance on.
SELECT code FROM mogo_invite(:'id', '1 hour') \gset
SELECT client_secret AS second FROM mogo_accept_invitation(:'code', '192.0.2.1:443'::text) \gset
SELECT mogo_verify(:'id', :'accepted_client_secret') AS first,
	mogo_verify(:'id', :'second') AS second;
SELECT code FROM mogo_invite(:'id', '1 hour', '1 hour') \gset
SELECT client_secret AS third FROM mogo_accept_invitation(:'code', '2001:db8::1'::inet) \gset
SELECT status, expires_at < now() + '61 minutes' AS within_the_hour, count(*)
FROM mogo_secrets WHERE client_id = :'id' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT code FROM mogo_invite(:'id', '1 hour', '0', '2999-12-31') \gset
SELECT client_secret AS fourth, expires_at FROM mogo_accept_invitation(:'code') \gset
SELECT mogo_verify_status(:'id', s), :'expires_at'::timestamptz = '2999-12-31' AS end_of_fourth
FROM (VALUES (1, :'accepted_client_secret'), (2, :'second'), (3, :'third'), (4, :'fourth'))
	AS v (n, s)
ORDER BY n;
SELECT accepted_from, count(*) FROM mogo_invitations GROUP BY 1 ORDER BY 1;

-- Not for a disabled client, from an address outside, after its end or its revocation; what
-- is only so for now does not use the code up.
SELECT invitation_id, code FROM mogo_invite(:'id', '1 hour') \gset
SELECT mogo_disable_client(:'id');
SELECT count(*) AS disabled FROM mogo_accept_invitation(:'code');
SELECT mogo_enable_client(:'id');
SELECT mogo_update_client(:'id', allowed_cidrs => '{10.0.0.0/8}');
SELECT (SELECT count(*) FROM mogo_accept_invitation(:'code')) AS no_address,
	(SELECT count(*) FROM mogo_accept_invitation(:'code', '192.0.2.1')) AS outside,
	(SELECT count(*) FROM mogo_accept_invitation(:'code', 'unknown')) AS no_such_address,
	(SELECT count(*) FROM mogo_accept_invitation(:'code', NULL::inet)) AS null_address;
BEGIN;
SELECT count(*) AS inside FROM mogo_accept_invitation(:'code', '10.1.2.3:51234');
ROLLBACK;
SELECT status AS after_rollback FROM mogo_invitations WHERE invitation_id = :'invitation_id';
SELECT mogo_revoke_invitation(:'invitation_id');
SELECT count(*) AS revoked FROM mogo_accept_invitation(:'code', '10.1.2.3');
SELECT mogo_revoke_invitation(:'invitation_id') AS twice;
SELECT status FROM mogo_invitations WHERE invitation_id = :'invitation_id';
SELECT count(*) AS records FROM mogo_audit WHERE action = 'invitation_revoked';
SELECT mogo_update_client(:'id', allowed_cidrs => '{}');
SELECT invitation_id, code FROM mogo_invite(:'id', '1 microsecond') \gset
SELECT count(*) AS expired FROM mogo_accept_invitation(:'code');
SELECT status FROM mogo_invitations WHERE invitation_id = :'invitation_id';
SELECT mogo_revoke_invitation(:'invitation_id') AS an_expired_one;
SELECT status FROM mogo_invitations WHERE invitation_id = :'invitation_id';
-- an accepted one has led to a secret, which would live on
SELECT invitation_id AS accepted_id FROM mogo_invitations WHERE accepted_from = '192.0.2.1' \gset
\set VERBOSITY sqlstate
SELECT mogo_revoke_invitation(:'accepted_id');
\set VERBOSITY terse
SELECT mogo_revoke_invitation('99999999-9999-4999-8999-999999999999');
\echo :LAST_ERROR_SQLSTATE

-- A full client: the error is the administrator's, and the code is still good.
SET mogocred.max_live_secrets = 2;
SELECT code FROM mogo_invite(:'id', '1 hour') \gset
SELECT count(mogo_add_secret(:'id')) FROM generate_series(1, 1);
SELECT client_name FROM mogo_accept_invitation(:'code');
\echo :LAST_ERROR_SQLSTATE
RESET mogocred.max_live_secrets;
SELECT client_name FROM mogo_accept_invitation(:'code');

-- What mogo_invite refuses.
SELECT * FROM mogo_invite(NULL, '1 hour');
SELECT * FROM mogo_invite(:'id', NULL);
SELECT * FROM mogo_invite(:'id', '0');
SELECT * FROM mogo_invite(:'id', '-1 hour');
SELECT * FROM mogo_invite(:'id', '1 hour', '-1 hour');
SELECT * FROM mogo_invite(:'id', '1 hour', NULL, '2000-01-01');
SELECT * FROM mogo_invite(:'id', '1 hour', NULL, now() + '59 minutes');
SELECT * FROM mogo_invite(:'id', '1 hour', NULL, 'infinity');
SELECT * FROM mogo_invite(:'id', '1 hour', label => ' x');
SELECT * FROM mogo_invite('99999999-9999-4999-8999-999999999999', '1 hour');
\echo :LAST_ERROR_SQLSTATE
-- (function()).* would show one invitation's id and another's code
SELECT (mogo_invite(:'id', '1 hour')).* \gset dead_
\echo :LAST_ERROR_SQLSTATE
-- but functions that return sets PostgreSQL calls once for all columns
SELECT code FROM mogo_invite(:'id', '1 hour') \gset
SELECT (mogo_accept_invitation(:'code')).* \gset all_
SELECT mogo_verify(:'all_client_id', :'all_client_secret'), :'all_client_name' AS client_name;

-- A client that proves its secret gets the next one, which lives as long as the proven one.
SELECT client_id AS own_id, client_secret AS own FROM mogo_add_client(
	'regress own', clock_timestamp() + '30 days', external_id => 'https://client.example/') \gset
SET ROLE regress_mogo_portal;
SELECT n, (SELECT count(*) FROM mogo_rotate_own_secret(id, secret, '1 hour')) AS rows
FROM (VALUES (1, :'own_id', 'wrong'), (2, 'nobody', :'own'), (3, NULL, NULL),
	(4, :'id', :'own'), (5, '', repeat('x', 10000000))) AS v (n, id, secret) ORDER BY n;
SELECT client_secret AS next, expires_at BETWEEN now() + '29 days' AND now() + '31 days' AS month,
	client_id = :'own_id' AS same_client, external_id
FROM mogo_rotate_own_secret(:'own_id', :'own', '1 hour') \gset
SELECT :'month' AS a_month, :'same_client' AS same_client, :'external_id' AS external_id;
SELECT client_secret AS last
FROM mogo_rotate_own_secret(:'own_id'::uuid, :'next', '0', 'unknown') \gset
RESET ROLE;
SELECT mogo_verify_status(:'own_id', s)
FROM (VALUES (1, :'own'), (2, :'next'), (3, :'last')) AS v (n, s) ORDER BY n;
-- one that does not expire has no end either, an ended one proves nothing, nor a disabled client
SELECT count(*) FROM mogo_rotate_own_secret(:'own_id', :'own', '1 hour');
SELECT client_secret AS endless FROM mogo_add_secret(:'id') \gset
SELECT expires_at FROM mogo_rotate_own_secret(:'id', :'endless', '1 hour');
SELECT mogo_disable_client(:'own_id');
SELECT count(*) FROM mogo_rotate_own_secret(:'own_id', :'last', '1 hour');
SELECT mogo_enable_client(:'own_id');
SELECT mogo_update_client(:'own_id', allowed_cidrs => '{10.0.0.0/8}');
SELECT (SELECT count(*) FROM mogo_rotate_own_secret(:'own_id', :'last', '1 hour')) AS no_address,
	(SELECT count(*) FROM mogo_rotate_own_secret(:'own_id', :'last', '1 hour', '192.0.2.1'))
		AS outside;
SELECT count(*) FROM mogo_rotate_own_secret(:'own_id'::uuid, :'last', '1 hour', '10.0.0.1'::inet);
SELECT count(*) FROM mogo_rotate_own_secret(:'own_id', :'last', '1 hour', '10.0.0.1'::inet);
SELECT mogo_rotate_own_secret(:'own_id', :'last', NULL);
SELECT mogo_rotate_own_secret(:'own_id', :'last', '-1 hour');
SELECT mogo_update_client(:'own_id', allowed_cidrs => '{}');
SELECT (mogo_rotate_own_secret(:'own_id', :'last', '0')).* \gset all_
SELECT mogo_verify(:'all_client_id', :'all_client_secret'), :'all_client_name' AS client_name;

-- Invitations go with their client, and with mogo_purge once they have ended.
SELECT code FROM mogo_invite(:'own_id', '1 hour') \gset
SELECT status, count(*) FROM mogo_invitations GROUP BY 1 ORDER BY 1;
SELECT mogo_remove_client(:'own_id');
SELECT count(*) AS of_nobody FROM mogo_accept_invitation(:'code');
SELECT count(*) FROM mogo_invitations WHERE client_id = :'own_id';
SELECT mogo_purge('0') > 0 AS purged;
SELECT status, count(*) FROM mogo_invitations GROUP BY 1 ORDER BY 1;
-- that is recorded, also where no secret went
SELECT code FROM mogo_invite((SELECT client_id FROM mogo_add_client('regress purged')),
	'1 microsecond') \gset
SELECT mogo_purge('0');
SELECT detail - 'ended_before' AS detail FROM mogo_audit WHERE action = 'secrets_purged'
ORDER BY at DESC LIMIT 1;
SELECT mogo_revoke_access('regress_mogo_portal');
DROP ROLE regress_mogo_portal;
TRUNCATE mogo_client, mogo_secret, mogo_audit_log, mogo_invitation_code;
