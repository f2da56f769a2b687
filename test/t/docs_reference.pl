# README's reference names each function with its signature, each view with its columns
# and each type with its attributes, as the catalog has them, and nothing that does not
# exist; its list of settings says what the server says, in the same words; and the
# manual's index has each page. (test/sql/install.sql looks at COMMENT ON.)

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $page = slurp_file("$FindBin::Bin/../../README.md");
my $node = server('main', "shared_preload_libraries = 'mogocred'\n");
my $schema = $node->safe_psql('postgres',
	"SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'mogocred'"
);

# Returns a signature as both sides are compared: PostgreSQL's long names of types are
# README's short ones, defaults have no cast, and no name has a schema.
sub plain
{
	my $signature = shift;
	$signature =~ s/\s+/ /g;
	$signature =~ s/timestamp with time zone/timestamptz/g;
	$signature =~ s/::[a-z]+(?:\[\])?//g;
	$signature =~ s/\b\Q$schema\E\.//g;
	$signature =~ s/TABLE ?\(/TABLE(/;
	return $signature =~ s/ +$//r;
}

# What README says: the entries of the reference's blocks, each of which begins at the
# left margin. TABLE (…) stands for the columns of the entry above.
my ($reference) = $page =~ /^## Reference\n(.*?)^## /ms;
my @named;
my $columns = '';
while ($reference =~ /^```\n(.*?)^```$/msg)
{
	foreach (split /\n+(?=mogo_)/, $1)
	{
		my $entry = plain($_);
		$entry =~ s/TABLE\(…\)/$columns/;
		$columns = $1 if $entry =~ /→ (TABLE\(.*)/;
		push @named, $entry;
	}
}
cmp_ok(scalar @named, '>', 50, 'entries in the reference');

# What there is. A function with OUT parameters has them as its result.
my @there = map { plain($_) } split /\n/, $node->safe_psql(
	'postgres', q{
	WITH member AS (SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e
		ON (d.refclassid, d.refobjid) = ('pg_extension'::regclass, e.oid)
		WHERE d.deptype = 'e' AND e.extname = 'mogocred')
	SELECT CASE WHEN 'o' = ANY (p.proargmodes)
		THEN format('%s() → TABLE(%s)', p.proname, replace(pg_get_function_arguments(p.oid), 'OUT ', ''))
		ELSE format('%s(%s) → %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) END
	FROM pg_proc AS p JOIN member AS m ON (m.classid, m.objid) = ('pg_proc'::regclass, p.oid)
	UNION ALL
	SELECT format('%s (%s)', c.relname, string_agg(CASE c.relkind WHEN 'v' THEN a.attname
		ELSE a.attname || ' ' || format_type(a.atttypid, a.atttypmod) END, ', ' ORDER BY a.attnum))
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relkind = 'v' AND EXISTS (SELECT FROM member AS m
			WHERE (m.classid, m.objid) = ('pg_class'::regclass, c.oid))
		OR c.relkind = 'c' AND EXISTS (SELECT FROM member AS m
			WHERE (m.classid, m.objid) = ('pg_type'::regclass, c.reltype))
	GROUP BY c.oid, c.relname});
cmp_ok(scalar @there, '>', 50, 'functions, views and types');

my %named = map { ($_ => 1) } @named;
my %there = map { ($_ => 1) } @there;
is(scalar keys %named, scalar @named, 'nothing is there twice');
ok($named{$_}, "README has $_") foreach sort @there;
is_deeply([ grep { !$there{$_} } sort @named ],
	[], 'nothing in README that does not exist');

# The settings.
my @settings = split /\n/, $node->safe_psql(
	'postgres', q{
	SELECT name, short_desc, coalesce(extra_desc, ''), CASE WHEN unit = 's' THEN boot_val || 's' ELSE boot_val END
	FROM pg_settings WHERE name LIKE 'mogocred.%' ORDER BY 1});
cmp_ok(scalar @settings, '>=', 11, 'settings');
my ($list) = $page =~ /^## Settings\n(.*?)^## /ms;
$list =~ s/\n +/ /g;    # a list item on one line
foreach (@settings)
{
	my ($name, $short, $extra, $default) = split /\|/;
	my $words = $extra eq '' ? $short : "$short $extra";
	like(
		$list,
		qr/^- `\Q$name\E` \(default `\Q$default\E`\): \Q$words\E/m,
		"$name: default and words");
}
my @listed = $list =~ /^- `(mogocred\.\w+)` \(default/mg;
is(scalar @listed, scalar @settings, 'no setting that is not there');

# The manual's index.
my $doc = "$FindBin::Bin/../../doc";
my $index = slurp_file("$doc/README.md");
my @pages = grep { !/README/ } map { s{.*/}{}r } glob "$doc/*.md";
cmp_ok(scalar @pages, '>', 15, 'pages');
is_deeply([ grep { $index !~ /^- \[\Q$_\E\]\(\Q$_\E\)/m } @pages ],
	[], 'doc/README.md has each page');

done_testing();
