-- Both formats of a secret: their form, their bits, the token's checksum and prefix.

-- CRC-32 as zlib and PNG have it, written anew from its definition.
CREATE FUNCTION pg_temp.crc32(data bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	crc bigint := x'FFFFFFFF'::bigint;
BEGIN
	FOR i IN 0 .. octet_length(data) - 1 LOOP
		crc := crc # get_byte(data, i);
		FOR bit IN 1 .. 8 LOOP
			crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # x'EDB88320'::bigint ELSE crc >> 1 END;
		END LOOP;
	END LOOP;
	RETURN crc # x'FFFFFFFF'::bigint;
END $$;
CREATE FUNCTION pg_temp.base62(digits text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	n numeric := 0;
BEGIN
	FOR i IN 1 .. length(digits) LOOP
		n := n * 62 + position(
		substr(digits, i,
		1) IN '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') - 1;
	END LOOP;
	RETURN n;
END $$;
-- the checksum of the nine digits that every catalogue of CRCs gives
SELECT to_hex(pg_temp.crc32('123456789')) AS check_value, pg_temp.base62('10') AS sixty_two;

LOAD 'mogocred';
SELECT name, setting, context, vartype, enumvals FROM pg_settings
WHERE name IN ('mogocred.secret_format', 'mogocred.token_prefix') ORDER BY name;

-- uuid: every one of the 128 bits takes both values, so none is a version or a
-- variant (by chance once in 2^391).
CREATE TEMP TABLE secret AS
SELECT c.client_secret, decode(replace(c.client_secret, '-', ''), 'hex') AS bits
FROM generate_series(1, 400) AS g, LATERAL mogo_add_client('regress uuid ' || g) AS c;
SELECT count(*) FILTER (
	WHERE client_secret ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')
	AS in_form,
	count(DISTINCT client_secret) AS distinct_ones FROM secret;
SELECT count(*) AS free_bits FROM (
	SELECT FROM secret, generate_series(0, 127) AS bit
	GROUP BY bit HAVING count(DISTINCT get_bit(bits, bit)) = 2) AS b;
DROP TABLE secret;

-- token
SET mogocred.secret_format = token;
CREATE TEMP TABLE secret AS
SELECT c.client_id, c.client_secret
FROM generate_series(1, 200) AS g, LATERAL mogo_add_client('regress token ' || g) AS c;
SELECT count(*) FILTER (WHERE client_secret ~ '^mogo_[0-9A-Za-z]{49}$') AS in_form,
	count(DISTINCT client_secret) AS distinct_ones,
	count(*) FILTER (WHERE pg_temp.base62(right(client_secret, 6))
		= pg_temp.crc32(convert_to(left(client_secret, -6), 'UTF8'))) AS with_its_crc,
	count(*) FILTER (WHERE pg_temp.base62(substr(client_secret, 6, 43)) < 2::numeric ^ 256)
	AS of_256_bits,
	max(pg_temp.base62(substr(client_secret, 6, 43))) > 2::numeric ^ 255 AS top_bit_used,
	count(DISTINCT pg_temp.base62(substr(client_secret, 6, 43)) % 256) > 64 AS low_bits_used,
	count(*) FILTER (WHERE mogo_verify(client_id, client_secret)) AS verified
FROM secret;
-- the digits tell case, and the whole text counts
SELECT count(*) FILTER (WHERE mogo_verify(client_id, upper(client_secret))) AS upper_case,
	count(*) FILTER (WHERE mogo_verify(client_id, lower(client_secret))) AS lower_case,
	count(*) FILTER (WHERE mogo_verify(client_id, substr(client_secret, 6))) AS without_prefix,
	count(*) FILTER (WHERE mogo_verify(client_id, left(client_secret, -6))) AS without_crc
FROM secret;
DROP TABLE secret;

-- The prefix: 1 to 16 lower-case letters and digits.
SET mogocred.token_prefix = 'a';
SELECT client_secret ~ '^a_[0-9A-Za-z]{49}$' AS one FROM mogo_add_client('regress prefix 1');
SET mogocred.token_prefix = '0123456789abcdef';
SELECT client_id, client_secret FROM mogo_add_client('regress prefix 16') \gset
SELECT :'client_secret' ~ '^0123456789abcdef_[0-9A-Za-z]{49}$' AS sixteen,
	pg_temp.base62(right(:'client_secret', 6))
	= pg_temp.crc32(convert_to(left(:'client_secret', -6), 'UTF8')) AS crc,
	mogo_verify(:'client_id', :'client_secret');
SET mogocred.token_prefix = '';
SET mogocred.token_prefix = '0123456789abcdefg';
SET mogocred.token_prefix = 'Mogo';
SET mogocred.token_prefix = 'mo_go';
SET mogocred.token_prefix = 'mogo-';
SET mogocred.token_prefix = U&'m\00f6go';
SHOW mogocred.token_prefix;
SET mogocred.secret_format = 'uuid4';
SHOW mogocred.secret_format;

-- A format counts for new secrets; the old ones stay as good as they were.
RESET mogocred.secret_format;
RESET mogocred.token_prefix;
SELECT mogo_verify(:'client_id', :'client_secret') AS token_still_good;
SELECT client_secret ~ '^[0-9a-f-]{36}$' AS uuid_again FROM mogo_add_client('regress uuid again');

-- Nobody but a superuser chooses.
CREATE ROLE regress_mogo_plain;
SET ROLE regress_mogo_plain;
SET mogocred.secret_format = token;
SET mogocred.token_prefix = 'mine';
RESET ROLE;
DROP ROLE regress_mogo_plain;

TRUNCATE mogo_client, mogo_secret, mogo_audit_log;
