# pg_upgrade: an old cluster's clients, secrets and rights in a new one. The old server
# is the one that OLD_PG_CONFIG names (test/run.sh installs the extension there too);
# without it, the same one plays both parts, as pg_upgrade allows.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

chomp(my $newbin = `pg_config --bindir`);
my $oldbin = $newbin;
chomp($oldbin = `"$ENV{OLD_PG_CONFIG}" --bindir`) if $ENV{OLD_PG_CONFIG};

# 18 makes checksums by itself, the others do not; pg_upgrade wants both the same.
sub cluster
{
	my ($name, $bin) = @_;
	my $node =
	  PostgreSQL::Test::Cluster->new($name, install_path => dirname($bin));
	my @extra = ('--locale=C', '--encoding=UTF8');
	push @extra, '--no-data-checksums'
	  if `"$bin/initdb" --help` =~ /--no-data-checksums/;
	$node->init(extra => \@extra);
	return $node;
}

my ($old, $new) = (cluster('old', $oldbin), cluster('new', $newbin));
$old->start;
note('from ', $old->safe_psql('postgres', 'SHOW server_version'),
	" in $oldbin");
# something that takes oids, so that they would not be the same by chance
$old->safe_psql(
	'postgres',
	q{CREATE TABLE other (a int); CREATE SCHEMA cred; CREATE EXTENSION pgcrypto;
	CREATE EXTENSION mogocred SCHEMA cred});
my $asked = every_kind($old, 'postgres', 'cred');
is(answers($old, 'postgres', 'cred', $asked),
	'', 'before: every kind of client, every right');
my $rows = contents($old, 'postgres', 'cred');
$old->stop;

$new->append_conf('postgresql.conf',
	"shared_preload_libraries = 'mogocred'\n");
my @upgrade = (
	'pg_upgrade', '--no-sync', '-d', $old->data_dir,
	'-D', $new->data_dir, '-b', $oldbin,
	'-B', $newbin, '-s', $new->host,
	'-p', $old->port, '-P', $new->port);
@upgrade = grep { $_ ne '--no-sync' } @upgrade
  if `"$newbin/pg_upgrade" --help` !~ /--no-sync/;
chdir $PostgreSQL::Test::Utils::tmp_check;
command_ok(\@upgrade, 'pg_upgrade');

$new->start;
note('to ', $new->safe_psql('postgres', 'SHOW server_version'));
is(contents($new, 'postgres', 'cred'), $rows, 'every row');
is(answers($new, 'postgres', 'cred', $asked), '', 'every answer and right');
my $c = issue($new, undef, "cred.mogo_add_client('after')");
my $d = issue($new, undef, "cred.mogo_rotate_secret('$c->{id}', '0')");
$new->safe_psql('postgres', 'ALTER DATABASE postgres SET search_path = cred');
is(verify($new, $c) . verify($new, $d), 'ft', 'life goes on');
$new->safe_psql(
	'postgres',
	q{SELECT cred.mogo_revoke_access(r) FROM unnest('{kind_checker,kind_admin}'::regrole[]) r;
	CREATE DATABASE fresh});
$new->safe_psql('fresh',
	q{CREATE SCHEMA cred; CREATE EXTENSION pgcrypto; CREATE EXTENSION mogocred SCHEMA cred}
);
is( catalog($new),
	catalog($new, 'fresh'),
	'the catalog of a fresh installation');

done_testing();
