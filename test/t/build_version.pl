# The version stands in mogocred.control; every other place says the same. And what
# PGXN asks of META.json (its meta spec 1.0.0).

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $src = "$FindBin::Bin/../..";

sub found
{
	my ($file, $re) = @_;
	my ($got) = slurp_file("$src/$file") =~ $re;
	return $got;
}

my $version =
  found('mogocred.control', qr/^default_version = '(\d+\.\d+)'$/m);
ok($version, 'mogocred.control has a version of two numbers');
is(found('src/mogocred.h', qr/^#define MOGO_VERSION\s+"(.*)"$/m),
	$version, 'src/mogocred.h');
ok(-f "$src/sql/mogocred--$version.sql", 'the SQL script is named for it');
is(found("sql/mogocred--$version.sql", qr{^/\* mogocred (\S+):}),
	$version, 'and its first line');
is(found('CHANGELOG.md', qr/^## (\S+)/m),
	$version, "CHANGELOG.md's first heading");
is(found('debian/changelog', qr/\Amogocred \((.*)-\d+\)/),
	$version, 'debian/changelog');
is( (   slurp_file("$src/debian/control") =~
		  s/\d+(?=-mogocred$)|(?<=PostgreSQL )\d+(?=\.$)/PGVERSION/gmr),
	slurp_file("$src/debian/control.in"),
	'debian/control is what pg_buildext makes of control.in');

my $majors = found('Makefile', qr/^PG_MAJORS = (.*)$/m);
my ($oldest, $newest) = (split ' ', $majors)[ 0, -1 ];
is(join(' ', slurp_file("$src/debian/pgversions") =~ /^(\d+)$/mg),
	$majors, 'debian/pgversions');
is(found('src/compat.h', qr/^#if PG_VERSION_NUM < (\d+)0000$/m),
	$oldest, 'src/compat.h');
like(slurp_file("$src/README.md"), qr/PostgreSQL $oldest to \d+/,
	'README.md');

# Each older version can become this one.
my %step;
/mogocred--(.+)--(.+)\.sql$/ and $step{$1}{$2} = 1
  foreach glob "$src/sql/*.sql";
foreach my $old (map { /mogocred--((?:(?!--).)+)\.sql$/ ? $1 : () }
	glob "$src/sql/*.sql")
{
	my @todo = ($old);
	my %seen;
	while (defined(my $at = shift @todo))
	{
		push @todo, keys %{ $step{$at} } if !$seen{$at}++;
	}
	ok($seen{$version}, "scripts lead from $old to $version");
}

my $meta = eval { decode_json(slurp_file("$src/META.json")) } // {};
is($meta->{version}, "$version.0", 'META.json');
is($meta->{provides}{mogocred}{version}, "$version.0",
	'and what it provides');
is($meta->{provides}{mogocred}{file},
	"sql/mogocred--$version.sql", 'and its file');
is( $meta->{abstract},
	found('mogocred.control', qr/^comment = '(.*)'$/m),
	"its abstract is the extension's comment");
ok(-f "$src/$meta->{provides}{mogocred}{docfile}",
	'its documentation is there');
is( $meta->{prereqs}{runtime}{requires}{PostgreSQL},
	">= $oldest.0.0, < " . ($newest + 1) . '.0.0',
	'and the servers it is for');
my @missing = grep { !$meta->{$_} }
  qw(name version abstract maintainer license provides meta-spec);
is("@missing", '', 'it has what the specification requires');
is($meta->{'meta-spec'}{version}, '1.0.0', 'and names the specification');
is( join(
		' ',
		grep {
			!/^(name|version|abstract|maintainer|license|provides|meta-spec|description|generated_by|tags|no_index|prereqs|release_status|resources|x_.*)$/i
		} keys %$meta),
	'',
	'nothing in it is unknown there');

# What runs says the same.
my $node = server('main');
is( $node->safe_psql(
		'postgres',
		"SELECT extversion FROM pg_extension WHERE extname = 'mogocred'"),
	$version,
	'the extension');
SKIP:
{
	skip 'before 18, a library does not tell its version', 1
	  if $node->safe_psql('postgres', 'SHOW server_version_num') < 180000;
	is( $node->safe_psql(
			'postgres',
			"LOAD 'mogocred'; SELECT module_name, version FROM pg_get_loaded_modules() WHERE module_name = 'mogocred'"
		),
		"mogocred|$version",
		'the library');
}

done_testing();
