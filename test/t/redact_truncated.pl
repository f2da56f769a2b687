# PostgreSQL 20 can cut a logged statement after log_statement_max_length bytes: a literal
# that is cut stays hidden, and no record loses its duration.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use RedactLog;
use ProtocolSession;
use Test::More;

plan skip_all => 'before 20 no statement is cut in the log'
  if ProtocolSession::major() < 20;

my $server = RedactLog->new('truncated', 'mogocred', '');
$server->node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
my $s = $server->session;
my $id = '11111111-1111-4111-8111-111111111111';

# Cut in the first literal, in the secret, behind it; and before our function's name.
for my $length (20, 30, 70, 90, 200)
{
	$server->node->append_conf('postgresql.conf',
		"log_statement_max_length = $length\n");
	$server->node->reload;
	my $secret = $server->secret("cut after $length bytes");
	for my $sql (
		"SELECT mogo_verify('$id', '$secret') AS a",
		"DO \$\$ BEGIN PERFORM mogo_verify('$id', '$secret'); END \$\$",
		"SELECT 'some text that is long', mogo_verify('$id', '$secret'), 1 / 0"
	  )
	{
		$server->new_log;
		$s->query($sql);
		my $log = $server->new_log;
		my ($seen) = $log =~ /statement: ((?:SELECT|DO) [^\n]*)/;
		ok( defined $seen
			  && index($log, $secret) < 0
			  && index($log, substr($secret, 0, 12)) < 0,
			"cut after $length bytes: nothing of the secret in: "
			  . ($seen // 'no record'));
		like(
			$log,
			$sql =~ m{1 / 0}
			? qr/ERROR:  division by zero/
			: qr/LOG:  duration: /,
			'and what follows is there');
	}
}
$s->close;
$server->node->stop;
done_testing();
