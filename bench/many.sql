-- Adds one client as mogo_add_client does, by INSERTs: the same rows, in one transaction. The
-- role has to be a superuser, because nobody is granted the tables.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION mogocred;
CREATE SCHEMA bench;
CREATE FUNCTION bench.insert_client() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id uuid := gen_random_uuid();
	secret_id uuid := gen_random_uuid();
	salt bytea := gen_random_bytes(16);
	secret text := gen_random_uuid()::text;
	name text := gen_random_uuid()::text;
BEGIN
	INSERT INTO mogo_client (client_id, enabled, salt, live, allowed_cidrs, client_name, scopes,
		metadata, created_at, created_by)
	VALUES (id, true, salt, ARRAY[ROW(secret_id, 'infinity', true, 'sha256$' || encode(salt, 'hex')
		|| '$' || encode(sha256(salt || sha256(secret::bytea)), 'hex'))::mogo_live_secret],
		'{}', name, '{}', '{}', now(), session_user);
	INSERT INTO mogo_secret (secret_id, client_id, created_at, created_by)
	VALUES (secret_id, id, now(), session_user);
	INSERT INTO mogo_audit_log
	SELECT now(), session_user, current_user, 'client_added', id, name, secret_id,
		inet_client_addr(), current_setting('application_name'), a.detail
	FROM (SELECT jsonb_build_object('external_id', NULL, 'scopes', '[]'::jsonb, 'metadata',
		'{}'::jsonb, 'allowed_cidrs', '[]'::jsonb, 'expires_at', NULL, 'label', NULL)) AS a (detail);
	RETURN secret;
END
$$;
