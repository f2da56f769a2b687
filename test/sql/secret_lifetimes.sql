-- mogocred.default_secret_lifetime and mogocred.max_secret_lifetime, which hold for every
-- way in which a secret comes to be, and mogo_update_secret, which moves an end.
\pset null '(null)'

\getenv dir PG_ABS_SRCDIR
\set error_of :dir '/lib/error_of.sql'
\i :error_of

-- A secret's lifetime, whichever way it was made
CREATE VIEW pg_temp.lifetimes AS
SELECT client_name, label, round(extract(epoch FROM expires_at - created_at) / 86400) AS days
FROM mogo_secrets WHERE client_name ^@ 'regress_lifetime' ORDER BY created_at;
CREATE PROCEDURE pg_temp.make_secrets(name text) LANGUAGE plpgsql AS $$
DECLARE
	id uuid := (mogo_add_client('regress_lifetime ' || name)).client_id;
BEGIN
	PERFORM mogo_add_secret(id, label => 'added');
	PERFORM mogo_rotate_secret(id, '400 days', label => 'rotated');
	PERFORM mogo_import_client('regress_lifetime ' || name || ' imported', gen_random_uuid(),
		'sha256', encode(sha256('a secret of the other system'), 'hex'));
END
$$;

-- neither is set
LOAD 'mogocred';
SHOW mogocred.default_secret_lifetime;
SHOW mogocred.max_secret_lifetime;
CALL pg_temp.make_secrets('none');
-- a default; what is asked for goes before it
SET mogocred.default_secret_lifetime = '90d';
CALL pg_temp.make_secrets('default');
SELECT client_name FROM mogo_add_client('regress_lifetime asked', now() + '365 days');
-- the longest one gives an end where there is no default, and cuts the default
SET mogocred.max_secret_lifetime = '30d';
CALL pg_temp.make_secrets('both');
RESET mogocred.default_secret_lifetime;
CALL pg_temp.make_secrets('longest');
TABLE pg_temp.lifetimes;
-- a later one is refused
SELECT client_id AS id FROM mogo_clients WHERE client_name = 'regress_lifetime none' \gset
SELECT what, pg_temp.error_of(format(call, :'id')) AS error
FROM (VALUES
	(1, 'add', $$SELECT mogo_add_client('regress_lifetime refused', now() + '31 days')$$),
	(2, 'add within', $$SELECT mogo_add_client('regress_lifetime within', now() + '29 days')$$),
	(3, 'secret', $$SELECT mogo_add_secret(%L, now() + '31 days')$$),
	(4, 'rotation', $$SELECT mogo_rotate_secret(%L, '0', now() + '31 days')$$),
	(5, 'import', $$SELECT mogo_import_client('regress_lifetime refused', gen_random_uuid(),
		'sha256', repeat('ab', 32), now() + '31 days')$$),
	(6, 'infinity', $$SELECT mogo_add_secret(%L, 'infinity')$$))
	AS v (n, what, call) ORDER BY n;
-- a client without a secret has no end either
SELECT expires_at FROM mogo_add_client('regress_lifetime no secret', with_secret => false);
RESET mogocred.max_secret_lifetime;
-- only superusers set them
CREATE ROLE regress_lifetime;
SET ROLE regress_lifetime;
SET mogocred.default_secret_lifetime = 0;
SET mogocred.max_secret_lifetime = 0;
RESET ROLE;
DROP ROLE regress_lifetime;
-- (the words differ by major)
\set VERBOSITY sqlstate
SET mogocred.max_secret_lifetime = -1;
\set VERBOSITY default

-- mogo_update_secret: what it changes, and what it says in the audit
SELECT client_id AS id, client_secret AS secret, secret_id AS s, issued_at AS t
FROM mogo_add_client('regress_lifetime update') \gset
SELECT clock_timestamp() AS start \gset
CREATE VIEW pg_temp.now_is AS
SELECT expires_at - created_at AS lifetime, label, status FROM mogo_secrets
WHERE client_name = 'regress_lifetime update' ORDER BY created_at;
SELECT mogo_update_secret(:'s', :'t'::timestamptz + '24 hours');
TABLE pg_temp.now_is;
-- later, and no end at all; the label beside it; each alone
SELECT mogo_update_secret(:'s', :'t'::timestamptz + '48 hours', 'billing job');
TABLE pg_temp.now_is;
SELECT mogo_update_secret(:'s', 'infinity');
TABLE pg_temp.now_is;
SELECT mogo_update_secret(:'s', label => '');
TABLE pg_temp.now_is;
SELECT mogo_update_secret(:'s', label => 'nightly');
-- what is so already is no change: no record, no new version of any row
SELECT c.xmin AS c_xmin, s.xmin AS s_xmin
FROM mogo_client AS c JOIN mogo_secret AS s USING (client_id) WHERE s.secret_id = :'s' \gset
SELECT mogo_update_secret(:'s'), mogo_update_secret(:'s', 'infinity', 'nightly');
SELECT c.xmin = :'c_xmin' AS same_client, s.xmin = :'s_xmin' AS same_secret
FROM mogo_client AS c JOIN mogo_secret AS s USING (client_id) WHERE s.secret_id = :'s';
-- a label alone writes the secret's row alone, an end the client's
SELECT mogo_update_secret(:'s', label => 'hourly');
SELECT c.xmin = :'c_xmin' AS same_client, s.xmin = :'s_xmin' AS same_secret, s.xmin AS s_xmin
FROM mogo_client AS c JOIN mogo_secret AS s USING (client_id) WHERE s.secret_id = :'s' \gset
SELECT :'same_client' AS same_client, :'same_secret' AS same_secret;
SELECT mogo_update_secret(:'s', :'t'::timestamptz + '72 hours');
SELECT c.xmin = :'c_xmin' AS same_client, s.xmin = :'s_xmin' AS same_secret
FROM mogo_client AS c JOIN mogo_secret AS s USING (client_id) WHERE s.secret_id = :'s';
SELECT action, client_name, secret_id = :'s' AS secret,
	jsonb_path_query_array(detail, '$.changed.keyvalue().key') AS changed,
	(detail #>> '{changed,expires_at,old}')::timestamptz - :'t' AS old_end,
	(detail #>> '{changed,expires_at,new}')::timestamptz - :'t' AS new_end,
	detail #> '{changed,label}' AS label
FROM mogo_audit WHERE at > :'start' ORDER BY at;
-- the check goes by the new end
SELECT mogo_verify(:'id', :'secret');
SELECT mogo_update_secret(:'s', clock_timestamp() + '1 second');
SELECT pg_sleep(1.1);
SELECT mogo_verify(:'id', :'secret'), mogo_verify_status(:'id', :'secret');
-- one that has ended stays so, before and after it has moved, and when it was revoked; but
-- it may be labelled, and a screen may pass what is so already
SELECT expires_at AS ended FROM mogo_secrets WHERE secret_id = :'s' \gset
SELECT mogo_update_secret(:'s', :'ended', 'ended');
SELECT pg_temp.error_of(format('SELECT mogo_update_secret(%L, ''infinity'')', :'s')) LIKE '55000%'
	AS refused;
SELECT secret_id AS s2 FROM mogo_add_secret(:'id') \gset
SELECT mogo_revoke_secret(:'s2');
SELECT regexp_replace(pg_temp.error_of(
	format('SELECT mogo_update_secret(%L, now() + ''1 day'')', s)), '[0-9a-f-]{36}', 'ID', 'g')
	AS error
FROM (VALUES (:'s'), (:'s2')) AS v (s);
SELECT mogo_update_secret(:'s2', label => 'leaked');
SELECT label, status FROM pg_temp.now_is;
SELECT mogo_verify_status(:'id', :'secret');

-- the longest lifetime counts from the secret's creation; an earlier end is always possible
SELECT secret_id AS s3, issued_at AS t3 FROM mogo_add_secret(:'id') \gset
SET mogocred.max_secret_lifetime = '1h';
SELECT mogo_update_secret(:'s3', :'t3'::timestamptz + '2 hours');
SELECT mogo_update_secret(:'s3', :'t3'::timestamptz + '1 hour 59 minutes');
SELECT e - :'t3'::timestamptz AS lifetime,
	pg_temp.error_of(format('SELECT mogo_update_secret(%L, %L)', :'s3', e)) AS error
FROM (VALUES (:'t3'::timestamptz + '2 hours'), (:'t3'::timestamptz + '59 minutes'),
	(:'t3'::timestamptz + '1 hour'), (:'t3'::timestamptz + '1 hour 1 second'))
	AS v (e);
SELECT pg_temp.error_of(format('SELECT mogo_update_secret(%L, ''infinity'')', :'s3'));
RESET mogocred.max_secret_lifetime;

-- errors
SELECT what, regexp_replace(pg_temp.error_of(format(call, :'s3')), '[0-9a-f-]{36}', 'ID', 'g')
	AS error
FROM (VALUES
	(1, 'NULL', 'SELECT mogo_update_secret(NULL)'),
	(2, 'no such secret', 'SELECT mogo_update_secret(gen_random_uuid(), ''infinity'')'),
	(3, 'past', 'SELECT mogo_update_secret(%L, now() - interval ''1 day'')'),
	(4, '-infinity', 'SELECT mogo_update_secret(%L, ''-infinity'')'),
	(5, 'label', 'SELECT mogo_update_secret(%L, label => E''a\nb'')'),
	(6, 'long label', 'SELECT mogo_update_secret(%L, label => repeat(''x'', 256))'))
	AS v (n, what, call) ORDER BY n;
SET default_transaction_read_only = on;
SELECT mogo_update_secret(NULL);
RESET default_transaction_read_only;
-- another secret of the client is not touched
SELECT secret_id AS s4 FROM mogo_add_secret(:'id', label => 'fourth') \gset
SELECT label, expires_at FROM mogo_secrets WHERE secret_id = :'s4';

SELECT count(mogo_remove_client(client_id)) > 0 AS removed
FROM mogo_clients WHERE client_name ^@ 'regress_lifetime';
DROP VIEW pg_temp.lifetimes, pg_temp.now_is;
