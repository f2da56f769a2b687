# A server that forbids pgcrypto's own ciphers (18 and later): a bcrypt client gets false
# and one warning a session, generated secrets work on, and a person's secret cannot be
# imported. Before 18 pgcrypto does not know the setting, and anybody can make one of that
# name: our checks go by it all the same, for his own session.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $node = server('forbidden');
my $known = $node->safe_psql('postgres', 'SHOW server_version_num') >= 180000;
my $id = 'f2000000-0000-4000-8000-000000000001';
# made by libxcrypt
my $hash = '$2b$04$N9qo8uLOickgx2ZMRZoMyeTA.zwYPtpdbtkD.PYN/OuHL.ZwLtCOa';
my $secret = 'Grüße an den Bäcker';
$node->safe_psql('postgres',
	"SELECT mogo_import_client('bcrypt', '$id', 'bcrypt', '$hash')");

sub ask
{
	my ($mode, $sql) = @_;
	my ($ret, $out, $err) = $node->psql('postgres',
		"LOAD 'pgcrypto'; SET pgcrypto.builtin_crypto_enabled = '$mode';\n$sql"
	);
	return ($out, $err);
}

my $check = "SELECT mogo_verify('$id', '$secret');\n";
my ($out, $err) = ask('on', $check);
is("$out|$err", 't|', 'on: the secret is right, and no warning');

($out, $err) = ask('off', $check x 3);
is($out, "f\nf\nf", 'off: false');
is(() = $err =~ /^.*WARNING: /mg, 1, 'off: one warning in the session');
like(
	$err,
	qr/WARNING:  client secrets with a bcrypt hash cannot be checked on this server\n.*HINT:  Set "pgcrypto.builtin_crypto_enabled" to "on", or rotate these clients to generated secrets\./,
	'off: what it says');
unlike(
	$err,
	qr/ERROR|\Q$secret\E|\Q$hash\E/,
	'off: no error, and nothing secret in the warning');
($out, $err) = ask('off',
	"SELECT mogo_verify_status('$id', '$secret'), (SELECT count(*) FROM mogo_authenticate('$id', '$secret'));"
);
is($out, 'invalid|0', 'off: mogo_verify_status and mogo_authenticate');

# a setting made before pgcrypto is there
($out, $err) = ask('off', "DISCARD ALL; $check");
my ($ret, $stdout, $stderr) = $node->psql('postgres',
	"SET pgcrypto.builtin_crypto_enabled = 'off';\n$check");
is($stdout, 'f', 'off, set before the library was loaded: false');
like($stderr, qr/WARNING/,
	'off, set before the library was loaded: the warning');

# the way out that the hint names
($out, $err) = ask('off',
	"SELECT client_secret AS new FROM mogo_rotate_secret('$id', '1 hour') \\gset\nSELECT mogo_verify('$id', :'new');"
);
is("$out|$err", 't|',
	'off: a generated secret works, and the bcrypt one is not even tried');
($out, $err) = ask('on', $check);
is($out, 't', 'on again: the bcrypt secret is right still');

# whoever chooses a secret now
SKIP:
{
	skip 'pgcrypto.builtin_crypto_enabled came with PostgreSQL 18', 2
	  if !$known;
	($out, $err) = ask('off',
		"SELECT mogo_import_client('plain', 'f2000000-0000-4000-8000-000000000002', 'plain', 'correct horse battery staple');"
	);
	like(
		$err,
		qr/ERROR:  use of built-in crypto functions is disabled/,
		'off: a person\'s secret cannot be imported');
	is( $node->safe_psql(
			'postgres',
			"SELECT count(*) FROM mogo_clients WHERE client_name = 'plain'"),
		'0',
		'and leaves nothing');
}
($out, $err) = ask('off',
	"SELECT mogo_import_client('sha256', 'f2000000-0000-4000-8000-000000000003', 'sha256', encode(sha256('native all the same'), 'hex')) IS NOT NULL, mogo_verify('f2000000-0000-4000-8000-000000000003', 'native all the same');"
);
is($out, 't|t', 'off: a SHA-256 hash can be imported and is native');

# fips: as on, where OpenSSL can be asked (from 3 on) and is not in that mode
chomp(my $bindir = `pg_config --bindir`);
my $openssl3 = `ldd '$bindir/postgres' 2>/dev/null` =~ /libcrypto\.so\.3/;
my $in_fips = -e '/proc/sys/crypto/fips_enabled'
  && slurp_file('/proc/sys/crypto/fips_enabled') =~ /1/;
($out, $err) = ask('fips', $check);
SKIP:
{
	skip 'OpenSSL is in FIPS mode, or too old to say, or missing', 1
	  if !$openssl3 || $in_fips;
	is("$out|$err", 't|', 'fips: as on where OpenSSL is not in FIPS mode');
}

$node->stop;
done_testing();
