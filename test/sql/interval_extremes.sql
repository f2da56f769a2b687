-- Intervals whose parts are far out and cancel each other: too much all the same, and
-- never PostgreSQL's own "timestamp out of range" (22008). VERBOSITY sqlstate shows it.
\set VERBOSITY sqlstate
SELECT client_id FROM mogo_add_client('regress intervals') \gset
SELECT client_name FROM mogo_rotate_secret(:'client_id', '4000000 months -120000000 days');
SELECT client_name FROM mogo_rotate_secret(:'client_id', '-4000000 months 120000000 days');
SELECT client_name FROM mogo_rotate_secret(:'client_id', '89000000 days -2136000000 hours');
SELECT mogo_purge('4000000 months -120000000 days');
SELECT mogo_purge('89000000 days -2136000000 hours');
SELECT mogo_purge_audit('-89000000 days 2136000000 hours');
SELECT mogo_purge('2147483647 months -2147483648 days');
\set VERBOSITY terse
SELECT mogo_purge('4000000 months -120000000 days');
SELECT mogo_purge('-1 day');
-- what is within a thousand years is fine, in any parts
SELECT mogo_purge('1000 years') + mogo_purge('365000 days') + mogo_purge(
	'8760000 hours') + mogo_purge('12000 months -360000 days') AS none;
SELECT client_name FROM mogo_rotate_secret(:'client_id', '1000 years');
SELECT mogo_remove_client(:'client_id');
-- A secret that lives to the end of the calendar: the next one's lifetime would go beyond,
-- and such a moment is in no dump that can be restored.
SELECT client_id, client_secret FROM mogo_add_client('regress calendar',
	'294276-12-31 23:59:59.999999+00') \gset
SELECT expires_at = '294276-12-31 23:59:59.999999+00' AS the_same
	FROM mogo_rotate_own_secret(:'client_id'::uuid, :'client_secret', '0');
SELECT live::text::mogo_live_secret[] = live AS readable FROM mogo_client
	WHERE client_id = :'client_id';
SELECT mogo_remove_client(:'client_id');
TRUNCATE mogo_audit_log;
