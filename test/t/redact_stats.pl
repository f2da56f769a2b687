
# No secret in the statistics views.
#
# The attack: a colleague of pg_monitor watches pg_stat_activity while calls run and
# after, reads pg_stat_statements, or takes the files that it keeps. The literals of a
# call are redacted from the end of its parse analysis, in both protocols, in parallel
# workers, and for the session that is idle after it. pg_stat_statements counts the
# statements as always, and holds no literal, whichever library was loaded first.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use File::Find;
use ProtocolSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $major = ProtocolSession::major();
my $node = PostgreSQL::Test::Cluster->new('stats');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'mogocred,pg_stat_statements'
log_statement = none
pg_stat_statements.track = all
pg_stat_statements.track_utility = on
pg_stat_statements.max = 100
max_parallel_maintenance_workers = 2
min_parallel_table_scan_size = 0
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_stat_statements;
CREATE TABLE rows AS SELECT i AS id FROM generate_series(1, 1000) i;
CREATE FUNCTION mogo_verify(id text, secret text) RETURNS boolean PARALLEL SAFE
	LANGUAGE plpgsql AS 'BEGIN RETURN id = secret; END';
CREATE FUNCTION mogo_verify_status(id text, secret text) RETURNS text PARALLEL SAFE
	LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(120); RETURN id; END';
CREATE SCHEMA schema_of_20_letters;
CREATE FUNCTION schema_of_20_letters.mogo_verify(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION slow(int) RETURNS int IMMUTABLE PARALLEL SAFE
	LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(120); RETURN 1; END';
SQL

my @secrets;

sub secret
{
	my $s = sprintf 'e%07x-%04x-%04x-%04x-%08x%04x',
	  map { int rand 2**$_ } 28, 16, 16, 16, 32, 16;
	push @secrets, $s;
	return $s;
}

# What another session sees of one: its state and its query.
sub activity
{
	my ($session) = @_;
	return $node->safe_psql('postgres',
		'SELECT state, query FROM pg_stat_activity WHERE pid = '
		  . $session->pid);
}

sub query_id
{
	my ($session) = @_;
	return $node->safe_psql('postgres',
		'SELECT query_id FROM pg_stat_activity WHERE pid = ' . $session->pid);
}

sub wait_for
{
	$node->poll_query_until('postgres', $_[0]) or die "timed out: $_[0]";
	return;
}

sub sleeps
{
	my ($s) = @_;
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = "
		  . $s->pid
		  . " AND wait_event = 'PgSleep'");
	return;
}

sub cancel
{
	my ($s) = @_;
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $s->pid . ')');
	$s->wait_ready;
	return;
}

# --- pg_stat_activity ---------------------------------------------------------------

my $s = ProtocolSession->new($node);
my $shown = qr/SELECT mogo_verify_status\('\*\*\*', '\*\*\*'\)$/;
my $x;

$x = secret();
$s->start("SELECT mogo_verify_status('id', '$x')");
sleeps($s);
like(activity($s), qr/^active\|$shown/,
	'simple protocol: redacted while it runs');
my $id = query_id($s);
cancel($s);
like(activity($s), qr/^idle\|$shown/, '... and when it was cancelled');

$x = secret();
$s->query("SELECT mogo_verify('id', '$x')");
like(
	activity($s),
	qr/^idle\|SELECT mogo_verify\('\*\*\*', '\*\*\*'\)$/,
	'... and when the session is idle');
$x = secret();
$s->query('BEGIN');
$s->query("SELECT mogo_verify('id', '$x')");
like(
	activity($s),
	qr/^idle in transaction\|SELECT mogo_verify\('\*\*\*', '\*\*\*'\)$/,
	'... in a transaction');
$s->query('COMMIT');
is(activity($s), 'idle|COMMIT', 'the next statement is shown again');

$x = secret();
$s->send(
	ProtocolSession::msg_parse(
		'lit', "SELECT mogo_verify_status('id', '$x')"),
	ProtocolSession::msg_sync())->wait_ready;
like(activity($s), qr/^idle\|$shown/,
	'extended protocol: redacted after Parse');
for my $time (1, 2)
{
	$s->send(
		ProtocolSession::msg_bind('lit'),
		ProtocolSession::msg_execute(),
		ProtocolSession::msg_sync());
	sleeps($s);
	like(activity($s), qr/^active\|$shown/, "... while it runs, time $time");
	is(query_id($s), $id, '... and has the query_id of the simple protocol');
	cancel($s);
	like(activity($s), qr/^idle\|$shown/, "... and after, time $time");
	$s->query("SELECT 'plain $time'");
	is( activity($s),
		"idle|SELECT 'plain $time'",
		'... and another statement is shown');
}
$x = secret();
$s->send(
	ProtocolSession::msg_parse(
		'', "DO \$\$ BEGIN PERFORM mogo_verify_status('id', '$x'); END \$\$"),
	ProtocolSession::msg_bind(''),
	ProtocolSession::msg_execute(),
	ProtocolSession::msg_sync());
sleeps($s);
my $block =
  qr/DO \$\$ BEGIN PERFORM mogo_verify_status\('\*\*\*', '\*\*\*'\); END \$\$$/;
like(activity($s), qr/^active\|$block/,
	'extended protocol: a utility statement');
cancel($s);
like(activity($s), qr/^idle\|$block/, '... and after it');

$s->query('PREPARE p(text) AS SELECT mogo_verify_status(\'id\', $1)');
$x = secret();
$s->start("EXECUTE p('$x')");
sleeps($s);
is(activity($s), "active|EXECUTE p('***')", 'EXECUTE with a literal');
cancel($s);
$x = secret();
$s->send(
	ProtocolSession::msg_parse('', "EXECUTE p('$x')"),
	ProtocolSession::msg_bind(''),
	ProtocolSession::msg_execute(),
	ProtocolSession::msg_sync());
sleeps($s);
is(activity($s), "active|EXECUTE p('***')", '... in the extended protocol');
cancel($s);

$x = secret();
$s->query(
	"SELECT set_config('a.b', '$x', false); SELECT mogo_verify_status('id', current_setting('a.b')) WHERE false"
);
is( activity($s),
	"idle|SELECT set_config('***', '***', false); SELECT mogo_verify_status('***', current_setting('***')) WHERE false",
	'the whole string of several statements');

$x = secret();
$s->query("SELECT mogo_verify('id', '$x'");
like($s->errors, qr/^42601/);
is( activity($s),
	"idle|SELECT mogo_verify('***', '***'",
	'a syntax error: redacted when it has been reported');

$s->params('SELECT mogo_verify($1, $2)', 'id', secret());
is( activity($s),
	'idle|SELECT mogo_verify($1, $2)',
	'a parameterised statement is shown');

$s->query('SELECT * FROM rows WHERE false /* mogo_clients */');
is( activity($s),
	'idle|SELECT * FROM rows WHERE false /* mogo_clients */',
	'an unrelated one is shown');

$s->query('/* mogo_verify(\'x\') */');
is( activity($s),
	"idle|/* mogo_verify('x') */",
	'a text that is only a comment is shown');

$s->send(
	ProtocolSession::msg_parse('', 'SELECT mogo_verify($1, \'x\' || $2)'),
	ProtocolSession::msg_bind('', 'id', secret()),
	ProtocolSession::msg_execute(),
	ProtocolSession::msg_sync())->wait_ready;
is( activity($s),
	q{idle|SELECT mogo_verify($1, '***' || $2)},
	'literals beside parameters');

# --- parallel workers ------------------------------------------------------------------

my $workers =
  "FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND wait_event = 'PgSleep'";

$x = secret();
$s->query(
	$major >= 16
	? 'SET debug_parallel_query = on'
	: 'SET force_parallel_mode = on');
$s->start("SELECT mogo_verify_status('id', '$x') FROM rows LIMIT 1");
wait_for("SELECT count(*) > 0 $workers");
is( $node->safe_psql('postgres', "SELECT DISTINCT query $workers"),
	"SELECT mogo_verify_status('***', '***') FROM rows LIMIT 1",
	'a parallel worker');
cancel($s);
$s->query(
	$major >= 16
	? 'RESET debug_parallel_query'
	: 'RESET force_parallel_mode');

$x = secret();
$s->query('ALTER TABLE rows SET (parallel_workers = 2)');
$s->start("SELECT mogo_verify('id', '$x'); CREATE INDEX ON rows (slow(id))");
wait_for("SELECT count(*) > 0 $workers");
is( $node->safe_psql('postgres', "SELECT DISTINCT query $workers"),
	"SELECT mogo_verify('***', '***'); CREATE INDEX ON rows (slow(id))",
	'a parallel worker of CREATE INDEX, which is given the whole string');
cancel($s);

# --- redaction off ------------------------------------------------------------------------

$s->query('SET mogocred.redact_literals = off');
$s->query("SELECT mogo_verify('id', 'not a secret')");
is( activity($s),
	"idle|SELECT mogo_verify('id', 'not a secret')",
	'redaction off: the statement is shown');
$s->close;

# --- pg_stat_statements ---------------------------------------------------------------------

# Everything that calls a function of ours with a literal, and what pg_stat_statements
# must know afterwards.
sub statements
{
	my ($order) = @_;
	my $s = ProtocolSession->new($node);
	$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
	for my $form (
		"SELECT mogo_verify('id', '%s')",
		"SELECT id, 'text' FROM rows WHERE mogo_verify('id', '%s')",
		"SELECT set_config('a.b', '%s', false); SELECT mogo_verify('id', current_setting('a.b'))",
		"DO \$\$ BEGIN PERFORM mogo_verify('id', '%s'); END \$\$",
		"DO \$\$ BEGIN EXECUTE 'CREATE TEMP TABLE n AS SELECT mogo_verify(''id'', ''%s'')'; END \$\$",
		"COPY (SELECT mogo_verify('id', '%s')) TO STDOUT",
		"EXPLAIN SELECT mogo_verify('id', '%s')",
		"CREATE TEMP TABLE t AS SELECT mogo_verify('id', '%s')",
		"PREPARE lit AS SELECT mogo_verify('id', '%s')",
		"EXECUTE lit",
		"PREPARE par(text) AS SELECT mogo_verify(\$1, \$1) AS prepared",
		"EXECUTE par('%s')",
		"EXPLAIN EXECUTE par('%s')",
		"BEGIN; DECLARE c CURSOR FOR SELECT mogo_verify('id', '%s'); FETCH c; COMMIT"
	  )
	{
		my $x = secret();
		$s->query($form =~ s/%s/$x/gr);
		is($s->errors, '', "$order: $form");
	}
	my $x = secret();
	$s->params("SELECT mogo_verify('id', '$x')");
	$s->params('SELECT NOT mogo_verify($1, $2)', 'id', secret()) for 1, 2;
	$s->params(
		"-- name: VerifyClient :one\nSELECT schema_of_20_letters.mogo_verify(\$1, \$2)",
		'id', secret());
	$s->params(
		"SELECT mogo_verify(\$1, \$2) IS NULL /*controller='users',route='%2Flogin'*/",
		'id', secret());
	$s->query("SELECT 'plain', count(*) FROM rows");
	$s->query("CREATE TEMP TABLE plain_utility (t text DEFAULT 'plain')");

	my $texts = $node->safe_psql('postgres',
		'SELECT query, calls FROM pg_stat_statements ORDER BY 1');
	unlike($texts, qr/$_/, "$order: a secret is not in pg_stat_statements")
	  for @secrets;
	like(
		$texts,
		qr/^SELECT NOT mogo_verify\(\$1, \$2\)\|2$/m,
		"$order: the parameterised statement is, counted");
	like(
		$texts,
		qr/mogo_verify\(\$1, \$1\) AS prepared\|1$/m,
		"$order: and so is the prepared one");
	like(
		$texts,
		qr/^SELECT \$1, count\(\*\) FROM rows\|1$/m,
		"$order: unrelated statements are there");
	like(
		$texts,
		qr/^CREATE TEMP TABLE plain_utility \(t text DEFAULT 'plain'\)\|1$/m,
		"$order: and utility statements");
	like(
		$texts,
		qr/^(?:-- name: VerifyClient :one\n)?SELECT schema_of_20_letters\.mogo_verify\(\$1, \$2\)\|1$/m,
		"$order: with sqlc's comment and a long schema");
	like(
		$texts,
		qr/mogo_verify\(\$1, \$2\) IS NULL(?: \/\*controller='users',route='%2Flogin'\*\/)?\|1$/m,
		"$order: with sqlcommenter's");
	like(
		$texts,
		qr/^SELECT id, \$1 FROM rows WHERE mogo_verify\(\$2, \$3\)\|1$/m,
		"$order: and those with literals, without these");
	my @utility = grep {
			 /mogo_/
		  && !/AS prepared/
		  && /^(?:DO|COPY|EXPLAIN|CREATE|PREPARE|EXECUTE|DECLARE)/
	} split /\n/, $texts;
	is("@utility", '', "$order: but no utility statement with them");

	# Entries that are thrown out and made again while a statement runs.
	for my $i (1 .. 150)
	{
		$s->query("SELECT 1 AS c$i FROM rows WHERE id = $i LIMIT 1");
		$s->query("SELECT mogo_verify('id', '" . secret() . "')")
		  if $i % 10 == 0;
	}
	$texts = $node->safe_psql('postgres',
		'SELECT string_agg(query, chr(10)) FROM pg_stat_statements');
	is(scalar(grep { $texts =~ /$_/ } @secrets),
		0, "$order: nor under eviction");
	$s->close;
	return;
}

statements('mogocred first');
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'pg_stat_statements,mogocred'");
$node->restart;
statements('pg_stat_statements first');

# --- on disk ------------------------------------------------------------------------------------

my $control = 'control-' . int rand 2**31;
$node->safe_psql('postgres',
	"SELECT '$control'::text AS kept INTO TABLE kept");
$node->stop;
my $pattern = join '|', @secrets;
my (@found, $seen);
find(
	{
		no_chdir => 1,
		wanted => sub {
			return unless -f $_;
			my $content = slurp_file($_);
			push @found, $_ if $content =~ /$pattern/;
			$seen = 1 if index($content, $control) >= 0;
		}
	},
	$node->data_dir);
is("@found", '', 'no file of the data directory holds one');
ok($seen, '... where the scan does find a value of a table');

done_testing();
