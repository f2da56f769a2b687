# NOTIFY mogocred: what a service that caches is told about each kind of change, that
# nothing is told of what is rolled back or failed, and that no secret is in it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $node = server('notify', "max_prepared_transactions = 2\n");

# Runs a script in one session that listens, and returns the payloads in their order
# and a hash of what the script printed as "name=value".
sub listen_to
{
	my ($script) = @_;
	my $out = $node->safe_psql('postgres', "LISTEN mogocred;\n$script");
	my @payloads = $out =~
	  /^Asynchronous notification "mogocred" with payload "(.*)" received/mg;
	my %values = $out =~ /^(\w+)=(.*)$/mg;
	return (\@payloads, \%values);
}

sub payload
{
	my ($action, $client, $secret) = @_;
	return sprintf '{"action": "%s", "clientId": %s, "secretId": %s}',
	  $action,
	  map { defined $_ ? qq("$_") : 'null' } $client, $secret;
}

# --- one for each kind of change ------------------------------------------------

my $imported = 'f1000000-0000-4000-8000-000000000001';
my $all = q{
CREATE ROLE regress_verifier;
SELECT client_id AS id, client_secret AS s1, secret_id AS i1 FROM mogo_add_client('notify "x"') \gset
SELECT client_secret AS s2, secret_id AS i2 FROM mogo_add_secret(:'id') \gset
SELECT client_secret AS s3, secret_id AS i3 FROM mogo_rotate_secret(:'id', '1 hour') \gset
SELECT mogo_revoke_secret(:'i1');
SELECT mogo_update_client(:'id', 'notify "y"');
SELECT mogo_disable_client(:'id');
SELECT mogo_enable_client(:'id');
SELECT mogo_import_client('imported', '}
  . $imported . q{', 'sha256', repeat('1', 64)) AS i4 \gset
SELECT mogo_remove_client(:'id');
SELECT mogo_revoke_secret(:'i4');
SELECT mogo_purge('0');
SELECT mogo_purge_audit('0');
SELECT mogo_grant_verifier('regress_verifier');
SELECT mogo_revoke_access('regress_verifier');
};
$all .= "\\echo $_=:$_\n" foreach qw(id s1 i1 s2 i2 s3 i3 i4);
my ($payloads, $v) = listen_to($all);
my @expected = (
	payload('client_added', $v->{id}, $v->{i1}),
	payload('secret_added', $v->{id}, $v->{i2}),
	payload('secret_rotated', $v->{id}, $v->{i3}),
	payload('secret_revoked', $v->{id}, $v->{i1}),
	payload('client_updated', $v->{id}),
	payload('client_disabled', $v->{id}),
	payload('client_enabled', $v->{id}),
	payload('client_imported', $imported, $v->{i4}),
	payload('client_removed', $v->{id}),
	payload('secret_revoked', $imported, $v->{i4}),
	payload('secrets_purged'),
	payload('audit_purged'),
	payload('access_granted'),
	payload('access_revoked'));
is_deeply($payloads, \@expected,
	'one notification for each change, with its ids');

foreach my $payload (@$payloads)
{
	is( $node->safe_psql(
			'postgres',
			"SELECT string_agg(k, ',') FROM json_object_keys('$payload') AS k"
		),
		'action,clientId,secretId',
		"JSON with three members: $payload");
}
unlike(join('', @$payloads), qr/\Q$_\E/, 'no secret in it')
  foreach @$v{qw(s1 s2 s3)};

# --- at commit, and only then ---------------------------------------------------

($payloads, $v) = listen_to(
	q{
BEGIN;
SELECT client_id AS id, secret_id AS i1 FROM mogo_add_client('in a transaction') \gset
SELECT secret_id AS i2 FROM mogo_rotate_secret(:'id', '0') \gset
\echo inside=:id
COMMIT;
\echo id=:id
\echo i1=:i1
\echo i2=:i2
});
is_deeply(
	$payloads,
	[
		payload('client_added', $v->{id}, $v->{i1}),
		payload('secret_rotated', $v->{id}, $v->{i2})
	],
	'both changes of a transaction, in their order');
my $out = $node->safe_psql(
	'postgres', qq{LISTEN mogocred;
BEGIN;
SELECT mogo_disable_client('$v->{id}');
SELECT 'still open';
COMMIT;
});
like(
	$out,
	qr/still open.*Asynchronous notification/s,
	'at commit and not before');

($payloads, $v) = listen_to(
	qq{
BEGIN;
SELECT mogo_enable_client('$v->{id}');
SELECT client_name FROM mogo_rotate_secret('$v->{id}', '0');
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT mogo_remove_client('$v->{id}');
ROLLBACK TO a;
COMMIT;
SELECT mogo_disable_client('$v->{id}');
SELECT mogo_update_client('$v->{id}');
SELECT mogo_verify('$v->{id}', 'wrong');
SELECT mogo_purge('1 day');
\\echo id=$v->{id}
});
is_deeply($payloads, [],
	'none for what was rolled back, changed nothing or is a check');
my ($ret, $stdout, $stderr) = $node->psql(
	'postgres', qq{LISTEN mogocred;
SELECT mogo_rotate_secret('$v->{id}', '-1 hour');
SELECT mogo_add_client('in a transaction');
SELECT 1;
}, on_error_stop => 0);
unlike($stdout, qr/Asynchronous notification/, 'none for what failed');

# --- what PostgreSQL says to PREPARE TRANSACTION --------------------------------

($ret, $stdout, $stderr) = $node->psql(
	'postgres', qq{BEGIN;
SELECT mogo_enable_client('$v->{id}');
PREPARE TRANSACTION 'mogo';
});
like(
	$stderr,
	qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/,
	'a change cannot be part of a prepared transaction');
is( $node->safe_psql(
		'postgres',
		"SELECT enabled FROM mogo_clients WHERE client_id = '$v->{id}'"),
	'f',
	'and it has not happened');

$node->stop;
done_testing();
