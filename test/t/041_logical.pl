# Logical replication of the three tables to a server that has the extension: checks
# answer right there, revocations arrive, and the limits that doc/deployment.md names.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my ($publisher, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } 'publisher', 'subscriber';
foreach my $node ($publisher, $subscriber)
{
	$node->init(allows_streaming => 'logical');
	$node->start;
	# so that the types' oids differ, as they will between servers
	$node->safe_psql('postgres', 'CREATE TABLE other (a int)') if $node == $subscriber;
	$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
}

# Before there is a subscription: clients that the first copy brings.
my $first = issue($publisher, 'first');
my $second = issue($publisher, undef, "mogo_rotate_secret('$first->{id}', '1 hour', now() + '1 day')");
my $gone = issue($publisher, 'gone');
my $gone2 = issue($publisher, undef, "mogo_rotate_secret('$gone->{id}', '0')");

$publisher->safe_psql('postgres', 'CREATE PUBLICATION mogocred FOR TABLE mogo_client, mogo_secret, mogo_audit_log');
my $connstr = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION mogocred CONNECTION '$connstr' PUBLICATION mogocred");
$subscriber->poll_query_until('postgres', "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
  or die 'the tables were not copied';

sub catch_up { return $publisher->wait_for_catchup('mogocred'); }

sub rows
{
	my $node = shift;
	return $node->safe_psql('postgres', q{SELECT c FROM mogo_client c ORDER BY client_id;
		SELECT s FROM mogo_secret s ORDER BY secret_id; SELECT a FROM mogo_audit_log a ORDER BY a::text});
}

is(verify($subscriber, $first) . verify($subscriber, $second), 'tt', 'the first copy: two live secrets');
is(verify($subscriber, $gone) . verify($subscriber, $gone2), 'ft', 'the first copy: one ended, one live');

# Changes that follow.
my $third = issue($publisher, 'third');
$publisher->safe_psql('postgres', qq{
	SELECT mogo_revoke_secret('$first->{secret_id}');
	SELECT mogo_remove_client('$gone->{id}');
	SELECT mogo_update_client('$third->{id}', scopes => '{read}', allowed_cidrs => '{10.0.0.0/8}')});
my $name = q{it's "a", (b) {c} \\d \n};
my $odd = issue($publisher, 'odd', "mogo_add_client(\$n\$$name\$n\$)");
catch_up();
is(verify($subscriber, $first) . verify($subscriber, $second), 'ft', 'a revocation arrives, alone');
is($subscriber->safe_psql('postgres', "SELECT mogo_verify_status('$first->{id}', '$first->{secret}')"),
	'revoked', 'and why is known there');
is(verify($subscriber, $gone2), 'f', 'a removal arrives');
is( $subscriber->safe_psql('postgres',
		"SELECT client_name, scopes FROM mogo_authenticate('$third->{id}', '$third->{secret}', '10.0.0.1')"),
	'third|{read}', 'an update arrives');
is(verify($subscriber, $third), 'f', 'with its address rule');
is( $subscriber->safe_psql('postgres',
		"SELECT client_name FROM mogo_authenticate('$odd->{id}', '$odd->{secret}')"),
	$name, 'a name of all sorts of characters');
is(rows($subscriber), rows($publisher), 'the tables are the same, row by row');

# A client that is removed and made again under the same name and id.
$publisher->safe_psql('postgres', "SELECT mogo_import_client('gone', '$gone->{id}', 'sha256',
	encode(sha256('sixteen characters'), 'hex'))");
catch_up();
is($subscriber->safe_psql('postgres', "SELECT mogo_verify('$gone->{id}', 'sixteen characters')"), 't', 'an import arrives');

# The audit log has no primary key: its rows can be copied, not deleted.
is(sqlstate($publisher, "SELECT mogo_purge_audit('0')"), '55000', 'mogo_purge_audit fails while deletes of the log are published');
$publisher->safe_psql('postgres', 'ALTER TABLE mogo_audit_log REPLICA IDENTITY FULL');
cmp_ok($publisher->safe_psql('postgres', "SELECT mogo_purge_audit('0')"), '>', 0, 'and works with REPLICA IDENTITY FULL');
catch_up();
is(rows($subscriber), rows($publisher), 'the same rows are gone on both');
$publisher->safe_psql('postgres', q{ALTER TABLE mogo_audit_log REPLICA IDENTITY DEFAULT;
	ALTER PUBLICATION mogocred DROP TABLE mogo_audit_log;
	CREATE PUBLICATION mogocred_audit FOR TABLE mogo_audit_log WITH (publish = 'insert')});
cmp_ok($publisher->safe_psql('postgres', "SELECT mogo_purge_audit('0')"), '>=', 0,
	'or where only inserts of the log are published');
catch_up();

# Nothing stops an administrator on the subscriber; what he does is not undone.
my $here = issue($subscriber, 'made here');
is(verify($subscriber, $here) . verify($publisher, $here), 'tf', 'a client made on the subscriber is its own');
$subscriber->safe_psql('postgres', "SELECT mogo_remove_client('$here->{id}')");

# The binary protocol carries the array of a composite type too, whose oid differs.
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION mogocred');
$subscriber->safe_psql('postgres', 'TRUNCATE mogo_client, mogo_secret, mogo_audit_log');
isnt(
	$subscriber->safe_psql('postgres', "SELECT 'mogo_live_secret'::regtype::oid"),
	$publisher->safe_psql('postgres', "SELECT 'mogo_live_secret'::regtype::oid"),
	'the type has another oid on each server');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION mogo_binary CONNECTION '$connstr' PUBLICATION mogocred WITH (binary = true)");
$subscriber->poll_query_until('postgres', "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
  or die 'the tables were not copied';
my $fourth = issue($publisher, 'fourth');
$publisher->wait_for_catchup('mogo_binary');
is(verify($subscriber, $second) . verify($subscriber, $fourth), 'tt', 'binary = true: what was there, and what came');

done_testing();
