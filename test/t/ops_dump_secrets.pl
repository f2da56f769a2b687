# A dump of the database holds no secret and nothing that mogo_verify_digest takes.
#
# The attack: somebody gets a dump. He tries every text and every run of bytes in
# it as a secret and as a digest, at every client. What he would have to find is
# put into another database's dump first, to see that he would find it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Digest::SHA qw(sha256_hex);
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $node = server('dump');

# Adds clients of all kinds; returns their ids and secrets, live and ended ones.
sub add_clients
{
	my @pairs = map { [ split /\|/ ] } split /\n/,
	  $node->safe_psql('postgres', <<'SQL');
SET mogocred.bcrypt_cost = 4;
CREATE TEMP TABLE given (client_id uuid, client_secret text);
INSERT INTO given SELECT c.client_id, c.client_secret FROM generate_series(1, 5) AS g, mogo_add_client('regress dump ' || g) AS c;
SET mogocred.secret_format = token;
INSERT INTO given SELECT c.client_id, c.client_secret FROM generate_series(6, 10) AS g, mogo_add_client('regress dump ' || g) AS c;
INSERT INTO given SELECT r.client_id, r.client_secret FROM (SELECT * FROM given LIMIT 4) AS g, mogo_rotate_secret(g.client_id, '0') AS r;
INSERT INTO given SELECT r.client_id, r.client_secret FROM (SELECT * FROM given LIMIT 2) AS g, mogo_rotate_secret(g.client_id, '1 hour') AS r;
SELECT mogo_import_client('regress imported', '11111111-1111-4111-8111-111111111111', 'sha256', encode(sha256('an old secret of another system'), 'hex')) \g /dev/null
SELECT mogo_import_client('regress plain', '22222222-2222-4222-8222-222222222222', 'plain', 'a secret somebody chose') \g /dev/null
CREATE TEMP TABLE code AS SELECT i.code FROM (SELECT * FROM given LIMIT 1) AS g, mogo_invite(g.client_id, '1 day') AS i;
INSERT INTO given SELECT a.client_id, a.client_secret FROM code, mogo_accept_invitation(code) AS a;
INSERT INTO given SELECT g.client_id, i.code FROM (SELECT * FROM given LIMIT 3) AS g, mogo_invite(g.client_id, '1 day') AS i;
INSERT INTO given VALUES ('11111111-1111-4111-8111-111111111111', 'an old secret of another system'), ('22222222-2222-4222-8222-222222222222', 'a secret somebody chose');
SELECT * FROM given;
SQL
	return @pairs;
}

# Tries all that is in a text, as secrets and as digests, at every client. Returns
# how many were tried, and how many were taken.
sub try_all
{
	my ($text) = @_;
	my (%secret, %digest);

	# words, as they stand and without what may be around them
	$secret{$_} = 1
	  foreach $text =~ /(\S+)/g, $text =~ /([\w.\/+=\$-]+)/g,
	  $text =~ /(\w+(?:-\w+)*)/g, $text =~ /([^\t\n]+)/g;
	# 32 bytes, in hex wherever they begin, and in base64
	foreach my $run ($text =~ /([0-9a-fA-F]{64,})/g)
	{
		$digest{ lc substr $run, $_, 64 } = 1 foreach 0 .. length($run) - 64;
	}
	foreach my $run ($text =~ /(?=([A-Za-z0-9+\/_-]{43}))/g)
	{
		(my $base64 = "$run=") =~ tr{-_}{+/};
		$digest{ unpack 'H64', decode_base64($base64) } = 1;
	}
	# words are their own digests' candidates only where they are 32 bytes long
	$digest{ unpack 'H*', $_ } = 1 foreach grep { length == 32 } keys %secret;

	my $file = $node->basedir . '/candidates';
	PostgreSQL::Test::Utils::append_to_file(
		$file, join '',
		(map { s/\\/\\\\/gr . "\t\\N\n" } keys %secret),
		map { "\\N\t\\\\x$_\n" } grep { length == 64 } keys %digest);
	my $taken = $node->safe_psql('postgres', <<"SQL");
CREATE TEMP TABLE candidate (secret text, digest bytea);
COPY candidate FROM '$file';
SELECT count(*) FROM candidate, mogo_clients AS c
WHERE CASE WHEN digest IS NULL THEN mogo_verify(c.client_id, secret) OR mogo_verify_status(c.client_id, secret) <> 'invalid'
	ELSE mogo_verify_digest(c.client_id, digest) END
UNION ALL SELECT count(a.*) FROM candidate, mogo_accept_invitation(secret) AS a
SQL
	unlink $file;
	my ($pairs, $codes) = split /\n/, $taken;
	return (scalar(keys %secret) + scalar(keys %digest), $pairs + $codes);
}

my @pairs = add_clients();
is( scalar @pairs,
	22,
	'there are secrets, live and ended, of both formats and imported, and codes'
);

# The method finds what it has to find.
$node->safe_psql('postgres', 'CREATE TABLE leak (t text, b bytea)');
my ($id, $secret) = @{ $pairs[9] };
foreach my $leak (
	$secret, sha256_hex($secret),
	"xx" . uc sha256_hex($secret),
	encode_base64(pack('H*', sha256_hex($secret)), ''))
{
	$node->safe_psql('postgres',
		"TRUNCATE leak; INSERT INTO leak (t) VALUES ('$leak')");
	my ($tried, $taken) = try_all(dump_of());
	cmp_ok($taken, '>', 0,
		'a planted ' . length($leak) . ' characters are found');
}
$node->safe_psql('postgres',
	"TRUNCATE leak; INSERT INTO leak (b) VALUES (sha256('$secret'))");
cmp_ok((try_all(dump_of()))[1], '>', 0, 'planted bytes are found');
$node->safe_psql('postgres', 'DROP TABLE leak');

# A dump in one of pg_dump's forms, as text.
sub dump_of
{
	my $file = $node->basedir . '/dump';
	$node->command_ok(
		[
			@_                                       ? @_ : ('pg_dump'),
			'-f', $file, @_ && $_[0] eq 'pg_dumpall' ? () : ('-d', 'postgres')
		],
		'it dumps');
	my $text = PostgreSQL::Test::Utils::slurp_file($file);
	unlink $file;
	return $text;
}

foreach my $how (
	['pg_dump'],
	[ 'pg_dump', '--inserts' ],
	[ 'pg_dump', '-Fc', '-Z0' ],
	['pg_dumpall'])
{
	my $text = dump_of(@$how);
	like($text, qr/regress dump 10/, "@$how: the clients are in it");
	# the SHA-256 of a code is what is stored of it
	my @found = grep {
		index(lc $text, lc $_->[1]) >= 0
		  || $_->[1] !~ /^mogoinvite_/
		  && ( index($text, sha256_hex($_->[1])) >= 0
			|| index($text, pack 'H*', sha256_hex($_->[1])) >= 0
			|| index($text,
				encode_base64(pack('H*', sha256_hex($_->[1])), '')) >= 0)
	} @pairs;
	is(scalar @found, 0, "@$how: no secret and no digest in it");
	next if "@$how" =~ /-Fc/;
	my ($tried, $taken) = try_all($text);
	cmp_ok($tried, '>', 100, "@$how: $tried candidates");
	is($taken, 0, "@$how: none of them is taken");
}

$node->stop;
done_testing();
