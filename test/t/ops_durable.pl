# Every change is on disk when it is acknowledged, whatever synchronous_commit says.
#
# The process that writes WAL in the background is stopped meanwhile, so nothing
# reaches the disk but what a commit itself brings there.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $node = server('durable', <<'CONF');
synchronous_commit = off
autovacuum = off
bgwriter_lru_maxpages = 0
checkpoint_timeout = 1h
mogocred.bcrypt_cost = 4
CONF
$node->safe_psql('postgres',
	'CREATE TABLE plain (i int); CREATE ROLE regress_mogo_role');

my $id = "'11111111-1111-4111-8111-111111111111'";
my ($client, $secret) = split /\|/,
  $node->safe_psql('postgres',
	"SELECT client_id, secret_id FROM mogo_add_client('regress durable')");

my $writer = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
kill 'STOP', $writer or die "cannot stop the WAL writer";

# Whether the commit of a statement is on disk once it is acknowledged.
sub flushed
{
	my ($statement) = @_;
	return (split /\n/, $node->safe_psql('postgres', <<"SQL"))[-1];
BEGIN;
$statement;
SELECT pg_current_wal_insert_lsn() AS lsn \\gset
COMMIT;
SELECT pg_current_wal_flush_lsn() > :'lsn';
SQL
}

my @changes = (
	"SELECT mogo_add_client('regress durable 2')",
	"SELECT mogo_import_client('regress durable 3', $id, 'plain', 'a secret somebody chose')",
	"SELECT mogo_add_secret('$client')",
	"SELECT mogo_rotate_secret('$client', '1 hour')",
	"SELECT mogo_revoke_secret('$secret')",
	"SELECT mogo_update_client('$client', scopes => '{a}')",
	"SELECT mogo_disable_client('$client')",
	"SELECT mogo_enable_client('$client')",
	"SELECT mogo_purge('0')",
	"SELECT mogo_remove_client('$client')",
	"SELECT mogo_grant_verifier('regress_mogo_role')",
	"SELECT mogo_grant_admin('regress_mogo_role')",
	"SELECT mogo_revoke_access('regress_mogo_role')",
	"SELECT mogo_purge_audit('0')",
	"SET LOCAL synchronous_commit = off; SELECT mogo_add_client('regress durable 4')",
	"SAVEPOINT s; SELECT mogo_add_client('regress durable 5'); RELEASE s");

is(flushed('INSERT INTO plain VALUES (1)'),
	'f', 'a plain INSERT is not on disk yet');
is(flushed($_), 't', /(mogo_\w+)/ ? "$1 is on disk" : $_) foreach @changes;
is(flushed('INSERT INTO plain VALUES (1)'),
	'f', 'a plain INSERT is not on disk yet, still');
is( $node->safe_psql(
		'postgres', "SELECT mogo_verify($id, 'a secret somebody chose')"),
	't',
	'a check in between');

kill 'CONT', $writer;
$node->stop;
done_testing();
