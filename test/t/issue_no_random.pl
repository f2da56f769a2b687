# Where the random source or a hash fails there is an error: never a weaker secret, never
# "yes", nothing written, and afterwards all goes on. libcrypto's functions are made to
# fail by a library that stands before it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use Digest::SHA qw(sha256_hex sha512_hex);
use ProtocolSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = "$PostgreSQL::Test::Utils::tmp_check/faults";
mkdir $dir;
append_to_file("$dir/faults.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

/* DIR is replaced */
#define FAILS(name)	(access("DIR/" name, F_OK) == 0)

int
RAND_bytes(unsigned char *buf, int num)
{
	int			(*next) (unsigned char *, int) = dlsym(RTLD_NEXT, "RAND_bytes");

	return FAILS("random") ? 0 : next(buf, num);
}

int
EVP_DigestFinal_ex(void *context, unsigned char *digest, unsigned int *len)
{
	int			(*next) (void *, unsigned char *, unsigned int *) = dlsym(RTLD_NEXT, "EVP_DigestFinal_ex");

	static int	n = 0;

	if (FAILS("second hash") && ++n % 2 == 0)
		return 0;
	return FAILS("hash") ? 0 : next(context, digest, len);
}

int
EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size, const void *type, void *impl)
{
	int			(*next) (const void *, size_t, unsigned char *, unsigned int *, const void *, void *) = dlsym(RTLD_NEXT, "EVP_Digest");

	return FAILS("sha512") ? 0 : next(data, count, md, size, type, impl);
}

int
HMAC_Final(void *context, unsigned char *md, unsigned int *len)
{
	int			(*next) (void *, unsigned char *, unsigned int *) = dlsym(RTLD_NEXT, "HMAC_Final");

	return FAILS("hmac") ? 0 : next(context, md, len);
}

void *
EVP_MD_CTX_new(void)
{
	void	   *(*next) (void) = dlsym(RTLD_NEXT, "EVP_MD_CTX_new");

	return FAILS("memory") ? NULL : next();
}
C
command_ok(
	[
		'sh',
		'-c',
		"sed -i 's,DIR,$dir,' '$dir/faults.c' && cc -shared -fPIC -o '$dir/faults.so' '$dir/faults.c' -ldl"
	],
	'a library that makes libcrypto fail');

my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init;
{
	local $ENV{LD_PRELOAD} = "$dir/faults.so";
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
my ($id, $secret) = split /\|/,
  $node->safe_psql('postgres',
	q{SELECT client_id, client_secret FROM mogo_add_client('client')});
my $sha512 = sha512_hex('a generated secret of another system');
# by Python's hashlib
my $pbkdf2 = '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw';
$node->safe_psql(
	'postgres',
	"SELECT mogo_import_client('sha512', 'sha512', 'sha512', '$sha512', generated => true),
	mogo_import_client('pbkdf2', 'pbkdf2', 'pbkdf2', '$pbkdf2', generated => true)"
);
my $code = $node->safe_psql('postgres',
	"SELECT code FROM mogo_invite('$id', '1 hour')");
my $state = sub {
	return $node->safe_psql('postgres',
		'SELECT c FROM mogo_client c; SELECT s FROM mogo_secret s; SELECT i FROM mogo_invitation_code i; SELECT count(*) FROM mogo_audit'
	);
};
my $before = $state->();

# Runs statements in a session of their own that knew no failure before (or, new, not yet
# any hash); returns what they answer while something fails.
sub failing
{
	my ($what, $new, @statements) = @_;
	my $s = ProtocolSession->new($node);
	$s->query("SELECT mogo_verify('$id', '$secret')") if !$new;
	append_to_file("$dir/$what", '');
	my @answers = map { $s->query($_); $s->errors . $s->rows } @statements;
	unlink "$dir/$what";
	is($s->query("SELECT mogo_verify('$id', '$secret')")->rows,
		't', "$what: afterwards the session goes on");
	$s->close;
	return @answers;
}

my ($probe) = failing('random', 0, 'SELECT gen_random_uuid()');
if ($probe !~ /could not generate random values/)
{
  SKIP:
	{
		skip
		  'this server does without libcrypto, or has another library before it',
		  1;
	}
	$node->stop;
	done_testing();
	exit 0;
}
my $sha256 = sha256_hex('a secret of another system');
my @making = (
	"SELECT mogo_add_client('new')",
	"SET mogocred.secret_format = token; SELECT mogo_add_client('new')",
	"SELECT mogo_add_secret('$id')",
	"SELECT mogo_rotate_secret('$id', '0')",
	"SELECT code FROM mogo_invite('$id', '1 hour')",
	"SELECT mogo_import_client('new', 'f5200000-0000-4000-8000-000000000001', 'sha256', '$sha256')",
	"SELECT mogo_import_client('new', 'new', 'plain', 'a generated secret of another system', generated => true)"
);
my @checking = (
	"SELECT mogo_verify('$id', '$secret')",
	"SELECT mogo_verify('$id'::uuid, 'wrong')",
	"SELECT mogo_verify('f5200000-0000-4000-8000-000000000002', 'nobody')",
	"SELECT mogo_verify_digest('$id', '\\x" . sha256_hex($secret) . "')",
	"SELECT mogo_verify_status('$id', '$secret')",
	"SELECT client_name FROM mogo_authenticate('$id', '$secret')",
	"SELECT client_name FROM mogo_find_secret('$secret')",
	"SELECT client_name FROM mogo_accept_invitation('$code')",
	"SELECT client_name FROM mogo_rotate_own_secret('$id', '$secret', '0')");

is( $_,
	'XX000: could not generate random values',
	'random: an error, and no secret') for failing('random', 0, @making);
is($_, 't', 'random: a check needs none')
  for failing('random', 0, $checking[0]);
is( $_,
	'XX000: could not compute a hash',
	'second hash: an error, and no answer'
) for failing('second hash', 0, @checking[ 0, 6 ]);
for my $what ('hash', 'memory')
{
	is( $_,
		'XX000: could not compute a hash',
		"$what: an error, and no answer")
	  for failing($what, $what eq 'memory', @making[ 0 .. 2, 4 .. 6 ],
		@checking);
}
my %slow = (
	sha512 => [
		"SELECT mogo_import_client('new', 'new', 'sha512', '$sha512')",
		"SELECT mogo_verify('sha512', 'a generated secret of another system')",
		"SELECT mogo_rehash_secret('sha512', 'wrong')",
		"SELECT mogo_verify_status('$id', 'wrong')"
	],
	hmac => [
		"SELECT mogo_verify('pbkdf2', 'imported secret 37')",
		"SELECT mogo_rehash_secret('pbkdf2', 'imported secret 37')"
	]);
for my $what (sort keys %slow)
{
	is( $_,
		'XX000: could not compute a hash',
		"$what: an error, and no answer"
	) for failing($what, 0, @{ $slow{$what} });
}
is($state->(), $before, 'nothing was written');
is($node->safe_psql('postgres', "SELECT mogo_verify('$id', '$secret')"),
	't', 'and the secret works');

$node->stop;
done_testing();
