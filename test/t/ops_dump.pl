# pg_dump and pg_restore in every form: what comes out answers as what went in, rights
# included, and no dump holds a secret.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $dir = $PostgreSQL::Test::Utils::tmp_check;

# In a schema of its own, with pgcrypto in another, and something that is not ours.
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql(
	'source', q{CREATE SCHEMA cred; CREATE EXTENSION pgcrypto;
	CREATE EXTENSION mogocred SCHEMA cred; CREATE TABLE cred.other AS SELECT 1 AS a}
);
my $asked = every_kind($node, 'source', 'cred');
my $secret = issue($node, undef, "cred.mogo_add_client('seen')", 'source');
push @$asked,
  [ "mogo_verify('$secret->{id}', '$secret->{secret}')::text", 'true' ];
$asked->[$_][1] =~ s/short=0$/seen=1,short=0/ foreach 0 .. $#$asked;
my $rows = contents($node, 'source', 'cred');
my $catalog = catalog($node, 'source');
is(answers($node, 'source', 'cred', $asked),
	'', 'before: every kind of client, every right');

# Runs a program against a database.
sub run_on
{
	my ($program, $db, @args) = @_;
	return run_log([ $program, @args, '-d', $node->connstr($db) ]);
}

# A database as it must be after a whole restore.
sub is_whole
{
	my ($db, $how) = @_;
	is(contents($node, $db, 'cred'), $rows, "$how: every row");
	is(answers($node, $db, 'cred', $asked),
		'', "$how: every answer and right");
	is(catalog($node, $db), $catalog, "$how: the catalogs say the same");
	my $new =
	  issue($node, undef, "cred.mogo_rotate_secret('$secret->{id}', '0')",
		$db);
	is( $node->safe_psql(
			$db,
			"SELECT cred.mogo_verify('$new->{id}', '$new->{secret}'), cred.mogo_verify('$new->{id}', '$secret->{secret}')"
		),
		't|f',
		"$how: life goes on");
	return;
}

# --- the whole database ------------------------------------------------------------

# Whoever reads what a backup prints finds nothing: pg_dump would warn of initial rights
# on the tables' row types, which are members from 17 on.
my (undef, $warned) =
  run_command([ 'pg_dump', '-d', $node->connstr('source') ]);
is($warned, '', 'pg_dump warns of nothing');

my %form = (
	custom => ['-Fc'],
	plain => ['-Fp'],
	parallel => [ '-Fd', '-j2' ],
	inserts => ['--column-inserts'],);
foreach my $form (sort keys %form)
{
	my $file = "$dir/$form.dump";
	ok(run_on('pg_dump', 'source', @{ $form{$form} }, '-f', $file),
		"$form: pg_dump");
	$node->safe_psql('postgres', "CREATE DATABASE $form");
	ok( $form eq 'plain' || $form eq 'inserts'
		? run_on('psql', $form, '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file)
		: run_log(
			[
				'pg_restore', '-e',
				$form eq 'parallel' ? '-j2' : (), '-d',
				$node->connstr($form), $file
			]),
		"$form: restored with no error");
	is_whole($form, $form);
}
unlike(slurp_file("$dir/plain.dump"),
	qr/\Q$secret->{secret}\E/, 'a dump holds no secret');
unlike(
	slurp_file("$dir/plain.dump"),
	qr/sixteen characters/,
	'nor one that somebody chose');
ok( run_log(
		[
			'pg_restore', '-e',
			'--clean', '--if-exists',
			'-d', $node->connstr('custom'),
			"$dir/custom.dump"
		]),
	'over a database that has it: pg_restore --clean');
is_whole('custom', '--clean');

# --- structure alone, rows alone ------------------------------------------------------

ok(run_on('pg_dump', 'source', '--schema-only', '-f', "$dir/schema.sql"),
	'--schema-only: pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE structure');
ok( run_on(
		'psql', 'structure', '-Xq', '-v',
		'ON_ERROR_STOP=1', '-f', "$dir/schema.sql"),
	'--schema-only: restored');
is(contents($node, 'structure', 'cred'), '', '--schema-only: no rows');
is(catalog($node, 'structure'),
	$catalog, '--schema-only: the catalogs say the same');
is( $node->safe_psql(
		'structure',
		"SET ROLE kind_checker; SELECT cred.mogo_verify('$secret->{id}', '$secret->{secret}')"
	),
	'f',
	'--schema-only: a check answers, no');

ok(run_on('pg_dump', 'source', '--data-only', '-f', "$dir/data.sql"),
	'--data-only: pg_dump');
ok( run_on(
		'psql', 'structure', '-Xq', '-v',
		'ON_ERROR_STOP=1', '-f', "$dir/data.sql"),
	'--data-only: restored into what has the extension');
is_whole('structure', '--data-only');

# --- one schema --------------------------------------------------------------------------

ok(run_on('pg_dump', 'source', '-n', 'cred', '-f', "$dir/n.sql"),
	'-n cred: pg_dump');
unlike(
	slurp_file("$dir/n.sql"),
	qr/CREATE EXTENSION/,
	'-n cred alone leaves the extension out');
$node->safe_psql('postgres', 'CREATE DATABASE one_schema');
ok( !run_on(
		'psql', 'one_schema', '-Xq', '-v',
		'ON_ERROR_STOP=1', '-1', '-f', "$dir/n.sql"),
	'-n cred alone cannot be restored into an empty database');
ok( run_on(
		'pg_dump', 'source', '-n', 'cred',
		'-e', 'mogocred', '-f', "$dir/ne.sql"),
	'-n cred -e mogocred: pg_dump');
ok( !run_on(
		'psql', 'one_schema', '-Xq', '-v', 'ON_ERROR_STOP=1', '-1', '-f',
		"$dir/ne.sql"),
	'-n cred -e mogocred: not without pgcrypto');
$node->safe_psql('one_schema', 'CREATE EXTENSION pgcrypto');
ok( run_on(
		'psql', 'one_schema', '-Xq', '-v', 'ON_ERROR_STOP=1', '-1', '-f',
		"$dir/ne.sql"),
	'-n cred -e mogocred: restored beside pgcrypto');
is_whole('one_schema', '-n cred -e mogocred');

done_testing();
