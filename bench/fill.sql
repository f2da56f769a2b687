-- Clients from :first to :last, straight into mogo_client, with hashes from core's
-- sha256(); and the same rows for the bare SELECT.
INSERT INTO mogo_client (client_id, enabled, salt, live, allowed_cidrs, client_name,
	scopes, metadata, created_at, created_by, external_id)
SELECT bench.id(n), true, s.salt,
	ARRAY[ROW(md5('secret id' || n)::uuid, 'infinity', true,
		'sha256$' || encode(s.salt, 'hex') || '$' ||
		encode(sha256(s.salt || sha256(bench.secret(n)::bytea)), 'hex'))::mogo_live_secret],
	'{}', 'client ' || lpad(n::text, 8, '0'), '{}', '{}', now(), 'bench',
	bench.external_id(n)
FROM generate_series(:first, :last) AS n
CROSS JOIN LATERAL (SELECT decode(md5('salt' || n), 'hex') AS salt) AS s;

INSERT INTO bench.bare
SELECT * FROM mogo_client WHERE client_id BETWEEN bench.id(:first) AND bench.id(:last);
