-- A client by the id under which another system knows it, wherever an id is text.
\pset null '(null)'
\set VERBOSITY terse
-- all that a check answers, for an id and a secret
CREATE FUNCTION pg_temp.answers(id text, secret text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', mogo_verify(id, secret), mogo_verify_digest(id, sha256(convert_to(secret,
		'UTF8'))), mogo_verify_status(id, secret),
		(SELECT client_name FROM mogo_authenticate(id, secret)),
		(SELECT client_name FROM mogo_authenticate_basic('Basic ' || translate(encode(convert_to(
			replace(replace(replace(id, '%', '%25'), ':', '%3A'), '+', '%2B') || ':' || secret,
			'UTF8'),
			'base64'), E'\n', ''))))
$$;
CREATE TABLE regress_client (n int, external_id text, client_id uuid, secret text);
INSERT INTO regress_client
SELECT n, e, client_id, client_secret
FROM (VALUES (1, 'billing'), (2, 'Billing'), (3, 'https://client.example/mcp'), (4, ' '), (5, '0'),
	(6, '782e12aa-23d3-11c0-8452-111114a14e1'), (7, '782e12aa-23d3-11c0-8452-111114a14e133'),
	(8, '''; DROP TABLE mogo_client; --'), (9, '%s%n\0'), (10, '~'), (11, repeat('x', 255)),
	(12, repeat('x', 254)), (13, '{"client": "a:b+c"}')) AS ids (n, e),
	LATERAL mogo_add_client('regress_external ' || n, external_id => e);

SELECT n, left(external_id, 40) AS external_id, pg_temp.answers(external_id, secret) AS answers
FROM regress_client ORDER BY n;
-- the client id serves on, and the row names both
SELECT count(*) FROM regress_client AS r, mogo_authenticate(r.client_id, r.secret) AS a
WHERE a.client_id = r.client_id AND a.external_id = r.external_id;
SELECT count(*) FROM regress_client AS r, mogo_authenticate(r.external_id, r.secret) AS a
WHERE a.client_id = r.client_id AND a.external_id = r.external_id;
SELECT count(*) FROM regress_client AS r WHERE mogo_verify(r.client_id::text, r.secret);
-- with the wrong secret, and with another client's
SELECT DISTINCT pg_temp.answers(external_id, 'wrong') AS answers FROM regress_client;
SELECT count(*) FROM regress_client AS a, regress_client AS b
WHERE a.n <> b.n AND mogo_verify(a.external_id, b.secret);

-- no other text is that id
SELECT id, pg_temp.answers(id, r.secret) AS answers
FROM regress_client AS r, (VALUES ('BILLING'), ('billin'), ('billing '), (' billing'), ('billing%'),
	('"billing"'), (E'billing\n'), ('billing' || chr(1)), ('bill%69ng'), ('bıllıng'), ('ｂilling'),
	(''), ('regress_external 1')) AS other (id)
WHERE r.n = 1 ORDER BY id COLLATE "C";
SELECT mogo_verify(repeat('x', 256), secret) AS longer,
	mogo_verify(repeat('x', 10000000), secret) AS long, mogo_verify(NULL::text, secret) AS none
FROM regress_client WHERE n = 11;
-- an id that is stored out of line
CREATE TABLE regress_sent (id text);
ALTER TABLE regress_sent ALTER COLUMN id SET STORAGE EXTERNAL;
INSERT INTO regress_sent SELECT repeat('x', 255) FROM generate_series(1, 3);
SELECT count(*) FROM regress_sent, regress_client AS r WHERE n = 11 AND mogo_verify(id, secret);
DROP TABLE regress_sent;
-- Basic: an id may be longer than any UUID, and every byte of it encoded
SELECT client_name FROM regress_client, mogo_authenticate_basic('Basic ' || translate(encode(
	convert_to(repeat('%78', 255) || ':' || regexp_replace(encode(convert_to(secret, 'UTF8'),
	'hex'),
	'..', '%\&', 'g'), 'UTF8'), 'base64'), E'\n', '')) WHERE n = 11;
-- parameters of every type of text, and prepared
SELECT client_id, secret FROM regress_client WHERE n = 1 \gset
PREPARE untyped AS SELECT mogo_verify($1, $2);
EXECUTE untyped('billing', :'secret');
PREPARE typed(varchar, text) AS SELECT mogo_verify($1, $2);
EXECUTE typed('billing', :'secret');

-- it takes part in all that a client goes through
SELECT mogo_disable_client(:'client_id');
SELECT pg_temp.answers('billing', :'secret');
SELECT mogo_enable_client(:'client_id');
SELECT mogo_update_client(:'client_id', allowed_cidrs => '{10.0.0.0/8}');
SELECT pg_temp.answers('billing', :'secret'),
	(SELECT client_name FROM mogo_authenticate('billing', :'secret', '10.1.1.1')) AS inside;
SELECT mogo_update_client(:'client_id', allowed_cidrs => '{}');
SELECT client_secret AS new FROM mogo_rotate_secret(:'client_id', '0') \gset
SELECT pg_temp.answers('billing', :'secret'), pg_temp.answers('billing', :'new');
-- the id moves to another client, at once, also inside an older transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT mogo_verify('billing', :'new');
SELECT mogo_update_client(:'client_id', external_id => 'invoices');
SELECT mogo_verify('billing', :'new') AS billing, mogo_verify('invoices', :'new') AS invoices;
COMMIT;
SELECT client_id AS other_id, secret AS other FROM regress_client WHERE n = 2 \gset
SELECT mogo_update_client(:'other_id', external_id => 'billing');
SELECT mogo_verify('billing', :'new') AS first, mogo_verify('billing', :'other') AS second,
	mogo_verify('Billing', :'other') AS past;
SELECT mogo_update_client(:'other_id', external_id => '');
SELECT mogo_verify('billing', :'other') AS cleared, mogo_verify('', :'other') AS empty,
	mogo_verify(:'other_id', :'other') AS by_client_id;

-- The index can be rebuilt, and if it is gone or is another one, the table is read through.
CREATE FUNCTION pg_temp.by_any_id() RETURNS text LANGUAGE sql AS $$
	SELECT concat(count(*) FILTER (WHERE mogo_verify(external_id, secret)), ' ',
		count(*) FILTER (WHERE mogo_verify(client_id, secret)), ' ',
		count(*) FILTER (WHERE mogo_verify(external_id || 'x', secret)))
	FROM regress_client WHERE n > 2
$$;
SELECT pg_temp.by_any_id();
REINDEX TABLE CONCURRENTLY mogo_client;
SELECT pg_temp.by_any_id();
VACUUM FULL mogo_client;
SELECT pg_temp.by_any_id();
BEGIN;
ALTER TABLE mogo_client DROP CONSTRAINT mogo_client_external_id_key;
SELECT pg_temp.by_any_id() AS none;
SAVEPOINT s;
CREATE INDEX mogo_client_external_id_key ON mogo_client (external_id);
SELECT pg_temp.by_any_id() AS not_unique;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client USING hash (external_id);
SELECT pg_temp.by_any_id() AS hash;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client (external_id) WHERE enabled IS NULL;
SELECT pg_temp.by_any_id() AS partial;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client (external_id COLLATE "POSIX");
SELECT pg_temp.by_any_id() AS collation;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client (client_name);
SELECT pg_temp.by_any_id() AS other_column;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client (external_id, client_id);
SELECT pg_temp.by_any_id() AS two_columns;
ROLLBACK TO s;
CREATE INDEX mogo_client_external_id_key ON mogo_client ((external_id || ''));
SELECT pg_temp.by_any_id() AS expression;
ROLLBACK;
SELECT pg_temp.by_any_id();

SELECT count(mogo_remove_client(client_id)) FROM regress_client;
SELECT pg_temp.by_any_id();
DROP TABLE regress_client;

-- A UUID is a client id, and not for an administrator to give. No list has no number.
SELECT client_name FROM mogo_add_client('regress external uuid',
	external_id => '782e12aa-23d3-11c0-8452-111114a14e13');
\echo :LAST_ERROR_SQLSTATE
SELECT mogo_live_count(NULL), mogo_next_expiry(NULL);
