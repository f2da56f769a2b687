# Where the random source or SHA-256 fails there is an error: never a weaker secret, never
# "yes", nothing written, and afterwards all goes on. libcrypto's functions are made to
# fail by a library that stands before it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use Digest::SHA qw(sha256_hex);
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

	return FAILS("hash") ? 0 : next(context, digest, len);
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
my $state = sub {
	return $node->safe_psql('postgres',
		'SELECT c FROM mogo_client c; SELECT s FROM mogo_secret s; SELECT count(*) FROM mogo_audit'
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
	"SELECT mogo_import_client('new', 'f5200000-0000-4000-8000-000000000001', 'sha256', '$sha256')"
);
my @checking = (
	"SELECT mogo_verify('$id', '$secret')",
	"SELECT mogo_verify('$id'::uuid, 'wrong')",
	"SELECT mogo_verify('f5200000-0000-4000-8000-000000000002', 'nobody')",
	"SELECT mogo_verify_digest('$id', '\\x" . sha256_hex($secret) . "')",
	"SELECT mogo_verify_status('$id', '$secret')",
	"SELECT client_name FROM mogo_authenticate('$id', '$secret')");

is( $_,
	'XX000: could not generate random values',
	'random: an error, and no secret') for failing('random', 0, @making);
is($_, 't', 'random: a check needs none')
  for failing('random', 0, $checking[0]);
for my $what ('hash', 'memory')
{
	is( $_,
		'XX000: could not compute a SHA-256 hash',
		"$what: an error, and no answer")
	  for failing($what, $what eq 'memory', @making[ 0 .. 2, 4 ], @checking);
}
is($state->(), $before, 'nothing was written');
is($node->safe_psql('postgres', "SELECT mogo_verify('$id', '$secret')"),
	't', 'and the secret works');

$node->stop;
done_testing();
