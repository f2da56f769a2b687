# CREATE, DROP and ALTER EXTENSION in every order, and the upgrade path: an upgraded
# installation has the catalog of a fresh one.

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

sub database
{
	my ($name, $sql) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $sql) if $sql;
	return $name;
}

# --- creating and dropping ------------------------------------------------------------

my $db = database('one');
is(sqlstate($node, 'CREATE EXTENSION mogocred', $db),
	'42704', 'not without pgcrypto or CASCADE');
is( sqlstate(
		$node,
		'CREATE ROLE nobody; GRANT CREATE ON DATABASE one TO nobody; SET ROLE nobody; CREATE EXTENSION mogocred CASCADE',
		$db),
	'42501',
	'not by somebody who is no superuser');
$node->safe_psql($db, 'CREATE EXTENSION mogocred CASCADE');
my $c = issue($node, 'one', undef, $db);
is(verify($node, $c, $db), 't', 'CASCADE brings pgcrypto');
is(sqlstate($node, 'CREATE EXTENSION mogocred', $db), '42710', 'not twice');
is(sqlstate($node, 'DROP EXTENSION pgcrypto', $db),
	'2BP01', 'pgcrypto cannot go first');
is(sqlstate($node, 'DROP TABLE mogo_client', $db), '2BP01', 'nor a table');
is(sqlstate($node, 'DROP FUNCTION mogo_verify(uuid, text)', $db),
	'2BP01', 'nor a function');
is(sqlstate($node, 'ALTER EXTENSION mogocred SET SCHEMA pg_temp', $db),
	'0A000', 'SET SCHEMA to a temporary schema is refused');
is( sqlstate(
		$node, 'CREATE SCHEMA s; ALTER EXTENSION mogocred SET SCHEMA s', $db),
	'0A000',
	'SET SCHEMA is refused');
is(sqlstate($node, "ALTER EXTENSION mogocred UPDATE TO 'none'", $db),
	'22023', 'UPDATE to a version that is not there');
$node->safe_psql($db, 'ALTER EXTENSION mogocred UPDATE');
is(verify($node, $c, $db), 't', 'UPDATE where there is nothing to do');
$node->safe_psql($db, 'DROP EXTENSION pgcrypto CASCADE');
is( $node->safe_psql(
		$db, "SELECT count(*) FROM pg_proc WHERE proname ~ '^mogo_'"),
	'0',
	'pgcrypto CASCADE takes all of it');
is( $node->safe_psql(
		$db, "SELECT count(*) FROM pg_class WHERE relname ~ '^mogo_'"),
	'0',
	'tables too');

# One session that sees it come and go, in other schemas, with a statement prepared
# before: nothing that the library keeps outlives what it was kept for.
my $life = $node->safe_psql(
	$db, q{
SET client_min_messages = warning;
CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA "Odd one"; CREATE SCHEMA crypt;
CREATE EXTENSION pgcrypto SCHEMA crypt;
CREATE EXTENSION mogocred SCHEMA a;
SET search_path = a, b, "Odd one", renamed;
SELECT client_id AS id1, client_secret AS s1 FROM mogo_add_client('in a') \gset
PREPARE ask(text, text) AS SELECT mogo_verify($1, $2);
EXECUTE ask(:'id1', :'s1');
DROP EXTENSION mogocred;
CREATE EXTENSION mogocred SCHEMA b;
EXECUTE ask(:'id1', :'s1');
SELECT client_id AS id2, client_secret AS s2 FROM mogo_add_client('in b') \gset
EXECUTE ask(:'id2', :'s2');
SELECT mogo_verify_status(:'id1', :'s1'), mogo_verify_status(:'id2', :'s2');
SELECT client_secret AS s2 FROM mogo_rotate_secret(:'id2', '0') \gset
ALTER SCHEMA b RENAME TO renamed;
EXECUTE ask(:'id2', :'s2');
SELECT client_secret AS s3 FROM mogo_rotate_secret(:'id2', '0') \gset
EXECUTE ask(:'id2', :'s2'); EXECUTE ask(:'id2', :'s3');
SELECT client_name FROM mogo_add_client('in b, renamed');
BEGIN;
DROP EXTENSION mogocred;
ROLLBACK;
EXECUTE ask(:'id2', :'s3');
DROP EXTENSION mogocred;
CREATE EXTENSION mogocred SCHEMA "Odd one";
SELECT client_id AS id4, client_secret AS s4 FROM mogo_add_client('in an odd one') \gset
SELECT mogo_import_client('chosen', '00000000-0000-0000-0000-000000000001', 'plain', 'sixteen characters') IS NOT NULL;
EXECUTE ask(:'id4', :'s4'); EXECUTE ask('00000000-0000-0000-0000-000000000001', 'sixteen characters');
ALTER EXTENSION pgcrypto SET SCHEMA a;
EXECUTE ask('00000000-0000-0000-0000-000000000001', 'sixteen characters');
SELECT client_name FROM mogo_clients ORDER BY 1;
});
is( $life =~ s/\n/ /gr,
	't f t invalid|valid t f t in b, renamed t t t t t chosen in an odd one',
	'one session, through four lives of the extension');

# Two databases know nothing of each other.
database($_, 'CREATE EXTENSION mogocred CASCADE') foreach 'two', 'three';
$c = issue($node, 'mine', undef, 'two');
my $d = issue($node, 'mine', undef, 'three');
is( verify($node, $c, 'two')
	  . verify($node, $c, 'three')
	  . verify($node, $d, 'three'),
	'tft',
	'two databases, two sets of clients');
$node->safe_psql('two', 'DROP EXTENSION mogocred');
is(verify($node, $d, 'three'), 't',
	'dropped in one, it goes on in the other');
is(sqlstate($node, "SELECT mogo_verify('x', 'x')", 'two'),
	'42883', 'and is gone in the one');
is( issue($node, 'mine', 'mogo_add_client($$template$$)', 'three')->{id} =~
	  /-/ && database('four TEMPLATE three') && verify($node, $d, 'four'),
	't',
	'a database copied from a template has its clients');

# --- upgrades ---------------------------------------------------------------------------

# What each version that has ever been released becomes is what a fresh one is, and its
# clients go on. The scripts are those that are installed.
my ($extdir) = map { chomp; "$_/extension" } `pg_config --sharedir`;
my ($current) =
  slurp_file("$extdir/mogocred.control") =~ /^default_version = '(.*)'/m;
my $fresh =
  catalog($node, database('fresh', 'CREATE EXTENSION mogocred CASCADE'));
cmp_ok(scalar split(/\n/, $fresh),
	'>', 100, 'the catalog of a fresh installation');

# Installs $from in a new database, with clients, and upgrades it to $to.
sub upgraded
{
	my ($name, $from, $to) = @_;
	my $have =
	  database($name, "CREATE EXTENSION mogocred VERSION '$from' CASCADE");
	my $asked = every_kind($node, $have);
	$node->safe_psql($have, "ALTER EXTENSION mogocred UPDATE TO '$to'");
	is(answers($node, $have, 'public', $asked),
		'', "from $from to $to: every client and every right");
	$node->safe_psql($have,
		"SELECT mogo_revoke_access(r) FROM unnest('{kind_checker,kind_admin}'::regrole[]) r"
	);
	return catalog($node, $have);
}

my $n = 0;
foreach my $script (sort glob "$extdir/mogocred--*.sql")
{
	next if $script !~ /mogocred--((?:(?!--).)+)\.sql$/ || $1 eq $current;
	is(upgraded('old' . $n++, $1, $current),
		$fresh, "from $1 to $current: the catalog of a fresh installation");
}
note("$n older versions");

# There is always a next version, made up here: a script that adds something, and the
# same version from scratch. And one whose upgrade script forgets a right, which shows
# that the comparison can fail.
SKIP:
{
	skip "cannot write into $extdir", 4 if !-w $extdir;
	my $base = slurp_file("$extdir/mogocred--$current.sql");
	my $add = q{
ALTER TABLE @extschema@.mogo_client ADD COLUMN test_note text;
CREATE VIEW @extschema@.mogo_test AS SELECT c.client_id, c.test_note FROM @extschema@.mogo_client AS c;
};
	my %text = (
		"$current--99.0" =>
		  "$add REVOKE ALL ON \@extschema\@.mogo_test FROM PUBLIC;",
		'99.0' =>
		  "$base$add REVOKE ALL ON \@extschema\@.mogo_test FROM PUBLIC;",
		"$current--99.1" => "$add",
		'99.1' =>
		  "$base$add COMMENT ON VIEW \@extschema\@.mogo_test IS 'not in the upgrade';",
	);
	append_to_file("$extdir/mogocred--$_.sql", $text{$_}) foreach keys %text;
	my $next = catalog($node,
		database('next', "CREATE EXTENSION mogocred VERSION '99.0' CASCADE"));
	my $wrong = catalog($node,
		database('wrong', "CREATE EXTENSION mogocred VERSION '99.1' CASCADE")
	);
	is( upgraded('to_next', $current, '99.0'),
		$next,
		"from $current to a next version: the catalog of a fresh installation"
	);
	isnt(upgraded('to_wrong', $current, '99.1'),
		$wrong, 'a script that forgets something is seen');
	unlink map { "$extdir/mogocred--$_.sql" } keys %text;
}

done_testing();
