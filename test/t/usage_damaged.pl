# Use counts and databases that cannot be flushed: a damaged page costs the counts of its
# own rows alone; a database that is stuck takes neither the room of the others nor their
# time, and its errors are logged once a minute.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $node = counting_node('damaged', 'mogocred.usage_max' => 400);
my $q = sub { $node->safe_psql('postgres', @_) };

# When the log told of a flush to a database that failed, in seconds.
sub complaints
{
	my ($database) = @_;
	my $oid = $q->("SELECT oid FROM pg_database WHERE datname = '$database'");
	my ($at, @at);
	foreach (split /\n/, slurp_file($node->logfile))
	{
		$at = $1 if /^(\d+)\.\d+ ERROR:  /;
		push @at, $at if /flushing mogocred's use counts to database $oid$/;
	}
	return @at;
}

$node->append_conf('postgresql.conf', "log_line_prefix = '%n '\n");
$node->reload;

# --- a damaged page ----------------------------------------------------------------

issue_many($node, 'many', 300);
$q->('SELECT mogo_verify(client_id, client_secret) FROM many');
ok( $node->poll_query_until(
		'postgres', 'SELECT count(*) FROM mogo_secret_usage', '300'),
	'300 counts are flushed');
my ($file, $rows) = split /\|/,
  $q->(
	"SELECT pg_relation_filepath('mogo_secret_usage'), count(*) FROM mogo_secret_usage WHERE (ctid::text::point)[0] = 1"
  );
cmp_ok($rows, '>', 20, 'a page of the table has some of the rows');
cmp_ok($rows, '<', 200, 'and not most');
$q->(
	'CREATE TABLE damaged AS SELECT secret_id FROM mogo_secret_usage WHERE (ctid::text::point)[0] = 1'
);
$node->stop;
open my $fh, '+<', $node->data_dir . "/$file" or die;
binmode $fh;
sysseek($fh, 8192, 0);
syswrite($fh, 'x' x 100);
close $fh;
$node->start;
my ($rc, undef, $stderr) =
  $node->psql('postgres', 'SELECT sum(uses) FROM mogo_secret_usage');
like($stderr, qr/ERROR:  invalid page in block 1/, 'the page is damaged');

# The views that the checks need go on, and each count is written that can be.
$q->('SELECT mogo_verify(client_id, client_secret) FROM many') foreach 1 .. 2;
ok( $node->poll_query_until(
		'postgres', 'SELECT entries FROM mogo_usage_status()', $rows),
	'all other counts are flushed');
ok(scalar(complaints('postgres')), 'the log says so');
$q->('SELECT mogo_verify(client_id, client_secret) FROM many');
ok( $node->poll_query_until(
		'postgres', 'SELECT entries FROM mogo_usage_status()', $rows),
	'again');
is( $q->(
		"SET zero_damaged_pages = on; SELECT sum(uses) FROM mogo_secret_usage"
	),
	(300 - $rows) * 4,
	'each once');
is( $q->(
		"SELECT sum(mogo_usage_count(client_id, secret_id, 0)) FROM many WHERE secret_id IN (SELECT secret_id FROM damaged)"
	),
	$rows * 3,
	'those of the page wait');

# --- a database that is stuck --------------------------------------------------------

$node->append_conf('postgresql.conf', "mogocred.usage_max = 100\n");
$q->('TRUNCATE mogo_secret_usage, mogo_client_usage');
$node->restart;
$node->poll_query_until('postgres',
	'SELECT entries FROM mogo_usage_status()', '0');
$q->('CREATE DATABASE stuck');
$node->safe_psql('stuck', 'CREATE EXTENSION mogocred CASCADE');
issue_many($node, 'crowd', 90, 'stuck');
hold($node, 'LOCK TABLE mogo_client_usage', 'stuck');
$node->safe_psql('stuck',
	'SELECT mogo_verify(client_id, client_secret) FROM crowd');
ok( $node->poll_query_until(
		'postgres', 'SELECT entries FROM mogo_usage_status()', '49'),
	'a database that cannot be flushed keeps less than half of the room');
is($q->('SELECT not_counted FROM mogo_usage_status()'),
	'41', 'the rest is not counted');
my $c = issue($node, 'here');

foreach my $i (1 .. 4)
{
	check($node, $c, 1);
	flushed($node, $c, "$i|") or last;
}
is(counted($node, $c),
	'4|', 'another database is flushed meanwhile, four times');
my @at = complaints('stuck');
ok(@at > 0, 'the log says what is stuck');
my @gaps = grep { $_ < 60 } map { $at[$_] - $at[ $_ - 1 ] } 1 .. $#at;
is(scalar(@gaps), 0, 'and not more often than once a minute') or diag "@at";

# A database with a broken catalog, which nobody gets into.
$q->('CREATE DATABASE broken');
$node->safe_psql('broken', 'CREATE EXTENSION mogocred CASCADE');
my $b = issue($node, 'broken', undef, 'broken');
my $version = $q->(
	"SELECT 'base/' || oid || '/PG_VERSION' FROM pg_database WHERE datname = 'broken'"
);
my $offset = -s $node->logfile;
$node->safe_psql('broken', "SELECT mogo_verify('$b->{id}', '$b->{secret}')");
rename $node->data_dir . "/$version", $node->data_dir . "/$version.gone"
  or die;
ok( logged(
		$node, qr/FATAL:  "base\/\d+" is not a valid data directory/, $offset
	),
	'a database that nobody gets into');

foreach my $i (5 .. 7)
{
	check($node, $c, 1);
	flushed($node, $c, "$i|") or last;
}
is(counted($node, $c), '7|', 'others are flushed');
my $fatal = () =
  substr(slurp_file($node->logfile), $offset) =~ /FATAL:  "base/g;
is($fatal, 1, 'and the log has one line of it');

# Repaired; a reload does without waiting for the minute to end.
rename $node->data_dir . "/$version.gone", $node->data_dir . "/$version"
  or die;
release($node, 'stuck');
$node->reload;
ok( flushed($node, $b, '1|', 'broken'),
	'its count is flushed when it is repaired');
ok( $node->poll_query_until(
		'stuck', 'SELECT count(*) BETWEEN 40 AND 49 FROM mogo_secret_usage'),
	'and those that waited for a lock');

$node->stop;
done_testing();
