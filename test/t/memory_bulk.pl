# A million checks and a hundred thousand new clients in one statement take no more
# memory at the end than at a tenth of the way. The backend's own memory (RssAnon) is
# read from /proc in the middle of the statement.
#
# What PostgreSQL keeps of every distinct NOTIFY until the transaction ends does grow,
# and is not ours: as many pg_notify calls with payloads of the same size are measured
# for comparison.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

# A sanitizer keeps freed memory and says nothing of ours.
plan skip_all => 'the server runs with a sanitizer' if $ENV{WRAP_ENV};
plan skip_all => 'needs RssAnon in /proc'
  if !-r '/proc/self/status'
  || slurp_file('/proc/self/status') !~ /^RssAnon:/m;

use constant SLACK =>
  1024;    # KiB; 900,000 leaks of the smallest allocation are 14 MiB

my $node = server('main', "shared_preload_libraries = 'mogocred'\n");
$node->safe_psql(
	'postgres', q{
CREATE FUNCTION rss() RETURNS int LANGUAGE sql VOLATILE
RETURN substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+)')::int;
});
my ($id, $secret) = split /\|/,
  $node->safe_psql('postgres',
	q{SELECT client_id, client_secret FROM mogo_add_client('memory')});

# Evaluates an expression of n for 1 to $rows in one statement, in a session of its own.
# Returns how often it was true, and by how many KiB memory grew over the last 90 %.
sub growth
{
	my ($rows, $expression, $from) = @_;
	my $tenth = $rows / 10;
	my ($true, $grown) = split /\|/, $node->safe_psql(
		'postgres', qq{
SELECT count(*) FILTER (WHERE $expression),
	max(rss()) FILTER (WHERE n = $rows) - max(rss()) FILTER (WHERE n = $tenth)
FROM generate_series(1, $rows) AS n $from});
	note(   "$expression: grown by $grown KiB over "
		  . ($rows - $tenth)
		  . ' rows');
	return ($true, $grown);
}

my ($true, $grown) = growth(
	1_000_000,
	"mogo_verify('$id', CASE WHEN n % 2 = 0 THEN '$secret' ELSE n::text END)",
	'');
is($true, 500_000, 'a million checks in one statement');
cmp_ok($grown, '<', SLACK, 'at flat memory');

($true, $grown) = growth(200_000, 'true',
	", LATERAL mogo_authenticate('$id', CASE WHEN n > 0 THEN '$secret' END)");
is($true, 200_000, 'two hundred thousand authentications');
cmp_ok($grown, '<', SLACK, 'at flat memory');

my ($added, $adds) =
  growth(100_000, "mogo_add_client('client ' || n) IS NOT NULL", '');
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM mogo_clients WHERE client_name ^@ 'client '}),
	100_000,
	'a hundred thousand new clients in one statement');
my (undef, $notifies) = growth(
	100_000,
	q{pg_notify('mogocred', json_build_object('action', 'client_added', 'clientId', md5(n::text)::uuid, 'secretId', md5(n::text)::uuid)::text) IS NOT NULL},
	'');
cmp_ok(
	$adds, '<',
	$notifies + SLACK,
	"at no more than PostgreSQL's pending notifications take");

done_testing();
