-- mogo_get_client: a client without its secret, read as a check reads it.
\pset null '(null)'
SELECT client_id AS id, client_secret AS secret FROM mogo_add_client('regress_get',
	scopes => '{read,write}', metadata => '{"jwks": {"keys": []}}', external_id => 'get-1',
	allowed_cidrs => '{10.0.0.0/8}') \gset
SELECT client_id AS bare FROM mogo_add_client('regress_get bare', with_secret => false) \gset

-- by each id, and what a parameter without a type reaches
SELECT client_id = :'id' AS same, client_name, scopes, metadata, external_id, enabled, allowed_cidrs
FROM mogo_get_client(:'id'::uuid);
SELECT client_id = :'id' AS same, external_id FROM mogo_get_client(upper(:'id'));
SELECT client_id = :'id' AS same FROM mogo_get_client('get-1');
PREPARE untyped AS SELECT client_name FROM mogo_get_client($1);
EXECUTE untyped('get-1');
EXECUTE untyped(:'id');
SELECT client_name, scopes, metadata, external_id, enabled, allowed_cidrs
FROM mogo_get_client(:'bare');
-- a disabled client is one still
SELECT mogo_disable_client(:'id');
SELECT enabled FROM mogo_get_client(:'id');

-- no row, and no error, for what a network sends
SELECT n, count(c) FROM (VALUES (1, NULL), (2, ''), (3, 'get-'), (4, 'GET-1'), (5, 'get-1 '),
	(6, 'regress_get'), (7, '00000000-0000-0000-0000-000000000000'), (8, E'\n'), (9, 'é'),
	(10, repeat('x', 255)), (11, repeat('x', 1000000)), (12, '%'))
	AS v (n, id)
LEFT JOIN LATERAL mogo_get_client(v.id) AS c ON true GROUP BY n ORDER BY n;
SELECT count(*) FROM mogo_get_client(NULL::uuid);
SELECT count(*) FROM mogo_get_client(gen_random_uuid());

-- metadata and lists that are out of line
SELECT mogo_update_client(:'id',
	metadata => jsonb_build_object('k', (SELECT string_agg(md5(g::text), '')
		FROM generate_series(1, 500) AS g)),
	scopes => (SELECT array_agg(md5(g::text) || md5(g::text)) FROM generate_series(1, 256) AS g),
	allowed_cidrs => (SELECT array_agg(('10.0.0.0'::inet + g)::cidr)
		FROM generate_series(1, 256) AS g));
SELECT g.metadata = c.metadata AS metadata, g.scopes = c.scopes AS scopes,
	g.allowed_cidrs = c.allowed_cidrs AS networks, length(c.metadata::text) AS length
FROM mogo_get_client(:'id') AS g JOIN mogo_clients AS c USING (client_id);

-- a row for each of several ids, and none for the others, in one statement
SELECT c.client_name FROM unnest(ARRAY[:'bare', gen_random_uuid()::text, 'get-1']) AS i (id)
CROSS JOIN LATERAL mogo_get_client(i.id) AS c ORDER BY 1;
-- in a read-only transaction; and what is committed now in an old snapshot (verify_snapshot)
BEGIN READ ONLY;
SELECT client_name FROM mogo_get_client(:'bare');
COMMIT;
-- it keeps no lock between BEGIN and COMMIT
BEGIN;
SELECT client_name FROM mogo_get_client('get-1');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'mogo_client'::regclass;
COMMIT;

-- a verifier's right, and nothing more than its columns
CREATE ROLE regress_get;
SET ROLE regress_get;
SELECT mogo_get_client('get-1');
RESET ROLE;
SELECT mogo_grant_verifier('regress_get');
SET ROLE regress_get;
SELECT client_name FROM mogo_get_client('get-1');
SELECT client_name FROM mogo_clients;
RESET ROLE;
SELECT mogo_revoke_access('regress_get');
DROP ROLE regress_get;

-- a function that was declared otherwise
CREATE FUNCTION regress_other(text) RETURNS TABLE (client_id uuid, client_name text)
LANGUAGE c AS 'mogocred', 'mogo_get_client_text';
SELECT regress_other('get-1');
DROP FUNCTION regress_other;

SELECT count(mogo_remove_client(client_id)) FROM mogo_clients WHERE client_name ^@ 'regress_get';
DEALLOCATE untyped;
