# doc/operations.md says of each setting what the server says, in the same words, and
# every SQL statement in it runs.

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

my @settings = split /\n/, $node->safe_psql(
	'postgres', q{
	SELECT name, short_desc, coalesce(extra_desc, ''), CASE WHEN unit = 's' THEN boot_val || 's' ELSE boot_val END
	FROM pg_settings WHERE name LIKE 'mogocred.%' ORDER BY 1});
cmp_ok(scalar @settings, '>=', 8, 'settings');
my $lines = $page =~ s/\n +/ /gr;    # a list item on one line
foreach (@settings)
{
	my ($name, $short, $extra, $default) = split /\|/;
	my $words = $extra eq '' ? $short : "$short $extra";
	like(
		$lines,
		qr/^- `\Q$name\E` \(default `\Q$default\E`\): \Q$words\E/m,
		"$name: default and words");
}
my @named = $lines =~ /^- `(mogocred\.\w+)` \(default/mg;
is(scalar @named, scalar @settings, 'no setting that is not there');

my @blocks = $page =~ /^```sql\n(.*?)^```$/msg;
cmp_ok(scalar @blocks, '>', 8, 'SQL in the page');
foreach my $sql (@blocks)
{
	my ($title) = $sql =~ /^(.{1,70})/;
	is($node->psql('postgres', $sql, on_error_stop => 1), 0, $title);
}

done_testing();
