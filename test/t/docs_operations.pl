# Every SQL statement in doc/operations.md runs as it stands.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $page = slurp_file("$FindBin::Bin/../../doc/operations.md");
my $node = server('main', "shared_preload_libraries = 'mogocred'\n");
issue($node, 'any');

my @blocks = $page =~ /^```sql\n(.*?)^```$/msg;
cmp_ok(scalar @blocks, '>', 8, 'SQL in the page');
foreach my $sql (@blocks)
{
	my ($title) = $sql =~ /^(.{1,70})/;
	is($node->psql('postgres', $sql, on_error_stop => 1), 0, $title);
}

done_testing();
