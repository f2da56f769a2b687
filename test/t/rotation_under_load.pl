# Rotation under load: a client that switches to the new secret within the overlap is
# never rejected.
#
# pgbench plays many clients, each of which has its secret in a table of its own and is
# slow to pick up a new one: a rotation puts the new secret beside the old, some other
# transaction makes it the current one later. All the while each client checks in, with
# the old or with the new; one rejection divides by zero and ends the run.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $clients = 40;
# an overlap of an hour, so that none ends while the machine is busy: the cap is what
# ends the number of rotations a client can have
my $node = server('load', "mogocred.max_live_secrets = 20\n");
$node->safe_psql(
	'postgres', qq{
CREATE TABLE app (n int PRIMARY KEY, id uuid, secret text, next_secret text, rotations int DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO app (n, id, secret) SELECT n, c.client_id, c.client_secret
FROM generate_series(1, $clients) AS n, mogo_add_client('client ' || n) AS c;
-- the administrator's part: a new secret, which the client has not picked up yet
CREATE FUNCTION rotate(which int) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
  c app;
BEGIN
  SELECT * INTO c FROM app WHERE n = which AND next_secret IS NULL AND rotations < 19 FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    UPDATE app SET next_secret = r.client_secret, rotations = rotations + 1
    FROM mogo_rotate_secret(c.id, '1 hour') AS r WHERE n = which;
  END IF;
END \$\$;
});
my $dir = $node->basedir;
# what a service asks: read what the client sends, and check it some time later
append_to_file(
	"$dir/check.sql", q{\set n random(1, } . $clients . q{)
\set new random(0, 1)
SELECT id, CASE WHEN :new = 1 THEN coalesce(next_secret, secret) ELSE secret END AS secret FROM app WHERE n = :n \gset
\set wait random(0, 1000)
\sleep :wait us
SELECT 1 / mogo_verify(:id, :secret)::int AS accepted;
});
append_to_file(
	"$dir/rotate.sql", q{\set n random(1, } . $clients . q{)
SELECT rotate(:n);
});
# the client's part: from now on the new one
append_to_file(
	"$dir/switch.sql", q{\set n random(1, } . $clients . q{)
UPDATE app SET secret = next_secret, next_secret = NULL WHERE n = :n AND next_secret IS NOT NULL;
});

my ($ok, $out, $err) = pgbench(
	$node, '--client=8',
	'--jobs=2', '--transactions=1500',
	'--protocol=prepared', "--file=$dir/check.sql\@20",
	"--file=$dir/rotate.sql\@2", "--file=$dir/switch.sql\@2");
ok($ok, 'no check was rejected') or diag($err);
like(
	$out,
	qr{^number of transactions actually processed: 12000/12000$}m,
	'all of pgbench\'s transactions ran');
my $rotations =
  $node->safe_psql('postgres', 'SELECT sum(rotations) FROM app');
cmp_ok($rotations, '>', 100, "there were rotations meanwhile ($rotations)");
is( $node->safe_psql(
		'postgres',
		"SELECT count(*) FROM mogo_audit WHERE action = 'secret_rotated'"),
	$rotations,
	'each of them is in the audit');
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FROM app JOIN mogo_clients ON id = client_id WHERE live_secrets <> rotations + 1'
	),
	'0',
	'no secret was lost, and none is too many');

# after the overlap (ended here by a rotation without one) only the newest is good
is( $node->safe_psql(
		'postgres', q{
SELECT count(*) FROM app, mogo_rotate_secret(id, '0') AS r WHERE mogo_verify(id, r.client_secret)}
	),
	$clients,
	'the last rotation\'s secrets are good');
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FROM app WHERE mogo_verify(id, secret) OR mogo_verify(id, next_secret)'
	),
	'0',
	'and no older one');

# --- a removal, a purge and VACUUM beside the checks ------------------------------

$node->safe_psql(
	'postgres',
	q{UPDATE app SET secret = r.client_secret, next_secret = NULL, rotations = 0
FROM app AS a, mogo_rotate_secret(a.id, '0') AS r WHERE app.n = a.n});
append_to_file(
	"$dir/others.sql", q{\set n random(1, 1000000000)
SELECT client_id AS other FROM mogo_add_client('other ' || :n || ' ' || :client_id) \gset
SELECT secret_id FROM mogo_rotate_secret(:other, '1 microsecond');
SELECT mogo_purge('0');
SELECT mogo_remove_client(:other);
});
append_to_file("$dir/vacuum.sql", "VACUUM mogo_client, mogo_secret;\n");
append_to_file(
	"$dir/check_at_once.sql", q{\set n random(1, } . $clients . q{)
SELECT 1 / mogo_verify(id, secret)::int AS accepted FROM app WHERE n = :n;
});
($ok, $out, $err) = pgbench(
	$node, '--client=8',
	'--jobs=2', '--transactions=500',
	'--protocol=prepared', "--file=$dir/check_at_once.sql\@20",
	"--file=$dir/others.sql\@2", "--file=$dir/vacuum.sql\@1");
ok($ok, 'no check was rejected beside purges, removals and VACUUM')
  or diag($err);
is( $node->safe_psql(
		'postgres',
		"SELECT count(*) FROM mogo_clients WHERE client_name ^@ 'other'"),
	'0',
	'the others are gone');

$node->stop;
done_testing();
