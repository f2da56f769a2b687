# Every SQL statement in the pages that an administrator opens in a hurry runs as it stands.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'mogocred'\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE SCHEMA mogo;
	CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
	SELECT mogo.mogo_add_client('any');
	CREATE ROLE my_admin});

# Variables that stand for what the reader copies from a list
my $none = '00000000-0000-0000-0000-000000000000';
my $copied = "\\set invitation_id $none\n";

# operations.md ends with DROP EXTENSION
foreach my $name (qw(rotation delivery usage operations))
{
	my $page = slurp_file("$FindBin::Bin/../../doc/$name.md");
	my @blocks = $page =~ /^ *```sql\n(.*?)^ *```$/msg;
	cmp_ok(scalar @blocks, '>', 0, "SQL in $name.md");
	foreach my $sql (@blocks)
	{
		my ($title) = $sql =~ /^ *(.{1,70})/;
		is($node->psql('postgres', $copied . $sql, on_error_stop => 1),
			0, "$name.md: $title");
	}
}

done_testing();
