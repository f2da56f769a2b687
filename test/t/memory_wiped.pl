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

$session->close;
$node->stop;
done_testing();
