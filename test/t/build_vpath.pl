# Other ways to build: outside the source tree (VPATH), installed below DESTDIR, and for a
# major that this version does not know.

use strict;
use warnings FATAL => 'all';
use FindBin;
use File::Find;
use PostgreSQL::Test::Utils;
use Test::More;

my $src = "$FindBin::Bin/../..";
my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my ($tree, $build, $dest) = ("$tmp/tree", "$tmp/vpath", "$tmp/dest");
system("rm -rf '$tree' '$build' '$dest'; mkdir -p '$tree/src' '$build'") == 0
  or die;
# a source tree in which nothing was built
system(
	"cp -R '$src/Makefile' '$src/mogocred.control' '$src/sql' '$tree/' && cp '$src'/src/*.[ch] '$tree/src/'"
) == 0 or die;
my $before = join "\n", sort glob "$tree/src/*";

# A major that nobody has tried is refused, with one line on how to try it.
command_checks_all(
	[
		'make', '-C',
		$build, '-f',
		"$tree/Makefile", "VPATH=$tree",
		'PG_CONFIG=pg_config', 'PG_MAJORS=8 9'
	],
	2,
	[qr/\A(make.*\n)*\z/],
	[
		qr/\Amogocred: this version supports PostgreSQL 8 to 9, and pg_config is of \d+ \(to try it all the same: make PG_MAJORS=\d+\)\nmake.*Error 1\n(make.*\n)*\z/
	],
	'an unknown major is refused');

chomp(my ($lib, $share) = `pg_config --pkglibdir --sharedir`);
my @make = (
	'make', '-s',
	'-C', $build,
	'-f', "$tree/Makefile",
	"VPATH=$tree", 'PG_CONFIG=pg_config',
	'with_llvm=no', "DESTDIR=$dest");
command_ok([ @make, 'install' ],
	'make -f SOURCE/Makefile VPATH=SOURCE DESTDIR=... install');
is(join("\n", sort glob "$tree/src/*"),
	$before, 'nothing was written into the source tree');
my @installed;
find(sub { push @installed, $File::Find::name =~ s/^\Q$dest\E//r if -f },
	$dest)
  if -d $dest;
my @wanted = (
	"$lib/mogocred.so",
	"$share/extension/mogocred.control",
	map { "$share/extension/" . s{.*/}{}r } glob "$src/sql/mogocred--*.sql");
is( join("\n", sort @installed),
	join("\n", sort @wanted),
	'the library, the control file and the scripts, below DESTDIR and nowhere else'
);
command_ok([ @make, 'uninstall' ], 'make uninstall');
@installed = ();
find(sub { push @installed, $File::Find::name if -f }, $dest) if -d $dest;
is("@installed", '', 'takes them all away');

done_testing();
