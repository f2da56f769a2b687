# Both sources of SHA-256, SHA-512 and HMAC are the same: libcrypto, where the server was
# built with OpenSSL, and the server's own pg_cryptohash and pg_hmac, elsewhere or with make
# CORE_HASH=1. A library of the second kind is built here and put in the first one's place
# in a database: each recognises what the other has stored, and answers as a third program
# does (Perl's Digest::SHA; passlib and Python's hashlib, for PBKDF2).

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Digest::SHA qw(sha256 sha256_hex sha512_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $src = "$FindBin::Bin/../..";
my $build = "$PostgreSQL::Test::Utils::tmp_check/core_hash";
system(
	"rm -rf '$build'; mkdir -p '$build' && cp -R '$src/Makefile' '$src/mogocred.control' '$src/sql' '$build/' && mkdir '$build/src' && cp '$src'/src/*.[ch] '$build/src/'"
) == 0 or die;
command_ok(
	[
		'make', '-s', '-C', $build, 'PG_CONFIG=pg_config', 'with_llvm=no',
		'CORE_HASH=1', 'WERROR=1', 'all'
	],
	'make CORE_HASH=1');
my @calls =
  sort map {
	/\bUND (EVP_Digest\w*|EVP_MD\w*|HMAC_\w+|pg_cryptohash_\w+|pg_hmac_\w+)/
	  ? $1
	  : ()
  } `readelf -W --dyn-syms '$build/mogocred.so'`;
is( "@calls",
	'pg_cryptohash_create pg_cryptohash_final pg_cryptohash_free pg_cryptohash_init pg_cryptohash_update'
	  . ' pg_hmac_create pg_hmac_final pg_hmac_free pg_hmac_init pg_hmac_update',
	'it calls pg_cryptohash and pg_hmac, and none of libcrypto\'s hash functions'
);

my $node = server('core_hash');

# Every session that starts from now on has the one library or the other.
my %library = (usual => '$libdir/mogocred', core => "$build/mogocred");

sub with
{
	my ($which, $sql) = @_;
	$node->safe_psql('postgres',
		"UPDATE pg_proc SET probin = '$library{$which}' WHERE probin IN ('$library{usual}', '$library{core}')"
	);
	return $node->safe_psql('postgres', $sql);
}

my $rows = 0;
for my $maker ('usual', 'core')
{
	my $id = "f5100000-0000-4000-8000-00000000000" . length $maker;
	my $imported = "imported with $maker";
	with($maker,
			"SELECT mogo_import_client('$imported', '$id', 'sha256', '"
		  . sha256_hex($imported)
		  . "')");
	my ($made, $past) = split /\|/,
	  with($maker,
		"SELECT client_id, client_secret FROM mogo_add_client('made with $maker')"
	  );
	my $secret = with($maker,
		"SELECT client_secret FROM mogo_rotate_secret('$made', '0')");
	for my $checker ('usual', 'core')
	{
		is( with(
				$checker,
				"SELECT mogo_verify('$made', '$secret'), mogo_verify('$made', '$secret' || 'x'), mogo_verify_digest('$made', '\\x"
				  . sha256_hex($secret) . "'),
			mogo_verify_status('$made', '$past'), mogo_verify('$id', '$imported'), mogo_verify('$id', '')"
			),
			't|f|t|revoked|t|f',
			"stored by $maker, checked by $checker");
	}
	for my $row (
		split /\n/,
		$node->safe_psql(
			'postgres',
			"SELECT (unnest(live)).hash FROM mogo_client WHERE client_id IN ('$made', '$id') ORDER BY client_name"
		))
	{
		my ($name, $salt, $hash) = split /\$/, $row;
		my $of = $rows++ % 2 ? $secret : $imported;
		is( $hash,
			sha256_hex(pack('H*', $salt) . sha256($of)),
			"stored by $maker: SHA-256 of salt and digest");
	}
}

# Hashes of other systems, of one block and of two, with a key that is longer than a block.
my %foreign = (
	'sha512' => [ 'sha512', sha512_hex('a'), 'a' ],
	'phc256' => [
		'pbkdf2',
		'$pbkdf2-sha256$i=999,l=64$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY$'
		  . 'p3i1A8l0RVm7/NjmEAQTDE1cb3BEu+Q5Fetzs8eRjxNsb+B2kcaBpvxAhiTpdahaq0MtvJW/hxsTzLrY2UuhPA',
		'imported secret 38'
	],
	'phc512' => [
		'pbkdf2',
		'$pbkdf2-sha512$i=2049,l=33$eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5e'
		  . 'Xl5eXl5eXl5eXl5eXl5eXl5eXl5eQ$VDeEPlRowvF059j+O/C1494iopQei7eeTzy9skYl0kmU',
		'imported secret 310 ' . 'x' x 200
	],
	'passlib' => [
		'pbkdf2',
		'$pbkdf2-sha512$1000$c2FsdCBvZiBwYXNzbGliIQ$YP8Oe7OaXlU9b5IL.8o6T3KNXRo5AmlxM9SgXlDtn'
		  . 'RIF.bBEjuLTSO5JOMja.qeONIXY8LGQMuUTsy6/rN3ANg',
		'imported secret 35'
	]);
for my $name (sort keys %foreign)
{
	my ($algorithm, $stored, $secret) = @{ $foreign{$name} };
	for my $maker ('usual', 'core')
	{
		with($maker,
			"SELECT mogo_import_client('$name $maker', '$name-$maker', '$algorithm', '$stored', generated => true)"
		);
		for my $checker ('usual', 'core')
		{
			is( with(
					$checker,
					"SELECT mogo_verify('$name-$maker', '$secret'), mogo_verify('$name-$maker', '$secret' || 'x')"
				),
				't|f',
				"$name imported by $maker, checked by $checker");
		}
		is( with(
				'core',
				"SELECT mogo_rehash_secret('$name-$maker', '$secret'), mogo_verify('$name-$maker', '$secret')"
			),
			't|t',
			"$name imported by $maker, rehashed by core");
	}
}
$node->stop;
done_testing();
