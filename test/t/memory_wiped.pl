# Copies that our functions make of a secret are wiped: shown where it can be shown, by
# reading a backend's memory from outside. What stays after a call is PostgreSQL's (the
# variable, the result), so what is counted is compared with the same function without
# the call. Where assertions are on, all freed memory is overwritten anyway.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::RealBin;
use ProtocolSession;

plan skip_all => 'needs /proc' if !open(my $self, '<', "/proc/$$/mem");

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->start;
plan skip_all => 'this server overwrites freed memory'
  if $node->safe_psql('postgres', 'SHOW debug_assertions') eq 'on';
$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION make(which text, n text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		c mogo_credentials := ROW('name', gen_random_uuid(), 'SECRET' || 'MARK' || lpad(n, 20, '7'), gen_random_uuid(), now(), NULL, NULL);
		j json;
	BEGIN
		IF which = 'file' THEN
			j := mogo_credentials_json(c);
		ELSIF which = 'registration' THEN
			j := mogo_registration_json(c);
		ELSIF which = 'error' THEN
			c.client_id := NULL;
			j := mogo_registration_json(c);
		END IF;
	END $$});

# How often a text stands in the private memory of a process.
sub count_in
{
	my ($pid, $text) = @_;
	no warnings 'portable';    # addresses have 64 bits
	my $n = 0;
	open(my $mem, '<:raw', "/proc/$pid/mem") or return;
	for (split /\n/, slurp_file("/proc/$pid/maps"))
	{
		next if !/^([0-9a-f]+)-([0-9a-f]+) rw.p/;
		my ($from, $to, $bytes) = (hex $1, hex $2);
		next
		  if !sysseek($mem, $from, 0) || !sysread($mem, $bytes, $to - $from);
		$n++ while $bytes =~ /\Q$text\E/g;
	}
	return $n;
}

my $session = ProtocolSession->new($node);
my $number = 100;
my %found;
for my $which ('none', 'file', 'registration', 'error')
{
	# the first time, caches are filled
	$session->query("SELECT make('$which', '1')");
	$number++;
	$session->query("SELECT make('$which', '$number')");
	$found{$which} =
	  count_in($session->pid, 'SECRETMARK' . ('7' x 17) . $number);
	plan skip_all => 'may not read the memory of another process'
	  if !defined $found{$which};
}
cmp_ok($found{none}, '>', 0, 'the variable is found');
cmp_ok(
	$found{file}, '<=',
	$found{none} + 1,
	'mogo_credentials_json leaves its result and nothing else');
cmp_ok(
	$found{registration}, '<=',
	$found{none} + 1,
	'mogo_registration_json the same');
cmp_ok(
	$found{error}, '<=',
	$found{none} + 1,
	'and where it raises an error, no more');

# A secret that a table keeps compressed is fetched as a copy: where the name is too
# long for any JSON, not even that.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE kept AS SELECT repeat('KEPT' || 'MARK', 1000) AS secret;
	CREATE TABLE long AS SELECT repeat('x', 200000000) AS name});
$session->query(
	'SELECT mogo_credentials_json(name, gen_random_uuid(), secret) FROM kept, long'
);
like($session->errors, qr/^54000: /, 'a name that no JSON has room for');
is(count_in($session->pid, 'KEPTMARK' x 3),
	0, 'a secret is not fetched where the JSON would be too long');

# A check and an import that are cancelled while bcrypt is at work, which is slow: what we
# made of the secret for it is wiped all the same. The parameter is PostgreSQL's, and
# pgcrypto makes a copy that is its own, so its crypt() is compared.
my $id = 'f0700000-0000-4000-8000-000000000001';
$node->safe_psql(
	'postgres', qq{
	SET mogocred.bcrypt_cost = 12;
	SELECT mogo_import_client('slow', '$id', 'plain', 'somebody chose this')});
$session->query(
	"SET statement_timeout = '20ms'; SET mogocred.bcrypt_cost = 12");
my %calls = (
	# (the subquery keeps it from being computed while the statement is planned)
	crypt =>
	  q{SELECT crypt($2, setting) FROM (SELECT $1::uuid, '$2a$12$abcdefghijklmnopqrstuu' AS setting OFFSET 0) x},
	check => 'SELECT mogo_verify($1::uuid, $2)',
	import =>
	  q{SELECT mogo_import_client('cancelled', gen_random_uuid(), 'plain', $2) FROM (SELECT $1::uuid) x}
);
for my $which ('crypt', 'check', 'import')
{
	for (1 .. 3)
	{
		$number++;
		$session->params($calls{$which}, $id,
			"SECRETMARK${number}chosen" . 'y' x 20);
		like($session->errors, qr/^57014/, "$which: cancelled") if $_ == 3;
	}
	$found{$which} = count_in($session->pid, "SECRETMARK${number}chosen");
}
cmp_ok($found{$_}, '<=', $found{crypt},
	"$_, cancelled: no more is left than by crypt()")
  for 'check', 'import';
is($node->safe_psql('postgres', 'SELECT count(*) FROM mogo_clients'),
	'1', 'and nothing was imported');

# The same with PBKDF2 (cancelled), and with SHA-512 and at an import, which are too fast for
# that: no more is left than by a statement that does nothing with the parameter, or by a
# check of a client whose hash is native, for which nothing but a buffer on the stack is used.
# (The hash is not the secret's; by Python's hashlib.)
$node->safe_psql(
	'postgres', q{
	SELECT mogo_import_client('pbkdf2', 'slow', 'pbkdf2',
		'$pbkdf2-sha512$i=2000000,l=32$c2xvdyBzYWx0$aY155DZLpen1kRGkKPH0wDxuLXTAOwAB5xVYGc+dvjk');
	SELECT mogo_import_client('sha512', 'fast', 'sha512', encode(sha512('x'), 'hex'), generated => true);
	SELECT mogo_add_client('native', external_id => 'native')}
);
%calls = (
	nothing => q{SELECT pg_sleep(5), $1::text, $2},
	native => 'SELECT mogo_verify($1::text, $2)',
	pbkdf2 => 'SELECT mogo_verify($1::text, $2)',
	sha512 => 'SELECT mogo_verify($1::text, $2)',
	rehash => 'SELECT mogo_rehash_secret($1::text, $2)',
	generated =>
	  q{SELECT mogo_import_client($1 || gen_random_uuid(), gen_random_uuid(), 'plain', $2, generated => true)}
);
for my $which (sort keys %calls)
{
	for (1 .. 3)
	{
		$number++;
		$session->params(
			$calls{$which},
			{ pbkdf2 => 'slow', native => 'native' }->{$which} // 'fast',
			"SECRETMARK${number}chosen" . 'y' x 20);
		like($session->errors, qr/^57014/, "$which: cancelled")
		  if $_ == 3 && $which =~ /nothing$|pbkdf2/;
	}
	$found{$which} = count_in($session->pid, "SECRETMARK${number}chosen");
	note("$which: $found{$which}");
}
cmp_ok($found{pbkdf2}, '<=', $found{nothing},
	'pbkdf2, cancelled: no more is left than of the parameter');
cmp_ok($found{$_}, '<=', $found{native},
	"$_: no more is left than by a native check")
  for 'sha512', 'rehash', 'generated';

$session->close;
$node->stop;
done_testing();
