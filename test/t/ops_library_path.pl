# Where the library and the control file may be: preloaded by a name, by a path that
# PostgreSQL's own search leads to as well, and by one that it does not (refused); and
# from 18 in folders outside the installation.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

chomp(my ($libdir, $sharedir) = `pg_config --pkglibdir --sharedir`);
my $outside = "$PostgreSQL::Test::Utils::tmp_check/outside";
my $bare = "$PostgreSQL::Test::Utils::tmp_check/bare";
system(
	"rm -rf '$outside' '$bare'; mkdir -p '$outside/lib' '$outside/share/extension' '$bare'"
) == 0 or die;
copy("$libdir/$_.so", "$outside/lib/")
  or die "$_: $!"
  foreach qw(mogocred pgcrypto plpgsql);
copy($_, "$outside/share/extension/")
  or die "$_: $!"
  foreach glob("$sharedir/extension/mogocred*"),
  glob("$sharedir/extension/pgcrypto*");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;

# Starts the server with these settings. Returns what the log then says of us, or of an
# error; an empty text if nothing.
sub start_with
{
	my ($preload, $path) = @_;
	$node->stop;
	$node->append_conf('postgresql.conf',
		"shared_preload_libraries = '$preload'\ndynamic_library_path = '$path'\n"
	);
	my $before = -s $node->logfile // 0;
	$node->start(fail_ok => 1);
	my $log = slurp_file($node->logfile, $before);
	return join "\n", $log =~
	  /^.*\] ((?:(?:FATAL|ERROR|WARNING|DETAIL|HINT): |LOG: .*(?:library|worker).*mogocred).*)$/mg;
}

# The one message of a start that was refused.
sub refused
{
	my ($why) = @_;
	return
	  qr/\A\QFATAL:  could not find the preloaded library by the name "mogocred"\E
\QDETAIL:  Background workers and functions load it by that name: \E$why\.
\QHINT:  Set "shared_preload_libraries" to the name without a path, and add the library's directory to "dynamic_library_path".\E\z/;
}

# Our background workers, once the launcher has come.
sub launcher
{
	$node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'mogocred launcher'"
	);
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mogocred launcher'"
	);
}

$node->start;
is(start_with('mogocred', '$libdir'), '', 'preloaded by name');
is(launcher(), 1, 'the launcher runs');
is(start_with('$libdir/mogocred', '$libdir'),
	'', 'preloaded by name with $libdir');
is(launcher(), 1, 'the launcher runs');
is(start_with("$libdir/mogocred", '$libdir'),
	'', 'preloaded by the path that the name leads to');
is(launcher(), 1, 'the launcher runs');
is(start_with("$outside/lib/mogocred.so", "$outside/lib:\$libdir"),
	'', 'and by such a path outside the installation');
is(launcher(), 1, 'the launcher runs');
like(
	start_with("$outside/lib/mogocred", $bare),
	refused('could not access file "mogocred": No such file or directory'),
	'a path that the name does not lead to is refused, with one message');
like(start_with("$outside/lib/mogocred", '$libdir'),
	refused('.*mogocred.*'), 'and one where the name leads to another copy');

SKIP:
{
	is(start_with('mogocred', '$libdir'), '', 'the server starts again');
	skip 'before 18 there is no extension_control_path', 7
	  if $node->safe_psql('postgres', 'SHOW server_version_num') < 180000;

	# Without $system and $libdir, what the installation has of us, of pgcrypto and of
	# PL/pgSQL is not found.
	$node->append_conf('postgresql.conf',
		"extension_control_path = '$outside/share'\n");
	is(start_with('mogocred', "$outside/lib"), '', 'preloaded from outside');
	is( $node->safe_psql(
			'postgres',
			q{SELECT string_agg(name, ' ' ORDER BY name) FROM pg_available_extensions}
		),
		'mogocred pgcrypto',
		'PostgreSQL finds what is outside and nothing else');
	is(launcher(), 1, 'the launcher runs');
	$node->safe_psql(
		'postgres',
		'CREATE SCHEMA mogo; CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
		ALTER DATABASE postgres SET search_path = mogo');
	my $c = issue($node, 'outside');
	is(verify($node, $c), 't', 'create, add, check');
	$node->safe_psql(
		'postgres',
		q{SELECT mogo_import_client('bcrypt', '10000000-0000-4000-8000-000000000001', 'bcrypt',
		'$2a$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa')});
	is( $node->safe_psql(
			'postgres',
			q{SELECT mogo_verify('10000000-0000-4000-8000-000000000001', 'Grüße an den Bäcker')}
		),
		't',
		"bcrypt, through pgcrypto's library");
	is( $node->safe_psql(
			'postgres',
			q{LOAD 'mogocred'; SELECT string_agg(file_name, ' ' ORDER BY file_name)
		FROM pg_get_loaded_modules() WHERE file_name ~ 'mogocred|pgcrypto'}),
		'mogocred.so',
		'the library is loaded once');
	$node->safe_psql('postgres', 'DROP EXTENSION mogocred');
	is( $node->safe_psql(
			'postgres',
			q{SELECT count(*) FROM pg_proc WHERE proname ~ '^mogo_'}),
		0,
		'dropped');
}

$node->stop;
done_testing();
