# Use counts: what counts, that every count arrives exactly once, what becomes of the
# counts of a client that is removed, what a flush does when it cannot write a row, and
# that all works without them.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $node = counting_node('counts');
my $q = sub { $node->safe_psql('postgres', @_) };

# --- what counts -----------------------------------------------------------------

my $c = issue($node, 'each');
is(counted($node, $c), '|', 'never counted is NULL, not 0');
my $digest = "sha256('$c->{secret}')";
my $basic = "'Basic ' || encode('$c->{id}:$c->{secret}', 'base64')";
$basic = "replace($basic, E'\\n', '')";
foreach my $call (
	"mogo_verify('$c->{id}'::uuid, '$c->{secret}')",
	"mogo_verify('$c->{id}'::text, '$c->{secret}')",
	"mogo_verify_digest('$c->{id}'::uuid, $digest)",
	"mogo_verify_digest('$c->{id}'::text, $digest)",
	"(SELECT client_name = 'each' FROM mogo_authenticate('$c->{id}'::uuid, '$c->{secret}'))",
	"(SELECT client_name = 'each' FROM mogo_authenticate('$c->{id}'::text, '$c->{secret}'))",
	"(SELECT client_name = 'each' FROM mogo_authenticate_basic($basic))")
{
	my ($before) = split /\|/, counted($node, $c);
	is($q->("SELECT $call"), 't', 'accepted');
	is( (split /\|/, counted($node, $c))[0],
		($before || 0) + 1,
		"a use: " . $call =~ s/'[^']*'/.../gr);
}
is($q->("SELECT mogo_verify_status('$c->{id}', '$c->{secret}')"),
	'valid', 'mogo_verify_status');
is($q->("SELECT mogo_verify_status('$c->{id}', 'wrong')"),
	'invalid', 'mogo_verify_status, a wrong secret');
is(counted($node, $c),
	'7|', 'a diagnosis is neither a use nor a failed check');

my $failures = 0;
foreach my $call (
	"mogo_verify('$c->{id}'::uuid, 'wrong')",
	"mogo_verify('$c->{id}'::text, NULL)",
	"mogo_verify_digest('$c->{id}'::uuid, sha256('wrong'))",
	"EXISTS (SELECT FROM mogo_authenticate('$c->{id}'::uuid, 'wrong'))")
{
	is($q->("SELECT $call"), 'f', 'refused');
	is( counted($node, $c),
		'7|' . ++$failures,
		"a failed check: " . $call =~ s/'[^']*'/.../gr);
}
$q->("SELECT mogo_disable_client('$c->{id}')");
is(check($node, $c, 2), 0, 'disabled: refused');
is(counted($node, $c), '7|6', 'disabled: the right secret is a failed check');
$q->("SELECT mogo_enable_client('$c->{id}')");

# By an external id: counted for the client that has it. A rehash counts as neither.
$q->(
	q{SELECT mogo_import_client('outside', 'https://client.example/mcp', 'sha512', encode(sha512('of the outside'), 'hex'), generated => true)}
);
$q->("SELECT mogo_verify('https://client.example/mcp', '$_')")
  for 'of the outside', 'wrong', 'wrong';
$q->("SELECT mogo_rehash_secret('https://client.example/mcp', '$_')")
  for 'wrong', 'of the outside', 'of the outside';
is( $q->(
		q{SELECT s.uses, c.failed_checks, s.algorithm FROM mogo_secrets AS s JOIN mogo_clients AS c USING (client_id)
	WHERE c.external_id = 'https://client.example/mcp'}),
	'1|2|sha256',
	'by an external id');

my $entries = 'SELECT entries, not_counted FROM mogo_usage_status()';
flushed($node, $c, '7|6');
$node->poll_query_until('postgres', $entries, '0|0');
$q->(
	"SELECT count(mogo_verify(gen_random_uuid(), 'wrong')), count(mogo_verify('nobody', 'wrong')) FROM generate_series(1, 300)"
);
is($q->($entries), '0|0', 'unknown ids take no place');

$q->("BEGIN; SELECT mogo_verify('$c->{id}', '$c->{secret}'); ROLLBACK");
is(counted($node, $c),
	'8|6', 'a use in a transaction that is rolled back is a use');
$q->("BEGIN READ ONLY; SELECT mogo_verify('$c->{id}', '$c->{secret}'); COMMIT"
);
is(counted($node, $c), '9|6', 'so is one in a read-only transaction');
$q->(
	"SET mogocred.track_usage = off; SELECT mogo_verify('$c->{id}', '$c->{secret}'), mogo_verify('$c->{id}', '')"
);
is(counted($node, $c),
	'9|6', 'mogocred.track_usage = off: not counted, and what was is shown');

my $before = $q->("SELECT clock_timestamp()");
check($node, $c, 1);
is( $q->(
		"SELECT s.last_used_at BETWEEN '$before' AND clock_timestamp(), s.last_used_at = c.last_used_at
	FROM mogo_secrets s JOIN mogo_clients c USING (client_id) WHERE client_id = '$c->{id}'"
	),
	't|t',
	'last_used_at is the moment of the check');
my $second = issue($node, undef, "mogo_add_secret('$c->{id}')");
check($node, $second, 3);
is(counted($node, $c), '10|6', 'each secret has its own count');
is(counted($node, $second), '3|6', 'and all have their client\'s failures');
is( $q->(
		"SELECT c.last_used_at = max(s.last_used_at) FROM mogo_secrets s JOIN mogo_clients c USING (client_id)
	WHERE client_id = '$c->{id}' GROUP BY c.last_used_at"),
	't',
	'a client was last used when its last used secret was');

my $failed =
  q{SELECT last_failed_at, last_failed_at BETWEEN '%s' AND clock_timestamp(), last_used_at < last_failed_at
	FROM mogo_clients WHERE client_id = '%s'};
$before = $q->('SELECT clock_timestamp()');
check($node, $c, 1, wrong => 1);
my $failed_at = $q->(sprintf $failed, $before, $c->{id});
like($failed_at, qr/\|t\|t$/,
	'last_failed_at is the moment of the failed check');
flushed($node, $c, '10|7');
is($q->(sprintf $failed, $before, $c->{id}),
	$failed_at, 'and stays so when it is flushed');
is($q->("SELECT count(*) FROM mogo_clients WHERE last_failed_at IS NULL"),
	'0', 'no client that has not failed');
issue($node, 'no failure');
check($node, $second, 1);
is($q->("SELECT count(*) FROM mogo_clients WHERE last_failed_at IS NULL"),
	'1', 'NULL for one that has not failed');

$q->(
	"CREATE ROLE admin LOGIN; SELECT mogo_grant_admin('admin'); CREATE ROLE verifier LOGIN; SELECT mogo_grant_verifier('verifier')"
);
is( $q->(
		"SET ROLE admin; SELECT uses, failed_checks, preloaded FROM mogo_secrets JOIN mogo_clients USING (client_id), mogo_usage_status() WHERE secret_id = '$c->{secret_id}'"
	),
	'10|7|t',
	'an administrator reads all of it');

foreach my $sql (
	"SELECT mogo_usage_count('$c->{id}', '$c->{secret_id}', 0)",
	"SELECT mogo_usage_last_at('$c->{id}', NULL, NULL)",
	'SELECT mogo_usage_status()',
	'SELECT FROM mogo_secret_usage',
	'SELECT FROM mogo_client_usage')
{
	my ($rc, undef, $stderr) =
	  $node->psql('postgres', "SET ROLE verifier; $sql");
	like(
		$stderr,
		qr/permission denied/,
		'not a verifier: ' . $sql =~ s/'[^']*'/.../gr);
}

# --- exactly once ----------------------------------------------------------------

# Eight sessions on twenty secrets, with flushes in between.
issue_many($node, 'many', 20);
my $script = $node->basedir . '/checks.sql';
append_to_file($script, <<'SQL');
\set n random(1, 20)
SELECT mogo_verify(client_id, client_secret), mogo_verify(client_id, 'wrong') FROM many WHERE client_name = 'many ' || :n;
SQL
$node->command_ok(
	[
		'pgbench', '-n', '-c', '8', '-j', '2',
		'-t', '500', '-f', $script, '-d', 'postgres'
	],
	'8 sessions make 4,000 right and 4,000 wrong checks');
is( $q->(
		"SELECT sum(uses), (SELECT sum(failed_checks) FROM mogo_clients WHERE client_name LIKE 'many %')
	FROM mogo_secrets WHERE client_name LIKE 'many %'"),
	'4000|4000',
	'every one is counted');
$node->poll_query_until(
	'postgres',
	"SELECT sum(uses), (SELECT sum(failed_checks) FROM mogo_client_usage JOIN many USING (client_id))
	FROM mogo_secret_usage JOIN many USING (secret_id)", '4000|4000');
is( $q->(
		"SELECT sum(uses), (SELECT sum(failed_checks) FROM mogo_clients WHERE client_name LIKE 'many %')
	FROM mogo_secrets WHERE client_name LIKE 'many %'"),
	'4000|4000',
	'and flushed, and still seen once');

# All at one entry, as fast as they can.
my $hot = issue($node, 'hot');
my $hammer = $node->basedir . '/hammer.sql';
append_to_file($hammer,
	"SELECT count(mogo_verify('$hot->{id}', left('$hot->{secret}', 99 + g))) FROM generate_series(1, 10000) g;\n"
);
$node->command_ok(
	[
		'pgbench', '-n', '-c', '8', '-j', '2',
		'-t', '5', '-f', $hammer, '-d', 'postgres'
	],
	'8 sessions check one secret 400,000 times');
is(counted($node, $hot), '400000|', 'every one is counted');

# A reader sees no less than what was counted when it began, but for what is flushed
# while it reads, and that once more at most.
my $w = issue($node, 'watched');
issue_many($node, 'others', 3000);
$q->(
	"SELECT mogo_verify(client_id, client_secret) FROM others;
	SELECT mogo_verify('$w->{id}', '$w->{secret}') FROM generate_series(1, 500)"
);
ok(flushed($node, $w, '500|'), 'one secret among 3,000 is flushed');
is(counted($node, $w), '500|', 'and seen once');
check($node, $w, 5);
is(counted($node, $w), '505|', 'what waits is added to what was flushed');

# The client's last use is known when its secret is gone.
my $rotated = issue($node, 'rotated');
check($node, $rotated, 1);
my $used_at =
  "SELECT last_used_at FROM mogo_clients WHERE client_id = '$rotated->{id}'";
my $at = $q->($used_at);
$q->("SELECT mogo_rotate_secret('$rotated->{id}', '0')");
isnt($at, '', 'a client was used');
is($q->($used_at), $at, 'and a secret that has ended counts');
flushed($node, $rotated, '1|');
$q->("SELECT mogo_purge('0')");
is($q->($used_at), $at, 'one that was purged as well');

# --- what is removed ---------------------------------------------------------------

my $gone = issue($node, 'gone');
check($node, $gone, 4);
check($node, $gone, 4, wrong => 1);
flushed($node, $gone, '4|4');
check($node, $gone, 4);
check($node, $gone, 4, wrong => 1);
$q->("SELECT mogo_remove_client('$gone->{id}')");
my $rows =
  "SELECT (SELECT count(*) FROM mogo_secret_usage WHERE secret_id = '$gone->{secret_id}'),
	(SELECT count(*) FROM mogo_client_usage WHERE client_id = '$gone->{id}')";
is($q->($rows), '0|0', 'mogo_remove_client takes the counts along');
$node->poll_query_until('postgres', $entries, '0|0');
is($q->($rows), '0|0', 'and what still waited makes no row again');
$q->(
	"SELECT mogo_import_client('again', '$gone->{id}', 'sha256', encode(sha256('x'), 'hex'))"
);
is( $q->(
		"SELECT failed_checks FROM mogo_clients WHERE client_id = '$gone->{id}'"
	),
	'',
	'nor does it come back with the id');

$q->("SELECT mogo_rotate_secret('$w->{id}', '0')");
$q->("SELECT mogo_purge('0')");
is( $q->(
		"SELECT count(*) FROM mogo_secret_usage WHERE secret_id = '$w->{secret_id}'"
	),
	'0',
	'mogo_purge takes the counts along');
is( $q->(
		"SELECT sum(uses) FROM mogo_secret_usage JOIN many USING (secret_id)"
	),
	'4000',
	'of nobody else');

# --- who is at work on the rows ----------------------------------------------------

# The row of a count is locked: the count has to wait, and no other waits for it.
my $locked = issue($node, 'locked');
my $free = issue($node, 'free');
check($node, $locked, 2);
flushed($node, $locked, '2|');
hold($node,
	"SELECT FROM mogo_secret_usage WHERE secret_id = '$locked->{secret_id}' FOR UPDATE"
);
check($node, $locked, 2);
check($node, $free, 2);
ok(flushed($node, $free, '2|'),
	'the row of a count is locked: others are flushed');
is(counted($node, $locked), '4|', 'its count waits');
is( $q->(
		"SELECT uses FROM mogo_secret_usage WHERE secret_id = '$locked->{secret_id}'"
	),
	'2',
	'and is in no table');
release($node);
ok(flushed($node, $locked, '4|'), 'it is flushed when the lock is gone');

# A client is removed by a transaction that does not end, while it is used.
my $removed = issue($node, 'removed');
check($node, $removed, 1);
flushed($node, $removed, '1|');
hold(
	$node,
	join '; ',
	map { "DELETE FROM $_->[0] WHERE $_->[1] = '$removed->{$_->[2]}'" }
	  [qw(mogo_secret client_id id)],
	[qw(mogo_client client_id id)],
	[qw(mogo_client_usage client_id id)],
	[qw(mogo_secret_usage secret_id secret_id)]);
check($node, $removed, 1);
check($node, $free, 1);
ok(flushed($node, $free, '3|'),
	'a client is being removed: others are flushed');
release($node);
ok(flushed($node, $removed, '2|'),
	'and so is its own when the removal is rolled back');
# The whole table is locked: the flush fails, says so, and the next one succeeds. A
# reload makes the launcher forget what it has logged and when.
$node->reload;
my $offset = -s $node->logfile;
hold($node, 'LOCK TABLE mogo_secret_usage');
check($node, $free, 2);
ok( logged(
		$node,
		qr/ERROR:  canceling statement due to lock timeout.*CONTEXT:  (?:waiting for [^\n]*\n\t)?flushing mogocred's use counts/s,
		$offset),
	'the table is locked: the flush gives up, and the log says what failed');
release($node);
$node->reload;
ok(flushed($node, $free, '5|'),
	'the count is flushed when the lock is gone, once');
is(counted($node, $free), '5|', 'and seen once');

# A flush that takes 1.5 s does not put the next one off by as much: the interval (1 s)
# is what can be lost.
$q->(
	q{
	CREATE TABLE flushes (at timestamptz); GRANT INSERT ON flushes TO PUBLIC;
	CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.flushes VALUES (pg_catalog.clock_timestamp()); PERFORM pg_catalog.pg_sleep(1.5); RETURN NULL; END';
	CREATE TRIGGER nap AFTER UPDATE ON mogo_secret_usage FOR EACH STATEMENT EXECUTE FUNCTION nap()}
);
$q->("SELECT mogo_verify('$free->{id}', '$free->{secret}'), pg_sleep(0.2)")
  foreach 1 .. 45;
$q->('DROP TRIGGER nap ON mogo_secret_usage');
is( $q->(
		"SELECT min(gap) < '2.2 s' FROM (SELECT at - lag(at) OVER (ORDER BY at) AS gap FROM flushes) g"
	),
	't',
	'flushes are an interval apart from start to start'
) or diag $q->('SELECT at FROM flushes ORDER BY 1');

# --- not preloaded -----------------------------------------------------------------

$node->append_conf('postgresql.conf',
	"shared_preload_libraries = ''\nmogocred.usage_max = 5000\n");
$node->restart;
is(check($node, $free, 3), 3, 'not preloaded: checks work');
is(counted($node, $free), '|', 'the columns are NULL');
is( $q->(
		"SELECT count(*), count(last_used_at) FROM mogo_secrets WHERE client_name = 'free'"
	),
	'1|0',
	'all of them');
is( $q->(
		"SELECT count(*), count(last_used_at) FROM mogo_clients WHERE client_name = 'free'"
	),
	'1|0',
	'in both views');
is($q->('SELECT * FROM mogo_usage_status()'),
	'f|||', 'mogo_usage_status says so');
is( $q->(
		"SELECT mogo_verify('', ''), current_setting('mogocred.track_usage'), current_setting('mogocred.usage_max'), current_setting('mogocred.usage_flush_interval')"
	),
	'f|on|5000|1s',
	'the settings can be shown');
$q->("SELECT mogo_remove_client('$free->{id}')");
is( $q->(
		"SELECT count(*) FROM mogo_secret_usage WHERE secret_id = '$free->{secret_id}'"
	),
	'0',
	'mogo_remove_client takes the counts along all the same');
$node->stop;

done_testing();
