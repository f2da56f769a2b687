-- An address that came from a network is text and never raises an error. What is not an
-- address is inside no network: a client without networks is accepted, one with them is not.
\set VERBOSITY terse
SELECT client_id AS free_id, client_secret AS free_secret
	FROM mogo_add_client('regress free') \gset
SELECT client_id AS bound_id, client_secret AS bound_secret FROM mogo_add_client('regress bound',
	allowed_cidrs => '{10.1.0.0/16,2001:db8::/32,fe80::/10,::1/128}') \gset
SELECT addr,
	(SELECT count(*) FROM mogo_authenticate(:'free_id', :'free_secret', addr)) AS free,
	(SELECT count(*) FROM mogo_authenticate(:'bound_id', :'bound_secret', addr)) AS bound,
	(SELECT count(*) FROM mogo_authenticate(:'bound_id'::uuid, :'bound_secret', addr)) AS by_uuid,
	(SELECT count(*) FROM mogo_authenticate_basic('Basic ' ||
		replace(encode(convert_to(:'bound_id' || ':' || :'bound_secret', 'UTF8'), 'base64'),
		E'\n', ''), addr)) AS basic
FROM (VALUES
	-- understood, and inside
	(1, '10.1.2.3'), (2, '10.1.2.3:51234'), (3, '10.1.2.3:0'), (4, '2001:db8::1'),
	(5, '[2001:db8::1]'), (6, '[2001:DB8::1]:443'), (7, '::1'), (8, '[::1]:51234'),
	(9, 'fe80::1%eth0'), (10, '[fe80::1%eth0]:443'), (11, '::ffff:10.1.2.3'),
	(12, '[::ffff:10.1.2.3]:80'), (13, '2001:0db8:0000:0000:0000:0000:255.255.255.255'),
	-- understood, and outside
	(20, '10.2.0.1'), (21, '192.0.2.1:80'), (22, '2001:db9::1'), (23, '::ffff:10.2.0.1'),
	-- not an address
	(30, ''), (31, 'unknown'), (32, '10.1.2.3, 192.0.2.1'), (33, '10.1.2.3,10.1.2.3'),
	(34, ' 10.1.2.3'), (35, '10.1.2.3 '), (36, '10.1.2'), (37, '10.1.2.3.4'), (38, '10.1.2.256'),
	(39, '010.1.2.3'), (40, '10.1.0.0/16'), (41, '10.1.2.3:'), (42, '10.1.2.3:x'),
	(43, '10.1.2.3:123456'), (44, ':80'), (45, ':'), (46, '::1:'), (47, '['), (48, ']'),
	(49, '[]'), (50, '[::1'), (51, '::1]'), (52, '[::1]443'), (53, '[::1]:'), (54, '[::1]:x'),
	(55, '[10.1.2.3]'), (56, '[10.1.2.3]:80'), (57, 'fe80::1%'), (58, '%eth0'),
	(59, '10.1.2.3%eth0'),
	(60, '[::1%'), (61, E'10.1.2.3\n'), (62, 'localhost'), (63, '0x0a010203'), (64, '167838211'),
	(65, repeat('1', 300)), (66, '::1' || repeat(' ', 10000000)), (67, U&'\0661\0660.1.2.3'),
	(68, 'fe80::1%' || repeat('x', 100)), (69, '/tmp/socket'),
	(70, repeat('1', 60)),
	(99, NULL)) AS v (n, addr)
WHERE length(addr) < 100 OR addr IS NULL ORDER BY n;
SELECT count(a.*) FROM (VALUES (repeat('1', 300)), ('::1' || repeat(' ', 10000000)),
	('fe80::1%' || repeat('x', 200))) AS v (addr),
	LATERAL mogo_authenticate(:'bound_id', :'bound_secret', addr) AS a;

-- The inet form goes by the type, and a literal without one is text.
SELECT
	(SELECT count(*) FROM mogo_authenticate(:'bound_id', :'bound_secret', '10.1.2.3'::inet))
		AS inet,
	(SELECT count(*) FROM mogo_authenticate(:'bound_id', :'bound_secret', NULL::inet)) AS null_inet,
	(SELECT count(*) FROM mogo_authenticate(:'bound_id', :'bound_secret', 'unknown')) AS untyped,
	(SELECT count(*) FROM mogo_authenticate(:'bound_id', :'bound_secret')) AS none;
PREPARE untyped AS SELECT client_name FROM mogo_authenticate($1, $2, $3);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
EXECUTE untyped(:'bound_id', :'bound_secret', '10.1.2.3:4711');
DEALLOCATE untyped;

-- Without a match nobody is told that an address is needed, nor that it was a wrong one.
SELECT mogo_verify_status(:'bound_id', :'bound_secret'), mogo_verify_status(:'bound_id', 'wrong');
TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
