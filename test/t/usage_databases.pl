# Use counts with many databases, databases and extensions that come and go, little
# room, and no background worker to be had.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $node = counting_node(
	'databases',
	'mogocred.usage_max' => 100,
	'log_connections' => 'on',
	'max_worker_processes' => 4);
my $q = sub { $node->safe_psql('postgres', @_) };
my $status = 'SELECT entries, not_counted FROM mogo_usage_status()';

sub database
{
	my ($name, $options) = @_;
	$q->("CREATE DATABASE $name " . ($options // ''));
	$node->safe_psql($name,
		'CREATE SCHEMA "My Schema"; CREATE EXTENSION mogocred SCHEMA "My Schema" CASCADE'
	);
	$q->("ALTER DATABASE $name SET search_path = \"My Schema\", public");
	return issue($node, $name, undef, $name);
}

# Waits until nothing waits.
sub drained
{
	return $node->poll_query_until('postgres',
		'SELECT entries FROM mogo_usage_status()', '0');
}

# --- databases ---------------------------------------------------------------------

my $c = issue($node, 'client');
my %c = map { $_ => database($_) } qw(one two idle);
$q->('CREATE DATABASE bare');
$q->('ALTER DATABASE two SET default_transaction_read_only = on');
$q->("ALTER DATABASE two SET default_transaction_isolation = 'serializable'");
check($node, $c, 1);
check($node, $c{$_}, 2, dbname => $_) foreach qw(one two);
ok(flushed($node, $c, '1|'), 'postgres is flushed');
ok(flushed($node, $c{one}, '2|', 'one'),
	'database one is, in a schema with a difficult name');
ok(flushed($node, $c{two}, '2|', 'two'),
	'database two is, though sessions in it are read-only');
drained();
my $oids = $q->(
	"SELECT string_agg(oid::text, '|') FROM pg_database WHERE datname IN ('idle', 'bare', 'template0', 'template1')"
);
$node->safe_psql($_, 'SELECT 1') foreach qw(idle bare);
unlike(
	slurp_file($node->logfile),
	qr/flush for database ($oids)\b/,
	'nothing waits for the others: no worker goes there');
like(
	$q->(
		"SELECT string_agg(backend_type, ',') FROM pg_stat_activity WHERE datid IS NULL"
	),
	qr/mogocred launcher/,
	'the launcher is in pg_stat_activity');

# The flush writes as the tables' owner: what he puts on them does not run as superuser.
$node->safe_psql(
	'one', q{
	CREATE ROLE owner;
	CREATE TABLE public.ran (who text, path text); ALTER TABLE public.ran OWNER TO owner;
	CREATE FUNCTION public.run() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.ran VALUES (current_user, current_setting(''search_path'')); RETURN NEW; END';
	ALTER FUNCTION public.run() OWNER TO owner;
	ALTER TABLE mogo_client OWNER TO owner; ALTER TABLE mogo_secret OWNER TO owner;
	ALTER TABLE mogo_secret_usage OWNER TO owner; ALTER TABLE mogo_client_usage OWNER TO owner;
	GRANT USAGE ON SCHEMA "My Schema" TO owner;
	CREATE TRIGGER run BEFORE UPDATE ON mogo_secret_usage FOR EACH ROW EXECUTE FUNCTION public.run()}
);
check($node, $c{one}, 1, dbname => 'one');
ok(flushed($node, $c{one}, '3|', 'one'), 'the tables have another owner');
is( $node->safe_psql('one', 'SELECT DISTINCT who, path FROM public.ran'),
	'owner|pg_catalog, pg_temp',
	'a trigger of his runs as he');

# No connections allowed: the flush goes there all the same. (ALTER DATABASE refuses to
# do that to the database one is in, and the check has to come after it.)
$node->safe_psql(
	'idle',
	"UPDATE pg_database SET datallowconn = false WHERE datname = 'idle';
	SELECT mogo_verify('$c{idle}{id}', '$c{idle}{secret}') FROM generate_series(1, 3)"
);
ok(drained(), 'ALLOW_CONNECTIONS false: counts are flushed');
$q->('ALTER DATABASE idle ALLOW_CONNECTIONS true');
is(counted($node, $c{idle}, 'idle'), '3|', 'and not lost');

# --- databases and extensions that go ------------------------------------------------

check($node, $c{idle}, 3, dbname => 'idle');
$q->('DROP DATABASE idle');
ok(drained(), 'a database that is dropped: its counts are forgotten');

# Again and again, so that a flush is met at work.
my $refused = 0;
foreach my $i (1 .. 20)
{
	my $d = $i == 1 ? database('model') : undef;
	$q->('CREATE DATABASE victim TEMPLATE model');
	$node->safe_psql('victim',
		'SET search_path = "My Schema"; SELECT mogo_verify(client_id, 0::text) FROM mogo_clients'
	);
	$node->poll_query_until('postgres',
		"SELECT count(*) > 0 OR (SELECT entries = 0 FROM mogo_usage_status()) FROM pg_stat_activity WHERE backend_type = 'mogocred flush'"
	) if $i % 2;
	my ($rc) = $node->psql('postgres', 'DROP DATABASE victim');
	$refused++ if $rc != 0;
}
is($refused, 0, 'DROP DATABASE is never refused while flushes go on');
ok(drained(), 'and nothing is left of it');

# A flush that is at work, here for as long as a trigger sleeps, is waited for; or it is
# ended, by WITH (FORCE), and from PostgreSQL 19 on in any case.
foreach my $force ('', ' WITH (FORCE)')
{
	$c{forced} = database('forced');
	$q->('CREATE ROLE dbo CREATEDB') if $force eq '';
	$q->('ALTER DATABASE forced OWNER TO dbo');
	$node->safe_psql(
		'forced', q{
		CREATE FUNCTION public.nap() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM pg_catalog.pg_sleep(1.5); RETURN NEW; END';
		CREATE TRIGGER nap BEFORE INSERT ON mogo_secret_usage FOR EACH ROW EXECUTE FUNCTION public.nap()}
	);
	check($node, $c{forced}, 1, dbname => 'forced');
	ok( $node->poll_query_until(
			'postgres',
			"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mogocred flush' AND datname = 'forced' AND wait_event = 'PgSleep'",
			'1'),
		'a flush is at work');
	my ($rc, undef, $stderr) = $node->psql('postgres',
		($force eq '' ? 'SET ROLE dbo; ' : '')
		  . "DROP DATABASE forced$force");
	is($rc, 0,
		"DROP DATABASE$force gets through"
		  . ($force eq '' ? ' for the owner' : ''))
	  or diag $stderr;
	ok(drained(), 'and its counts are forgotten');
}

check($node, $c{one}, 1, dbname => 'one');
$node->safe_psql('one', 'DROP EXTENSION mogocred');
ok(drained(), 'DROP EXTENSION: counts that waited are forgotten');
$node->safe_psql('one', 'CREATE EXTENSION mogocred SCHEMA public');
$c{one} = issue($node, 'one', undef, 'one');
is(counted($node, $c{one}, 'one'),
	'|', 'CREATE EXTENSION again: no old counts');
check($node, $c{one}, 1, dbname => 'one');
ok( flushed($node, $c{one}, '1|', 'one'),
	'and new ones are flushed, in another schema');

# pg_dump takes what was flushed along.
my $dump = $node->basedir . '/one.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'one' ], 'pg_dump');
$q->('CREATE DATABASE copy');
$node->command_ok(
	[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', 'copy', '-f', $dump ],
	'restore');
is(counted($node, $c{one}, 'copy'), '1|', 'flushed counts are restored');
check($node, $c{one}, 2, dbname => 'copy');
ok(flushed($node, $c{one}, '3|', 'copy'), 'and go on there');
is(counted($node, $c{one}, 'one'),
	'1|', 'the same secret in another database counts for itself');

# --- no worker to be had -------------------------------------------------------------

# The launcher itself takes the only one.
$node->append_conf('postgresql.conf',
	"max_worker_processes = 1\nmax_logical_replication_workers = 0\n");
$node->restart;
my $offset = -s $node->logfile;
check($node, $c, 4);
ok( logged(
		$node,
		qr/LOG:  could not start a background worker to flush mogocred's use counts/,
		$offset),
	'no background worker is free: the log says so');
is(counted($node, $c), '5|', 'the counts wait');
check($node, $c, 1);
is(counted($node, $c), '6|', 'and counting goes on');
$node->append_conf('postgresql.conf', "max_worker_processes = 8\n");
$node->restart;
ok(flushed($node, $c, '6|'),
	'with more workers they are flushed, over a restart');

# --- no room -------------------------------------------------------------------------

$node->append_conf('postgresql.conf',
	"mogocred.usage_flush_interval = 1h\nmax_worker_processes = 1\n");
$node->restart;
issue_many($node, 'crowd', 130);
my $used = $q->('SELECT sum(uses) FROM mogo_secrets');
is( $q->('SELECT bool_and(mogo_verify(client_id, client_secret)) FROM crowd'),
	't', 'more secrets are used than there is room for: all are accepted');
is($q->($status), '100|30', 'mogo_usage_status says what did not fit');
is( $q->(
		'SELECT count(uses), sum(uses) FROM mogo_secrets JOIN crowd USING (secret_id)'
	),
	'100|100',
	'the others are counted');
$q->('SELECT mogo_verify(client_id, client_secret) FROM crowd');
is($q->($status), '100|60', 'again');
is( $q->(
		'SELECT count(uses), sum(uses) FROM mogo_secrets JOIN crowd USING (secret_id)'
	),
	'100|200',
	'those that have a place go on');
is( $q->(
		"SELECT count(*) FROM mogo_secrets JOIN crowd USING (secret_id) WHERE uses = 0"
	),
	'0',
	'one that found none is NULL, not 0');

# Half full, the launcher does not wait for its hour.
$node->append_conf('postgresql.conf', "max_worker_processes = 8\n");
$node->restart;
ok(drained(), 'a table that is half full is flushed before its time');
is( $q->(
		'SELECT sum(uses) FROM mogo_secret_usage JOIN crowd USING (secret_id)'
	),
	'200',
	'with all that was in it, over a restart');
$q->('SELECT mogo_verify(client_id, client_secret) FROM crowd LIMIT 45');
is($q->('SELECT entries FROM mogo_usage_status()'),
	'45', 'less than half full: it waits');
$q->('SELECT mogo_verify(client_id, client_secret) FROM crowd LIMIT 60');
ok(drained(), 'the check that fills its half wakes the launcher');
is( $q->(
		'SELECT sum(uses) FROM mogo_secret_usage JOIN crowd USING (secret_id)'
	),
	'305',
	'which has all of it flushed');

# A smaller table than what a restart brings along.
$node->append_conf('postgresql.conf',
	"mogocred.usage_max = 300\nmax_worker_processes = 1\n");
$node->restart;
$q->('SELECT mogo_verify(client_id, client_secret) FROM crowd');
is($q->($status), '130|0', 'with more room, all have a place');
$node->append_conf('postgresql.conf', "mogocred.usage_max = 100\n");
$node->restart;
is($q->($status), '100|30',
	'with less after a restart, what does not fit is told');
$node->stop;

done_testing();
