# A full queue of notifications stops no revocation.
#
# The attack: a role with no right but to connect listens, stays in a transaction, and
# sends itself notifications until PostgreSQL's queue is full. From then on every commit
# with a notification fails in all databases, so nobody could disable, revoke or rotate.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use ProtocolSession;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

plan skip_all => 'before 17 the queue holds 8 GB'
  if ProtocolSession::major() < 17;

my $node = server('notify_full', "max_notify_queue_pages = 64\n");
$node->safe_psql('postgres',
	'CREATE ROLE nobody LOGIN; CREATE DATABASE other');
my ($id, $secret, $secret_id) = split /\|/,
  $node->safe_psql('postgres',
	"SELECT client_id, client_secret, secret_id FROM mogo_add_client('victim')"
  );

my $listener =
  ProtocolSession->new($node, user => 'nobody', database => 'other');
$listener->query('LISTEN attack');
$listener->query('BEGIN; SELECT 1');
my $attacker =
  ProtocolSession->new($node, user => 'nobody', database => 'other');
my $sent = 0;
$attacker->query(
	q{SELECT pg_notify('attack', '} . $sent . q{' || repeat('a', 7900))})
  while $attacker->errors eq '' && $sent++ < 1000;
like(
	$attacker->errors,
	qr/too many notifications in the NOTIFY queue/,
	'the queue is full');

my ($out, $err);
$node->psql(
	'postgres', "SELECT mogo_revoke_secret('$secret_id')",
	stdout => \$out,
	stderr => \$err);
like($err, qr/WARNING:  no notification is sent on channel "mogocred"/,
	'a warning');
unlike($err, qr/ERROR/, 'and no error');
is( $node->safe_psql(
		'postgres', "SELECT mogo_verify_status('$id', '$secret')"),
	'revoked',
	'the secret is revoked');
is( $node->safe_psql(
		'postgres', 'SELECT action FROM mogo_audit ORDER BY at DESC LIMIT 1'),
	'secret_revoked',
	'and that is on record');

# Once it is empty, there are notifications again.
$listener->query('COMMIT');
$listener->close;
$attacker->close;
$node->poll_query_until('postgres',
	'SELECT pg_notification_queue_usage() = 0')
  or die 'the queue was not emptied';
like(
	$node->safe_psql(
		'postgres', "LISTEN mogocred; SELECT mogo_disable_client('$id')"),
	qr/notification "mogocred" with payload "\{"action": "client_disabled"/,
	'told again');

$node->stop;
done_testing();
