/* mogocred 1.0: the whole extension. Upgrade scripts stand beside this file. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION mogocred CASCADE" to load this file. \quit

-- Rules of this script: every name and operator is qualified, so that nothing
-- planted in a schema beforehand is ever used; nothing is replaced and nothing is
-- "IF NOT EXISTS", so that nothing planted is ever adopted; EXECUTE is taken from
-- PUBLIC right after each CREATE. The functions run as their caller.

-- What an administrator is shown once.
CREATE TYPE @extschema@.mogo_credentials AS (
	client_name text,
	client_id uuid,
	client_secret text,
	secret_id uuid,
	issued_at timestamptz,
	expires_at timestamptz,
	external_id text
);
COMMENT ON TYPE @extschema@.mogo_credentials
IS 'A client''s credentials with a new secret, which is kept nowhere.';

-- What an administrator sends to a client's owner.
CREATE TYPE @extschema@.mogo_invitation AS (
	invitation_id uuid,
	client_id uuid,
	client_name text,
	code text,
	expires_at timestamptz
);
COMMENT ON TYPE @extschema@.mogo_invitation
IS 'An invitation with its code, which is kept nowhere.';

-- What a check needs of a live secret. src/tables.c reads it by its attributes' places.
CREATE TYPE @extschema@.mogo_live_secret AS (
	secret_id uuid,
	expires_at timestamptz,
	generated boolean,
	hash text
);
COMMENT ON TYPE @extschema@.mogo_live_secret
IS 'A live secret in its client''s row: its id, its expiry (infinity: never), whether a program made it, and its hash.';

-- A client. Its row is all that a check reads, so it carries the hashes of its live
-- secrets, in line. The columns of a check stand first (src/mogocred.h counts them).
-- No foreign keys, because every write goes through C code that holds the client's row.
-- No CHECKs, because PostgreSQL would read them anew for each client that is added; the
-- C code looks at the salt's length and at the number of live secrets when it reads a row.
-- VACUUM must not truncate the table, nor its TOAST table with long metadata and lists of
-- networks, because truncation takes a lock that stops checks.
CREATE TABLE @extschema@.mogo_client (
	client_id uuid NOT NULL,
	enabled boolean NOT NULL,
	salt bytea NOT NULL,
	live @extschema@.mogo_live_secret[] NOT NULL,
	allowed_cidrs cidr[] NOT NULL,
	client_name text COLLATE pg_catalog."C" NOT NULL,
	scopes text[] NOT NULL,
	metadata jsonb NOT NULL,
	created_at timestamptz NOT NULL,
	created_by text NOT NULL,
	external_id text COLLATE pg_catalog."C",
	CONSTRAINT mogo_client_pkey PRIMARY KEY (client_id),
	CONSTRAINT mogo_client_client_name_key UNIQUE (client_name),
	CONSTRAINT mogo_client_external_id_key UNIQUE (external_id)
) WITH (vacuum_truncate = off, toast.vacuum_truncate = off);
ALTER TABLE @extschema@.mogo_client ALTER COLUMN live SET STORAGE PLAIN;
COMMENT ON TABLE @extschema@.mogo_client
IS 'Clients with their live secrets'' hashes. Written by mogocred''s functions alone.';

-- Every secret from its issue on. While it lives its hash is in its client's row and
-- nowhere else; when it ends, hash and end come here, for mogo_verify_status.
-- src/mogocred.h counts the columns.
CREATE TABLE @extschema@.mogo_secret (
	secret_id uuid NOT NULL,
	client_id uuid NOT NULL,
	created_at timestamptz NOT NULL,
	created_by text NOT NULL,
	expires_at timestamptz,
	revoked_at timestamptz,
	hash text COLLATE pg_catalog."C",
	label text,
	CONSTRAINT mogo_secret_pkey PRIMARY KEY (secret_id)
) WITH (vacuum_truncate = off, toast.vacuum_truncate = off);
CREATE INDEX mogo_secret_client_id_hash_idx ON @extschema@.mogo_secret (client_id, hash);
COMMENT ON INDEX @extschema@.mogo_secret_client_id_hash_idx
IS 'For mogo_verify_status, which looks for an ended secret, and for removal.';
COMMENT ON TABLE @extschema@.mogo_secret
IS 'Secrets, live and ended; the hash of an ended one. Written by mogocred''s functions alone.';

-- Invitations: the SHA-256 of each code, and the properties of the secret that it leads to.
-- src/mogocred.h counts the columns.
CREATE TABLE @extschema@.mogo_invitation_code (
	invitation_id uuid NOT NULL,
	client_id uuid NOT NULL,
	code_hash bytea NOT NULL,
	created_at timestamptz NOT NULL,
	created_by text NOT NULL,
	expires_at timestamptz NOT NULL,
	overlap interval,
	secret_expires_at timestamptz,
	secret_label text,
	accepted_at timestamptz,
	accepted_from inet,
	revoked_at timestamptz,
	CONSTRAINT mogo_invitation_code_pkey PRIMARY KEY (invitation_id),
	CONSTRAINT mogo_invitation_code_code_hash_key UNIQUE (code_hash)
) WITH (vacuum_truncate = off, toast.vacuum_truncate = off);
CREATE INDEX mogo_invitation_code_client_id_idx ON @extschema@.mogo_invitation_code (client_id);
COMMENT ON INDEX @extschema@.mogo_invitation_code_client_id_idx
IS 'For the removal of a client, and for the invitations of one client.';
COMMENT ON TABLE @extschema@.mogo_invitation_code
IS 'Invitations with their codes'' hashes. Written by mogocred''s functions alone.';

-- src/mogocred.h counts the columns.
CREATE TABLE @extschema@.mogo_audit_log (
	at timestamptz NOT NULL,
	actor text NOT NULL,
	acting_as text NOT NULL,
	action text NOT NULL,
	client_id uuid,
	client_name text,
	secret_id uuid,
	client_addr inet,
	application_name text,
	detail jsonb
) WITH (vacuum_truncate = off, toast.vacuum_truncate = off);
-- It has no key, so a publication of all tables would make mogo_purge_audit fail, and the
-- tables' owner can hardly foresee one. Costs nothing below wal_level = logical.
ALTER TABLE @extschema@.mogo_audit_log REPLICA IDENTITY FULL;
CREATE INDEX mogo_audit_log_at_idx ON @extschema@.mogo_audit_log (at);
COMMENT ON INDEX @extschema@.mogo_audit_log_at_idx
IS 'For the newest rows, and for mogo_purge_audit.';
CREATE INDEX mogo_audit_log_client_id_at_idx ON @extschema@.mogo_audit_log (client_id, at);
COMMENT ON INDEX @extschema@.mogo_audit_log_client_id_at_idx
IS 'For the history of one client.';
COMMENT ON TABLE @extschema@.mogo_audit_log
IS 'One row for every change. Written by mogocred''s functions alone.';

-- Use counts as the background worker flushed them (src/usage_flush.c). Tables of
-- their own, so that no flush writes to a row that a check or an administrator needs;
-- room in the pages, so that an update stays in its page.
CREATE TABLE @extschema@.mogo_secret_usage (
	secret_id uuid NOT NULL,
	uses bigint NOT NULL,
	last_used_at timestamptz NOT NULL,
	CONSTRAINT mogo_secret_usage_pkey PRIMARY KEY (secret_id)
) WITH (vacuum_truncate = off, fillfactor = 70);
COMMENT ON TABLE @extschema@.mogo_secret_usage
IS 'Uses of secrets, as far as flushed. Written by mogocred''s background worker.';

CREATE TABLE @extschema@.mogo_client_usage (
	client_id uuid NOT NULL,
	failed_checks bigint NOT NULL,
	last_failed_at timestamptz,
	last_used_at timestamptz,
	CONSTRAINT mogo_client_usage_pkey PRIMARY KEY (client_id)
) WITH (vacuum_truncate = off, fillfactor = 70);
COMMENT ON TABLE @extschema@.mogo_client_usage
IS 'Failed checks and last uses of clients, as far as flushed. Written by mogocred''s background worker.';

-- pg_dump takes the rows along.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_client', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_secret', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_invitation_code', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_audit_log', '');

SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_secret_usage', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mogo_client_usage', '');

-- What the views show of the use counts: what was flushed, and what waits in this
-- server's memory for that. NULL if nothing was counted, or nothing is known. STABLE,
-- as the statistics functions of PostgreSQL are: do not rely on their answer for longer
-- than a row. They run as the role that reads the view.

CREATE FUNCTION @extschema@.mogo_usage_count(client_id uuid, secret_id uuid, flushed bigint)
RETURNS bigint
LANGUAGE c STABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME';
REVOKE ALL ON FUNCTION @extschema@.mogo_usage_count(uuid, uuid, bigint) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_usage_count(uuid, uuid, bigint)
IS 'For the views: how often a secret was used, or how many checks of a client failed if secret_id is all zero; adds what waits on this server to what was flushed.';

CREATE FUNCTION @extschema@.mogo_usage_last_at(client_id uuid, secret_id uuid, flushed timestamptz)
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME';
REVOKE ALL ON FUNCTION @extschema@.mogo_usage_last_at(uuid, uuid, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_usage_last_at(uuid, uuid, timestamptz)
IS 'For the views: when a secret was last used, or a client if secret_id is NULL, or when a check of a client last failed if it is all zero; the later of what was flushed and what waits on this server.';

CREATE FUNCTION @extschema@.mogo_usage_status(
	OUT preloaded boolean, OUT entries integer, OUT max_entries integer, OUT not_counted bigint)
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME';
REVOKE ALL ON FUNCTION @extschema@.mogo_usage_status() FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_usage_status()
IS 'Returns how much room there is for use counts on this server: how many of max_entries are taken, and how many checks since its start found no room.';

-- What mogo_clients shows of a client's live secrets. COST is above 10, so that
-- PostgreSQL calls these two and the two above for the rows of the page that is asked for.

CREATE FUNCTION @extschema@.mogo_live_count(live @extschema@.mogo_live_secret[])
RETURNS integer
LANGUAGE c STABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME';
REVOKE ALL ON FUNCTION @extschema@.mogo_live_count(@extschema@.mogo_live_secret[]) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_live_count(@extschema@.mogo_live_secret[])
IS 'For the views: how many of a client''s secrets have not ended.';

CREATE FUNCTION @extschema@.mogo_next_expiry(live @extschema@.mogo_live_secret[])
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME';
REVOKE ALL ON FUNCTION @extschema@.mogo_next_expiry(@extschema@.mogo_live_secret[]) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_next_expiry(@extschema@.mogo_live_secret[])
IS 'For the views: when the first of a client''s live secrets ends; NULL if none has an end.';

-- The administrator's screen. mogo_clients has subqueries and not a join, because
-- PostgreSQL runs subqueries only for the rows of the page that is asked for, and would
-- join all. No hash and no salt is in any of these views.
CREATE VIEW @extschema@.mogo_clients AS
SELECT c.client_id, c.client_name, c.enabled, c.scopes, c.metadata, c.allowed_cidrs,
	c.created_at, c.created_by,
	@extschema@.mogo_live_count(c.live) AS live_secrets,
	@extschema@.mogo_next_expiry(c.live) AS next_expiry,
	@extschema@.mogo_usage_last_at(c.client_id, NULL, (
		SELECT u.last_used_at FROM @extschema@.mogo_client_usage AS u
		WHERE u.client_id OPERATOR(pg_catalog.=) c.client_id)) AS last_used_at,
	@extschema@.mogo_usage_count(c.client_id, '00000000-0000-0000-0000-000000000000', (
		SELECT u.failed_checks FROM @extschema@.mogo_client_usage AS u
		WHERE u.client_id OPERATOR(pg_catalog.=) c.client_id)) AS failed_checks,
	c.external_id,
	@extschema@.mogo_usage_last_at(c.client_id, '00000000-0000-0000-0000-000000000000', (
		SELECT u.last_failed_at FROM @extschema@.mogo_client_usage AS u
		WHERE u.client_id OPERATOR(pg_catalog.=) c.client_id)) AS last_failed_at
FROM @extschema@.mogo_client AS c;
COMMENT ON VIEW @extschema@.mogo_clients
IS 'Clients, for the administrator''s screen.';
COMMENT ON COLUMN @extschema@.mogo_clients.client_id
IS 'The client''s id, a UUID.';
COMMENT ON COLUMN @extschema@.mogo_clients.client_name
IS 'The client''s name, unique.';
COMMENT ON COLUMN @extschema@.mogo_clients.enabled
IS 'Whether the client''s secrets are accepted.';
COMMENT ON COLUMN @extschema@.mogo_clients.scopes
IS 'The scopes that the client may ask for.';
COMMENT ON COLUMN @extschema@.mogo_clients.metadata
IS 'A JSON object of the administrator''s own.';
COMMENT ON COLUMN @extschema@.mogo_clients.allowed_cidrs
IS 'The networks that the client must call from; empty for any.';
COMMENT ON COLUMN @extschema@.mogo_clients.created_at
IS 'When the client was added.';
COMMENT ON COLUMN @extschema@.mogo_clients.created_by
IS 'The role that added the client.';
COMMENT ON COLUMN @extschema@.mogo_clients.live_secrets
IS 'How many of the client''s secrets have not ended.';
COMMENT ON COLUMN @extschema@.mogo_clients.next_expiry
IS 'When the first of the client''s live secrets ends; NULL if none has an end.';
COMMENT ON COLUMN @extschema@.mogo_clients.last_used_at
IS 'When a secret of the client was last accepted, as far as this server knows; NULL means unknown.';
COMMENT ON COLUMN @extschema@.mogo_clients.failed_checks
IS 'How many checks of the client were refused, as far as this server knows; NULL means unknown.';
COMMENT ON COLUMN @extschema@.mogo_clients.external_id
IS 'The id by which another system knows the client, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_clients.last_failed_at
IS 'When a check of the client was last refused, as far as this server knows; NULL means unknown.';

CREATE VIEW @extschema@.mogo_secrets AS
SELECT s.secret_id, s.client_id, c.client_name,
	CASE WHEN s.revoked_at IS NOT NULL THEN 'revoked'
		WHEN COALESCE(l.expires_at, s.expires_at)
			OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp() THEN 'expired'
		ELSE 'active' END AS status,
	CASE WHEN pg_catalog.starts_with(COALESCE(l.hash, s.hash), '$2') THEN 'bcrypt'
		WHEN pg_catalog.starts_with(COALESCE(l.hash, s.hash), 'sha512') THEN 'sha512'
		WHEN pg_catalog.starts_with(COALESCE(l.hash, s.hash), '$pbkdf2')
			OR pg_catalog.starts_with(COALESCE(l.hash, s.hash), 'pbkdf2') THEN 'pbkdf2'
		ELSE 'sha256' END AS algorithm,
	s.created_at, s.created_by,
	CASE WHEN l.secret_id IS NULL THEN s.expires_at
		WHEN pg_catalog.isfinite(l.expires_at) THEN l.expires_at END AS expires_at,
	s.revoked_at,
	@extschema@.mogo_usage_last_at(s.client_id, s.secret_id, u.last_used_at) AS last_used_at,
	@extschema@.mogo_usage_count(s.client_id, s.secret_id, u.uses) AS uses,
	s.label
FROM @extschema@.mogo_secret AS s
JOIN @extschema@.mogo_client AS c ON c.client_id OPERATOR(pg_catalog.=) s.client_id
LEFT JOIN @extschema@.mogo_secret_usage AS u
	ON u.secret_id OPERATOR(pg_catalog.=) s.secret_id
LEFT JOIN LATERAL pg_catalog.unnest(c.live) AS l
	ON l.secret_id OPERATOR(pg_catalog.=) s.secret_id;
COMMENT ON VIEW @extschema@.mogo_secrets
IS 'Secrets, live and ended, for the administrator''s screen.';
COMMENT ON COLUMN @extschema@.mogo_secrets.secret_id
IS 'The secret''s id, which mogo_revoke_secret takes.';
COMMENT ON COLUMN @extschema@.mogo_secrets.client_id
IS 'The id of the client that the secret belongs to.';
COMMENT ON COLUMN @extschema@.mogo_secrets.client_name
IS 'The name of the client that the secret belongs to.';
COMMENT ON COLUMN @extschema@.mogo_secrets.status
IS 'active, expired or revoked.';
COMMENT ON COLUMN @extschema@.mogo_secrets.algorithm
IS 'The algorithm of the stored hash: sha256, sha512, pbkdf2 or bcrypt.';
COMMENT ON COLUMN @extschema@.mogo_secrets.created_at
IS 'When the secret was made or imported.';
COMMENT ON COLUMN @extschema@.mogo_secrets.created_by
IS 'The role that made or imported the secret.';
COMMENT ON COLUMN @extschema@.mogo_secrets.expires_at
IS 'When the secret expires by itself; NULL for never.';
COMMENT ON COLUMN @extschema@.mogo_secrets.revoked_at
IS 'When the secret was revoked, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_secrets.last_used_at
IS 'When the secret was last accepted, as far as this server knows; NULL means unknown.';
COMMENT ON COLUMN @extschema@.mogo_secrets.uses
IS 'How often the secret was accepted, as far as this server knows; NULL means unknown.';
COMMENT ON COLUMN @extschema@.mogo_secrets.label
IS 'The secret''s label, or NULL.';

CREATE VIEW @extschema@.mogo_invitations AS
SELECT i.invitation_id, i.client_id, c.client_name,
	CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted'
		WHEN i.revoked_at IS NOT NULL THEN 'revoked'
		WHEN i.expires_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp() THEN 'expired'
		ELSE 'open' END AS status,
	i.created_at, i.created_by, i.expires_at, i.accepted_at, i.accepted_from
FROM @extschema@.mogo_invitation_code AS i
JOIN @extschema@.mogo_client AS c ON c.client_id OPERATOR(pg_catalog.=) i.client_id;
COMMENT ON VIEW @extschema@.mogo_invitations
IS 'Invitations, for the administrator''s screen: whether, when and from where each was accepted.';
COMMENT ON COLUMN @extschema@.mogo_invitations.invitation_id
IS 'The invitation''s id, which mogo_revoke_invitation takes.';
COMMENT ON COLUMN @extschema@.mogo_invitations.client_id
IS 'The id of the client that gets the secret.';
COMMENT ON COLUMN @extschema@.mogo_invitations.client_name
IS 'The name of the client that gets the secret.';
COMMENT ON COLUMN @extschema@.mogo_invitations.status
IS 'open, accepted, expired or revoked.';
COMMENT ON COLUMN @extschema@.mogo_invitations.created_at
IS 'When the invitation was made.';
COMMENT ON COLUMN @extschema@.mogo_invitations.created_by
IS 'The role that made the invitation.';
COMMENT ON COLUMN @extschema@.mogo_invitations.expires_at
IS 'When the code stops working.';
COMMENT ON COLUMN @extschema@.mogo_invitations.accepted_at
IS 'When the code was presented and the secret made, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_invitations.accepted_from
IS 'The address from which the code was presented, if it is known.';

CREATE VIEW @extschema@.mogo_audit AS
SELECT a.at, a.actor, a.acting_as, a.action, a.client_id, a.client_name, a.secret_id,
	a.client_addr, a.application_name, a.detail
FROM @extschema@.mogo_audit_log AS a;
COMMENT ON VIEW @extschema@.mogo_audit
IS 'Who changed what and when: actor is the session''s user, acting_as the current one.';
COMMENT ON COLUMN @extschema@.mogo_audit.at
IS 'When the change was made.';
COMMENT ON COLUMN @extschema@.mogo_audit.actor
IS 'The role that the session logged in as.';
COMMENT ON COLUMN @extschema@.mogo_audit.acting_as
IS 'The role that the session had taken on (SET ROLE, or the owner of a SECURITY DEFINER function).';
COMMENT ON COLUMN @extschema@.mogo_audit.action
IS 'What was done, for example client_added or secret_revoked.';
COMMENT ON COLUMN @extschema@.mogo_audit.client_id
IS 'The id of the client that was changed, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_audit.client_name
IS 'The name of that client at the time, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_audit.secret_id
IS 'The id of the secret that was made, changed or ended, or NULL.';
COMMENT ON COLUMN @extschema@.mogo_audit.client_addr
IS 'The address that the session came from; NULL for a local one.';
COMMENT ON COLUMN @extschema@.mogo_audit.application_name
IS 'The name that the session gave itself.';
COMMENT ON COLUMN @extschema@.mogo_audit.detail
IS 'What the change was: properties, old and new values; never a secret.';

-- Check: writes nothing, sees what is committed now, answers "no" to anything malformed.
-- VOLATILE, because the clock and other sessions decide; not STRICT, because NULL is "no".

CREATE FUNCTION @extschema@.mogo_verify(client_id uuid, client_secret text)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify(uuid, text)
IS 'Returns true if this is a live secret of the enabled client with this client id, else false; never NULL, never an error.';

CREATE FUNCTION @extschema@.mogo_verify(client_id text, client_secret text)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify(text, text)
IS 'Returns true if this is a live secret of the enabled client with this client id or external id, as text, else false; never NULL, never an error.';

CREATE FUNCTION @extschema@.mogo_verify_digest(client_id uuid, secret_digest bytea)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_digest_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify_digest(uuid, bytea) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify_digest(uuid, bytea)
IS 'Returns what mogo_verify returns, given the SHA-256 of the secret, so that the secret itself never reaches the server; false for a secret whose hash is not native. Must not be exposed to a network.';

CREATE FUNCTION @extschema@.mogo_verify_digest(client_id text, secret_digest bytea)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_digest_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify_digest(text, bytea) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify_digest(text, bytea)
IS 'Returns what mogo_verify returns for a client id or external id as text, given the SHA-256 of the secret, so that the secret itself never reaches the server; false for a secret whose hash is not native. Must not be exposed to a network.';

CREATE FUNCTION @extschema@.mogo_verify_status(client_id uuid, client_secret text)
RETURNS text
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_status_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify_status(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify_status(uuid, text)
IS 'Returns why mogo_verify answers as it does: valid, invalid, expired, revoked, disabled or address_required; anything but invalid only for the right secret.';

CREATE FUNCTION @extschema@.mogo_verify_status(client_id text, client_secret text)
RETURNS text
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_verify_status_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_verify_status(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_verify_status(text, text)
IS 'Returns why mogo_verify answers as it does for a client id or external id as text: valid, invalid, expired, revoked, disabled or address_required; anything but invalid only for the right secret.';

CREATE FUNCTION @extschema@.mogo_authenticate(client_id uuid, client_secret text, client_addr text DEFAULT NULL)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate(uuid, text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate(uuid, text, text)
IS 'Returns what a token service needs to mint a token: one row if the secret is a live one of the enabled client with this client id and the address (text as it came from the network) may use it, else none. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_authenticate(client_id uuid, client_secret text, client_addr inet)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_uuid_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate(uuid, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate(uuid, text, inet)
IS 'Returns what a token service needs to mint a token: one row if the secret is a live one of the enabled client with this client id and the address may use it, else none. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_authenticate(client_id text, client_secret text, client_addr text DEFAULT NULL)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate(text, text, text)
IS 'Returns what a token service needs to mint a token: one row if the secret is a live one of the enabled client with this client id or external id, as text, and the address (text as it came from the network) may use it, else none. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_authenticate(client_id text, client_secret text, client_addr inet)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_text_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate(text, text, inet)
IS 'Returns what a token service needs to mint a token: one row if the secret is a live one of the enabled client with this client id or external id, as text, and the address may use it, else none. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_authenticate_basic(authorization_header text, client_addr text DEFAULT NULL)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_basic';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate_basic(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate_basic(text, text)
IS 'Returns what mogo_authenticate returns for the id and the secret in an HTTP Authorization header of scheme Basic (RFC 6749, section 2.3.1); the address is text as it came from the network.';

CREATE FUNCTION @extschema@.mogo_authenticate_basic(authorization_header text, client_addr inet)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	secret_id uuid, expires_at timestamptz, external_id text, needs_rehash boolean)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_authenticate_basic_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_authenticate_basic(text, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_authenticate_basic(text, inet)
IS 'Returns what mogo_authenticate returns for the id and the secret in an HTTP Authorization header of scheme Basic (RFC 6749, section 2.3.1).';

CREATE FUNCTION @extschema@.mogo_get_client(client_id uuid)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	external_id text, enabled boolean, allowed_cidrs cidr[])
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_get_client_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_get_client(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_get_client(uuid)
IS 'Returns the client with this client id without its secrets, or no row: for token introspection, and for signed assertions against keys in its metadata. Not counted as a use.';

CREATE FUNCTION @extschema@.mogo_get_client(client_id text)
RETURNS TABLE (client_id uuid, client_name text, scopes text[], metadata jsonb,
	external_id text, enabled boolean, allowed_cidrs cidr[])
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_get_client_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_get_client(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_get_client(text)
IS 'Returns the client with this client id or external id, as text, without its secrets, or no row: for token introspection, and for signed assertions against keys in its metadata. Not counted as a use. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_rehash_secret(client_id uuid, client_secret text)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_rehash_secret_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_rehash_secret(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rehash_secret(uuid, text)
IS 'Replaces the hash of a secret that was imported as generated by a native one, which is fast, if this is a live secret of the enabled client with this client id; returns whether it did. Works on the primary only.';

CREATE FUNCTION @extschema@.mogo_rehash_secret(client_id text, client_secret text)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_rehash_secret_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_rehash_secret(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rehash_secret(text, text)
IS 'Replaces the hash of a secret that was imported as generated by a native one, which is fast, if this is a live secret of the enabled client with this client id or external id, as text; returns whether it did. Works on the primary only.';

-- Issue. The functions on JSON are STABLE: what they print depends on the encoding.

CREATE FUNCTION @extschema@.mogo_add_client(
	client_name text,
	expires_at timestamptz DEFAULT NULL,
	scopes text[] DEFAULT '{}',
	metadata jsonb DEFAULT '{}',
	external_id text DEFAULT NULL,
	allowed_cidrs cidr[] DEFAULT '{}',
	with_secret boolean DEFAULT true)
RETURNS @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_add_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_add_client(text, timestamptz, text[], jsonb, text, cidr[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_add_client(text, timestamptz, text[], jsonb, text, cidr[], boolean)
IS 'Adds a client and returns its credentials with its first secret, which exists in clear only at this moment; with_secret => false adds a client that has none yet.';

CREATE FUNCTION @extschema@.mogo_ensure_client(
	client_name text,
	scopes text[] DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	external_id text DEFAULT NULL,
	allowed_cidrs cidr[] DEFAULT NULL)
RETURNS @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_ensure_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_ensure_client(text, text[], jsonb, text, cidr[]) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_ensure_client(text, text[], jsonb, text, cidr[])
IS 'Adds a client of this name with a first secret; if there is one already, gives it these properties (NULL leaves one as it is) and returns it without a secret. Running it again changes nothing.';

CREATE FUNCTION @extschema@.mogo_credentials_json(credentials @extschema@.mogo_credentials)
RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_credentials_json';
REVOKE ALL ON FUNCTION @extschema@.mogo_credentials_json(@extschema@.mogo_credentials) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_credentials_json(@extschema@.mogo_credentials)
IS 'Returns the file to download: clientName, clientId and clientSecret, one a line.';

CREATE FUNCTION @extschema@.mogo_credentials_json(client_name text, client_id uuid, client_secret text)
RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_credentials_json_values';
REVOKE ALL ON FUNCTION @extschema@.mogo_credentials_json(text, uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_credentials_json(text, uuid, text)
IS 'Returns the file to download for a screen that still holds the values: clientName, clientId and clientSecret, one a line.';

CREATE FUNCTION @extschema@.mogo_registration_json(credentials @extschema@.mogo_credentials)
RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mogo_registration_json';
REVOKE ALL ON FUNCTION @extschema@.mogo_registration_json(@extschema@.mogo_credentials) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_registration_json(@extschema@.mogo_credentials)
IS 'Returns credentials as an RFC 7591 registration response.';

-- Manage.

CREATE FUNCTION @extschema@.mogo_add_secret(client_id uuid, expires_at timestamptz DEFAULT NULL, label text DEFAULT NULL)
RETURNS @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_add_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_add_secret(uuid, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_add_secret(uuid, timestamptz, text)
IS 'Gives a client one more live secret and leaves the others alone.';

CREATE FUNCTION @extschema@.mogo_rotate_secret(client_id uuid, overlap interval, expires_at timestamptz DEFAULT NULL, label text DEFAULT NULL)
RETURNS @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_rotate_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_rotate_secret(uuid, interval, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rotate_secret(uuid, interval, timestamptz, text)
IS 'Gives a client a new secret; every other live one ends after the overlap at the latest, or is revoked at once if that is zero.';

CREATE FUNCTION @extschema@.mogo_update_secret(secret_id uuid, expires_at timestamptz DEFAULT NULL, label text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_update_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_update_secret(uuid, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_update_secret(uuid, timestamptz, text)
IS 'Moves the end of a live secret (infinity takes it away), or changes a secret''s label; NULL leaves either as it is, and an empty label clears it.';

CREATE FUNCTION @extschema@.mogo_find_secret(client_secret text)
RETURNS TABLE (client_id uuid, client_name text, external_id text, secret_id uuid, status text)
LANGUAGE c VOLATILE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_find_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_find_secret(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_find_secret(text)
IS 'Returns whose secret this is, live or ended, for one that leaked without its client''s id. Goes through all clients; compares only hashes of mogocred''s own kind, and says how many others there are. Counts nothing.';

CREATE FUNCTION @extschema@.mogo_revoke_secret(secret_id uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_revoke_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_revoke_secret(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_revoke_secret(uuid)
IS 'Revokes a secret at commit. Revoking it again changes nothing.';

CREATE FUNCTION @extschema@.mogo_disable_client(client_id uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_disable_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_disable_client(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_disable_client(uuid)
IS 'Disables a client at commit, and keeps its secrets.';

CREATE FUNCTION @extschema@.mogo_enable_client(client_id uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_enable_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_enable_client(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_enable_client(uuid)
IS 'Enables a disabled client at commit.';

CREATE FUNCTION @extschema@.mogo_remove_client(client_id uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_remove_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_remove_client(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_remove_client(uuid)
IS 'Deletes a client with all its secrets at commit. The audit stays.';

CREATE FUNCTION @extschema@.mogo_update_client(
	client_id uuid,
	client_name text DEFAULT NULL,
	scopes text[] DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	allowed_cidrs cidr[] DEFAULT NULL,
	external_id text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_update_client';
REVOKE ALL ON FUNCTION @extschema@.mogo_update_client(uuid, text, text[], jsonb, cidr[], text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_update_client(uuid, text, text[], jsonb, cidr[], text)
IS 'Changes a client''s properties; NULL leaves one as it is. A client with allowed_cidrs is accepted only by the functions that are given an address inside one of them.';

CREATE FUNCTION @extschema@.mogo_import_client(
	client_name text,
	client_id uuid,
	algorithm text,
	secret text,
	expires_at timestamptz DEFAULT NULL,
	scopes text[] DEFAULT '{}',
	metadata jsonb DEFAULT '{}',
	generated boolean DEFAULT false,
	label text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_import_client_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_import_client(text, uuid, text, text, timestamptz, text[], jsonb, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_import_client(text, uuid, text, text, timestamptz, text[], jsonb, boolean, text)
IS 'Takes a client over from another system with no new secret; algorithm is sha256, sha512, pbkdf2, bcrypt or plain, and generated says that a program made the secret. Returns the secret''s id.';

CREATE FUNCTION @extschema@.mogo_import_client(
	client_name text,
	client_id text,
	algorithm text,
	secret text,
	expires_at timestamptz DEFAULT NULL,
	scopes text[] DEFAULT '{}',
	metadata jsonb DEFAULT '{}',
	generated boolean DEFAULT false,
	label text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_import_client_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_import_client(text, text, text, text, timestamptz, text[], jsonb, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_import_client(text, text, text, text, timestamptz, text[], jsonb, boolean, text)
IS 'Takes a client over from another system with no new secret, by an id that becomes its client id if it is a UUID, else its external id; algorithm is sha256, sha512, pbkdf2, bcrypt or plain, and generated says that a program made the secret. Returns the secret''s id.';

CREATE FUNCTION @extschema@.mogo_import_secret(
	client_id uuid,
	algorithm text,
	secret text,
	expires_at timestamptz DEFAULT NULL,
	generated boolean DEFAULT false,
	label text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_import_secret';
REVOKE ALL ON FUNCTION @extschema@.mogo_import_secret(uuid, text, text, timestamptz, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_import_secret(uuid, text, text, timestamptz, boolean, text)
IS 'Gives a client one more live secret that another system has issued, with algorithm and generated as in mogo_import_client. Returns the secret''s id.';

-- Deliver.

CREATE FUNCTION @extschema@.mogo_invite(
	client_id uuid,
	valid_for interval,
	overlap interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	label text DEFAULT NULL)
RETURNS @extschema@.mogo_invitation
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_invite';
REVOKE ALL ON FUNCTION @extschema@.mogo_invite(uuid, interval, interval, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_invite(uuid, interval, interval, timestamptz, text)
IS 'Makes a code that is good for one new secret of this client, once. Without an overlap the secret comes beside the others; with one, the others end as in mogo_rotate_secret.';

CREATE FUNCTION @extschema@.mogo_revoke_invitation(invitation_id uuid)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_revoke_invitation';
REVOKE ALL ON FUNCTION @extschema@.mogo_revoke_invitation(uuid) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_revoke_invitation(uuid)
IS 'Revokes an invitation that was not accepted. Revoking it again changes nothing.';

CREATE FUNCTION @extschema@.mogo_accept_invitation(code text, client_addr text DEFAULT NULL)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_accept_invitation';
REVOKE ALL ON FUNCTION @extschema@.mogo_accept_invitation(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_accept_invitation(text, text)
IS 'Returns the credentials with a new secret, once, if the code is that of an open invitation and the address (text as it came from the network) may be used; else no row. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_accept_invitation(code text, client_addr inet)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_accept_invitation_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_accept_invitation(text, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_accept_invitation(text, inet)
IS 'Returns the credentials with a new secret, once, if the code is that of an open invitation and the address may be used; else no row. Never an error for what a network sends.';

CREATE FUNCTION @extschema@.mogo_rotate_own_secret(client_id text, client_secret text, overlap interval, client_addr text DEFAULT NULL)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_rotate_own_secret_text';
REVOKE ALL ON FUNCTION @extschema@.mogo_rotate_own_secret(text, text, interval, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rotate_own_secret(text, text, interval, text)
IS 'Returns a new secret to a client that proves its present one, given its client id or external id as text; all other secrets end after the overlap. No row for a wrong pair.';

CREATE FUNCTION @extschema@.mogo_rotate_own_secret(client_id text, client_secret text, overlap interval, client_addr inet)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_rotate_own_secret_text_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_rotate_own_secret(text, text, interval, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rotate_own_secret(text, text, interval, inet)
IS 'Returns a new secret to a client that proves its present one, given its client id or external id as text; all other secrets end after the overlap. No row for a wrong pair.';

CREATE FUNCTION @extschema@.mogo_rotate_own_secret(client_id uuid, client_secret text, overlap interval, client_addr text DEFAULT NULL)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_rotate_own_secret_uuid';
REVOKE ALL ON FUNCTION @extschema@.mogo_rotate_own_secret(uuid, text, interval, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rotate_own_secret(uuid, text, interval, text)
IS 'Returns a new secret to a client that proves its present one; all other secrets end after the overlap. No row for a wrong pair.';

CREATE FUNCTION @extschema@.mogo_rotate_own_secret(client_id uuid, client_secret text, overlap interval, client_addr inet)
RETURNS SETOF @extschema@.mogo_credentials
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'mogo_rotate_own_secret_uuid_inet';
REVOKE ALL ON FUNCTION @extschema@.mogo_rotate_own_secret(uuid, text, interval, inet) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_rotate_own_secret(uuid, text, interval, inet)
IS 'Returns a new secret to a client that proves its present one; all other secrets end after the overlap. No row for a wrong pair.';

CREATE FUNCTION @extschema@.mogo_purge(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_purge';
REVOKE ALL ON FUNCTION @extschema@.mogo_purge(interval) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_purge(interval)
IS 'Deletes secrets and invitations that ended more than the given interval ago. Returns how many secrets.';

CREATE FUNCTION @extschema@.mogo_purge_audit(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_purge_audit';
REVOKE ALL ON FUNCTION @extschema@.mogo_purge_audit(interval) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_purge_audit(interval)
IS 'Deletes audit rows that are older than the given interval. Returns how many. For the extension''s owner alone.';

-- Access: for the extension's owner.

CREATE FUNCTION @extschema@.mogo_grant_admin(role regrole)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_grant_admin';
REVOKE ALL ON FUNCTION @extschema@.mogo_grant_admin(regrole) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_grant_admin(regrole)
IS 'Grants a role the right to add and manage clients, to check credentials and to read the views.';

CREATE FUNCTION @extschema@.mogo_grant_verifier(role regrole)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_grant_verifier';
REVOKE ALL ON FUNCTION @extschema@.mogo_grant_verifier(regrole) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_grant_verifier(regrole)
IS 'Grants a role the right to check credentials, and nothing else.';

CREATE FUNCTION @extschema@.mogo_grant_portal(role regrole)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_grant_portal';
REVOKE ALL ON FUNCTION @extschema@.mogo_grant_portal(regrole) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_grant_portal(regrole)
IS 'Grants a role the right to accept invitations and to rotate a secret that a client proves, and nothing else.';

CREATE FUNCTION @extschema@.mogo_grant_monitor(role regrole)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_grant_monitor';
REVOKE ALL ON FUNCTION @extschema@.mogo_grant_monitor(regrole) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_grant_monitor(regrole)
IS 'Grants a role the right to read the views and mogo_usage_status, and nothing else.';

CREATE FUNCTION @extschema@.mogo_revoke_access(role regrole)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'mogo_revoke_access';
REVOKE ALL ON FUNCTION @extschema@.mogo_revoke_access(regrole) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.mogo_revoke_access(regrole)
IS 'Revokes all that the functions mogo_grant_... granted a role. Warns about rights that the role keeps by other ways.';

-- ALTER DEFAULT PRIVILEGES may have given somebody rights on what was just made, and
-- types go to PUBLIC: take every right of everybody but the owner from every member.
DO $strip$
DECLARE
	r record;
BEGIN
	FOR r IN
		SELECT o.object, a.grantee
		FROM (
			SELECT pg_catalog.format('FUNCTION %s', p.oid::pg_catalog.regprocedure) AS object,
				COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)) AS acl,
				p.proowner AS owner, p.oid, p.tableoid
			FROM pg_catalog.pg_proc AS p
			UNION ALL
			SELECT pg_catalog.format('TABLE %s', c.oid::pg_catalog.regclass),
				COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner)),
				c.relowner, c.oid, c.tableoid
			FROM pg_catalog.pg_class AS c
			WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v}'::pg_catalog."char"[])
			UNION ALL
			SELECT pg_catalog.format('TYPE %s', t.oid::pg_catalog.regtype),
				COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)),
				t.typowner, t.oid, t.tableoid
			FROM pg_catalog.pg_type AS t
			-- From 17 on array types and the row types of tables are members too. The former have
			-- no rights of their own; pg_dump warns of initial rights on the latter.
			WHERE t.typcategory OPERATOR(pg_catalog.<>) 'A'
				AND NOT EXISTS (
					SELECT FROM pg_catalog.pg_class AS c
					WHERE c.oid OPERATOR(pg_catalog.=) t.typrelid
						AND c.relkind OPERATOR(pg_catalog.<>) 'c')
		) AS o
		JOIN pg_catalog.pg_depend AS d
			ON d.classid OPERATOR(pg_catalog.=) o.tableoid
			AND d.objid OPERATOR(pg_catalog.=) o.oid
			AND d.deptype OPERATOR(pg_catalog.=) 'e'
		JOIN pg_catalog.pg_extension AS e
			ON d.refclassid OPERATOR(pg_catalog.=) e.tableoid
			AND d.refobjid OPERATOR(pg_catalog.=) e.oid
			AND e.extname OPERATOR(pg_catalog.=) 'mogocred'
		CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
		WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', r.object,
			CASE WHEN r.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
				ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.grantee)) END);
	END LOOP;
END
$strip$;

-- A role that may create in our schema can plant a function that wins over ours even in a
-- qualified call (SECURITY.md tells the attack), so CREATE EXTENSION warns of it.
DO $warn$
BEGIN
	IF EXISTS (
		SELECT FROM pg_catalog.pg_namespace AS n
		CROSS JOIN LATERAL pg_catalog.aclexplode(
			COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
		JOIN pg_catalog.pg_roles AS me ON me.rolname OPERATOR(pg_catalog.=) CURRENT_USER
		WHERE n.oid OPERATOR(pg_catalog.=) (
				SELECT e.extnamespace FROM pg_catalog.pg_extension AS e
				WHERE e.extname OPERATOR(pg_catalog.=) 'mogocred')
			AND (n.nspowner OPERATOR(pg_catalog.<>) me.oid
				OR a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
				AND a.grantee OPERATOR(pg_catalog.<>) me.oid)
	) THEN
		RAISE WARNING 'other roles can create objects in the schema of extension mogocred'
			USING DETAIL = 'A function that one of them creates there can be called in place of an extension''s function of the same name.',
				HINT = 'Drop the extension and create it in a schema of its own: CREATE SCHEMA mogo; CREATE EXTENSION mogocred SCHEMA mogo CASCADE.';
	END IF;
END
$warn$;
