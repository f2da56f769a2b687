# Every SQL statement in doc/operations.md runs as it stands.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::Bin/../../doc/operations.md");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'mogocred'\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE SCHEMA mogo;
	CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
	SELECT mogo.mogo_add_client('any')});

my @blocks = $page =~ /^```sql\n(.*?)^```$/msg;
cmp_ok(scalar @blocks, '>', 8, 'SQL in the page');
foreach my $sql (@blocks)
{
	my ($title) = $sql =~ /^(.{1,70})/;
	is($node->psql('postgres', $sql, on_error_stop => 1), 0, $title);
}

done_testing();
