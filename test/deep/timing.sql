-- test/deep/timing.sql
--	Does the time of a check depend on the secret? Run by `make check-timing`.
--
-- Attack: somebody who can ask "is this the secret of that client?" tries secrets
-- that begin right, and learns from the time of the answer how far they were right.
--
-- Wrong secrets that share 0, 1, ... all but one of the right one's characters are
-- checked in batches, in an order that is drawn anew for each round, so that whatever
-- else the machine does falls on all of them alike. t is Welch's statistic against the
-- class that shares nothing: beyond 4.5 one would look for a leak (the bound that
-- test vector leakage assessment uses). The classes below the line are no secrets:
-- what they show is written in SECURITY.md.

\set QUIET on
\set rounds 400
\set batch 200
SET client_min_messages = warning;

CREATE TEMP TABLE class (n int, name text, id uuid, secret text);
SELECT * FROM mogo_add_client('timing') \gset
INSERT INTO class
SELECT n, format('wrong, shares the first %s of 36 characters', n), :'client_id',
	overlay(left(:'client_secret', n) || translate(substr(:'client_secret', n + 1),
		'0123456789abcdef', '123456789abcdef0') PLACING '' FROM 37)
FROM generate_series(0, 35) AS n;
INSERT INTO class VALUES (100, 'right secret', :'client_id', :'client_secret');
INSERT INTO class VALUES (101, 'unknown id', gen_random_uuid(), :'client_secret');
SELECT * FROM mogo_add_client('timing, disabled') \gset
SELECT mogo_disable_client(:'client_id') \g /dev/null
INSERT INTO class VALUES (102, 'disabled client, right secret', :'client_id', :'client_secret');
SELECT * FROM mogo_add_client('timing, expired', clock_timestamp() + '0.1 s') \gset
INSERT INTO class VALUES (103, 'expired secret', :'client_id', :'client_secret');
SELECT pg_sleep(0.2) \g /dev/null

CREATE TEMP TABLE sample (n int, ns float8);
CREATE PROCEDURE pg_temp.measure(rounds int, batch int) LANGUAGE plpgsql AS $$
DECLARE
	c record;
	t0 timestamptz;
BEGIN
	FOR r IN 1 .. rounds LOOP
		FOR c IN SELECT * FROM class ORDER BY random() LOOP
			t0 := clock_timestamp();
			PERFORM mogo_verify(c.id, c.secret) FROM generate_series(1, batch);
			INSERT INTO sample
			SELECT c.n, extract(epoch FROM clock_timestamp() - t0) * 1e9 / batch;
		END LOOP;
	END LOOP;
END
$$;
CALL pg_temp.measure(20, :batch);
TRUNCATE sample;
CALL pg_temp.measure(:rounds, :batch);

-- A batch in which the machine did something else says nothing: the slowest tenth goes.
WITH ranked AS (
	SELECT n, ns, percent_rank() OVER (PARTITION BY n ORDER BY ns) AS rank FROM sample
), stat AS (
	SELECT n, count(*) AS samples, avg(ns) AS mean, variance(ns) AS var,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY ns) AS median
	FROM ranked WHERE rank < 0.9 GROUP BY n
)
SELECT c.name AS "what was checked", s.samples AS "batches",
	round(s.median::numeric, 1) AS "median ns",
	round(s.mean::numeric, 1) AS "mean ns",
	round(((s.mean - z.mean) / sqrt(s.var / s.samples + z.var / z.samples))::numeric, 2) AS "t"
FROM stat AS s JOIN class AS c USING (n), (SELECT * FROM stat WHERE n = 0) AS z
ORDER BY s.n;
