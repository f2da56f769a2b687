-- What the row "lists" of bench/run.sh needs: clients with use counts as if they had been
-- flushed, and a plain table with the columns of mogo_clients and no index but its key.

CREATE EXTENSION mogocred CASCADE;
SELECT count(mogo_add_client('client ' || n,
	CASE WHEN n % 3 = 0 THEN now() + interval '1 day' + n * interval '1 minute' END,
	'{read,write}', jsonb_build_object('n', n)))
FROM generate_series(1, :clients) AS n;
INSERT INTO mogo_secret_usage
SELECT secret_id, 5, now() - random() * interval '30 days' FROM mogo_secret;
INSERT INTO mogo_client_usage (client_id, failed_checks, last_failed_at, last_used_at)
SELECT client_id, 1 + (random() * 100)::int, now() - random() * interval '30 days',
	now() - random() * interval '30 days'
FROM mogo_client;
CREATE TABLE plain AS SELECT * FROM mogo_clients;
ALTER TABLE plain ADD PRIMARY KEY (client_id);
VACUUM ANALYZE;
