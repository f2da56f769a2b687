# Logical replication of clients, secrets and audit to a server that has the extension: checks
# answer right there, revocations arrive, and the limits that doc/deployment.md names.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my ($publisher, $subscriber) =
  map { PostgreSQL::Test::Cluster->new($_) } 'publisher', 'subscriber';
foreach my $node ($publisher, $subscriber)
{
	$node->init(allows_streaming => 'logical');
	$node->start;
	# so that the types' oids differ, as they will between servers
	$node->safe_psql('postgres', 'CREATE TABLE other (a int)')
	  if $node == $subscriber;
	$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
}

# Before there is a subscription: clients that the first copy brings.
my $first = issue($publisher, 'first');
my $second = issue($publisher, undef,
	"mogo_rotate_secret('$first->{id}', '1 hour', now() + '1 day')");
my $gone = issue($publisher, 'gone');
my $gone2 =
  issue($publisher, undef, "mogo_rotate_secret('$gone->{id}', '0')");

$publisher->safe_psql('postgres',
	'CREATE PUBLICATION mogocred FOR TABLE mogo_client, mogo_secret, mogo_audit_log'
);
my $connstr = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION mogocred CONNECTION '$connstr' PUBLICATION mogocred"
);
$subscriber->poll_query_until('postgres',
	"SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
  or die 'the tables were not copied';

sub replicated { return $publisher->wait_for_catchup('mogocred'); }

sub rows
{
	my $node = shift;
	return $node->safe_psql(
		'postgres', q{SELECT c FROM mogo_client c ORDER BY client_id;
		SELECT s FROM mogo_secret s ORDER BY secret_id; SELECT a FROM mogo_audit_log a ORDER BY a::text}
	);
}

is(verify($subscriber, $first) . verify($subscriber, $second),
	'tt', 'the first copy: two live secrets');
is(verify($subscriber, $gone) . verify($subscriber, $gone2),
	'ft', 'the first copy: one ended, one live');

# Changes that follow.
my $third = issue($publisher, 'third');
$publisher->safe_psql(
	'postgres', qq{
	SELECT mogo_revoke_secret('$first->{secret_id}');
	SELECT mogo_remove_client('$gone->{id}');
	SELECT mogo_update_client('$third->{id}', scopes => '{read}', allowed_cidrs => '{10.0.0.0/8}')}
);
my $name = q{it's "a", (b) {c} \\d \n};
my $odd = issue($publisher, 'odd', "mogo_add_client(\$n\$$name\$n\$)");
replicated();
is(verify($subscriber, $first) . verify($subscriber, $second),
	'ft', 'a revocation arrives, alone');
is( $subscriber->safe_psql(
		'postgres',
		"SELECT mogo_verify_status('$first->{id}', '$first->{secret}')"),
	'revoked',
	'and why is known there');
is(verify($subscriber, $gone2), 'f', 'a removal arrives');
is( $subscriber->safe_psql(
		'postgres',
		"SELECT client_name, scopes FROM mogo_authenticate('$third->{id}', '$third->{secret}', '10.0.0.1')"
	),
	'third|{read}',
	'an update arrives');
is(verify($subscriber, $third), 'f', 'with its address rule');
is( $subscriber->safe_psql(
		'postgres',
		"SELECT client_name FROM mogo_authenticate('$odd->{id}', '$odd->{secret}')"
	),
	$name,
	'a name of all sorts of characters');
is(rows($subscriber), rows($publisher),
	'the tables are the same, row by row');

# A client that is removed and made again under the same name and id.
$publisher->safe_psql(
	'postgres', "SELECT mogo_import_client('gone', '$gone->{id}', 'sha256',
	encode(sha256('sixteen characters'), 'hex'))");
replicated();
is( $subscriber->safe_psql(
		'postgres', "SELECT mogo_verify('$gone->{id}', 'sixteen characters')"
	),
	't',
	'an import arrives');

# The audit log has no primary key, and its rows are identified as a whole.
cmp_ok($publisher->safe_psql('postgres', "SELECT mogo_purge_audit('0')"),
	'>', 0, 'mogo_purge_audit while deletes of the log are published');
replicated();
is(rows($subscriber), rows($publisher), 'the same rows are gone on both');

# A publication of all tables, which somebody makes for another purpose: no change of ours
# may fail for it (PostgreSQL refuses to update or delete a row that it could not name).
is( $publisher->safe_psql(
		'postgres',
		q{SELECT relname FROM pg_class c JOIN pg_depend d ON (d.classid, d.objid) = (c.tableoid, c.oid)
		WHERE d.deptype = 'e' AND c.relkind = 'r' AND c.relreplident <> 'f'
		AND NOT (c.relreplident = 'd' AND EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary))}
	),
	'',
	'every table of ours has a replica identity');
$publisher->safe_psql('postgres',
	'CREATE PUBLICATION everything FOR ALL TABLES');
my $all = issue($publisher, 'all');
my $all2 =
  issue($publisher, undef, "mogo_rotate_secret('$all->{id}', '1 hour')");
$publisher->safe_psql(
	'postgres', qq{
	INSERT INTO mogo_secret_usage VALUES ('$all->{secret_id}', 1, now()), (gen_random_uuid(), 1, now());
	INSERT INTO mogo_client_usage VALUES ('$all->{id}', 1), (gen_random_uuid(), 1)}
);
foreach my $call (
	"mogo_update_client('$all->{id}', 'all tables')",
	"mogo_disable_client('$all->{id}')",
	"mogo_revoke_secret('$all->{secret_id}')",
	"mogo_purge('0')",
	"mogo_remove_client('$all->{id}')",
	"mogo_purge_audit('0')")
{
	is(sqlstate($publisher, "SELECT $call"),
		'',
		"while all tables are published: $call" =~ s/'[-0-9a-f]{36}'/.../r);
}
is( $publisher->safe_psql(
		'postgres',
		'SELECT (SELECT count(*) FROM mogo_secret_usage), (SELECT count(*) FROM mogo_client_usage)'
	),
	'0|0',
	'the use counts went with what they belonged to');
$publisher->safe_psql('postgres', 'DROP PUBLICATION everything');

# What doc/deployment.md advises where the audit is to be longer there than here.
$publisher->safe_psql(
	'postgres', q{ALTER PUBLICATION mogocred DROP TABLE mogo_audit_log;
	CREATE PUBLICATION mogocred_audit FOR TABLE mogo_audit_log WITH (publish = 'insert')}
);
cmp_ok($publisher->safe_psql('postgres', "SELECT mogo_purge_audit('0')"),
	'>=', 0, 'mogo_purge_audit where only inserts of the log are published');
replicated();

# Nothing stops an administrator on the subscriber; what he does is not undone.
my $here = issue($subscriber, 'made here');
is(verify($subscriber, $here) . verify($publisher, $here),
	'tf', 'a client made on the subscriber is its own');
$subscriber->safe_psql('postgres',
	"SELECT mogo_remove_client('$here->{id}')");

# The binary protocol carries the array of a composite type too, whose oid differs.
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION mogocred');
$subscriber->safe_psql('postgres',
	'TRUNCATE mogo_client, mogo_secret, mogo_audit_log');
isnt(
	$subscriber->safe_psql(
		'postgres', "SELECT 'mogo_live_secret'::regtype::oid"),
	$publisher->safe_psql(
		'postgres', "SELECT 'mogo_live_secret'::regtype::oid"),
	'the type has another oid on each server');
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION mogo_binary CONNECTION '$connstr' PUBLICATION mogocred WITH (binary = true)"
);
$subscriber->poll_query_until('postgres',
	"SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
  or die 'the tables were not copied';
my $fourth = issue($publisher, 'fourth');
$publisher->wait_for_catchup('mogo_binary');
is(verify($subscriber, $second) . verify($subscriber, $fourth),
	'tt', 'binary = true: what was there, and what came');

done_testing();
