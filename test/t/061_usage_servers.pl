# Use counts over the life of a server: clean restart, immediate shutdown, kill -9,
# standby and promotion.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $primary = counting_node('primary', 'mogocred.usage_flush_interval' => '1h',
	'restart_after_crash' => 'on');
my $saved = $primary->data_dir . '/pg_stat/mogocred.stat';

sub set_interval
{
	my ($node, $interval) = @_;
	$node->append_conf('postgresql.conf', "mogocred.usage_flush_interval = $interval\n");
	$node->reload;
	return;
}

# --- one server --------------------------------------------------------------------

my $c = issue($primary, 'client');
check($primary, $c, 11);
check($primary, $c, 7, wrong => 1);
is(counted($primary, $c), '11|7', 'counted, in memory alone');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM mogo_secret_usage'), '0', 'the interval is an hour: nothing is flushed');
my $last = $primary->safe_psql('postgres', 'SELECT last_used_at FROM mogo_secrets');

$primary->stop;
ok(-s $saved, 'a clean shutdown keeps what waits in a file');
$primary->start;
ok(!-e $saved, 'which is gone once it is read');
is(counted($primary, $c), '11|7', 'a clean restart loses nothing');
is($primary->safe_psql('postgres', 'SELECT last_used_at FROM mogo_secrets'), $last, 'nor the last use');
$primary->restart;
is(counted($primary, $c), '11|7', 'nor does another');

set_interval($primary, '1s');
ok(flushed($primary, $c, '11|7'), 'a shorter interval is taken over with a reload');
$primary->restart;
is(counted($primary, $c), '11|7', 'what was flushed is in no file');
set_interval($primary, '1h');
$primary->restart;

check($primary, $c, 5);
is(counted($primary, $c), '16|7', 'flushed and waiting counts show as one');
$primary->kill9;
# its children have to see first that they are orphans
until_true(sub { $primary->{_pid} = undef; $primary->start(fail_ok => 1) });
is(counted($primary, $c), '11|7', 'kill -9: what was flushed is there, what waited is lost');

# A backend that crashes takes the shared memory along.
check($primary, $c, 5);
is(counted($primary, $c), '16|7', 'counted again');
my $pid = $primary->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
kill 'KILL', $pid;
until_true(sub { eval { $primary->safe_psql('postgres', 'SELECT uses FROM mogo_secrets') eq '11' } });
is(counted($primary, $c), '11|7', 'a crash inside: likewise');
is(check($primary, $c, 2), 2, 'and counting goes on');
is(counted($primary, $c), '13|7', 'from there');
set_interval($primary, '1s');
ok(flushed($primary, $c, '13|7'), 'and so does flushing');

# The launcher is terminated, and comes back.
my $launcher = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'mogocred launcher'";
$pid = $primary->safe_psql('postgres', $launcher);
$primary->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
ok($primary->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($launcher) l WHERE pid <> $pid"), 'the launcher comes back');
check($primary, $c, 1);
ok(flushed($primary, $c, '14|7'), 'and has counts flushed');

# A broken file costs the counts in it and no more.
$primary->stop;
append_to_file($saved, 'no such thing');
$primary->start;
is(counted($primary, $c), '14|7', 'a file with something behind the counts: the server starts');
ok(!-e $saved, 'without it');
set_interval($primary, '1h');
$primary->restart;
foreach my $content ('no such thing', 'no', '')
{
	check($primary, $c, 1);
	$primary->stop;
	ok(-s $saved, 'counts wait in the file');
	unlink $saved;
	append_to_file($saved, $content);
	my $offset = -s $primary->logfile;
	$primary->start;
	is(counted($primary, $c), '14|7', "a file that cannot be read ('$content'): the server starts");
	like(substr(slurp_file($primary->logfile), $offset), qr/LOG:  could not read file "pg_stat\/mogocred.stat"/, 'and says so');
	ok(!-e $saved, 'without it');
}

# Nor does one that cannot be written stop the shutdown.
foreach my $obstacle ('a directory in its place', 'a full disk')
{
	check($primary, $c, 1);
	my $offset = -s $primary->logfile;
	$obstacle eq 'a full disk' ? symlink('/dev/full', "$saved.tmp") : mkdir("$saved.tmp") or die;
	$primary->stop;
	like(substr(slurp_file($primary->logfile), $offset), qr/LOG:  could not write file "pg_stat\/mogocred.stat.tmp": (?:Is a directory|No space left on device)/, "$obstacle: the log says so");
	ok(!-e $saved, 'and there is no file');
	$obstacle eq 'a full disk' ? unlink("$saved.tmp") : rmdir("$saved.tmp") or die;
	$primary->start;
	is(counted($primary, $c), '14|7', 'the counts in it are lost, and no others');
}
set_interval($primary, '1s');

# One that begins well must not bring a flush down: a kind of count that there is not.
my $oid = $primary->safe_psql('postgres', "SELECT oid FROM pg_database WHERE datname = 'postgres'");
$primary->stop;
append_to_file($saved, pack('LLLa16Qq', 0x4d4f4731, $oid, 7, 'x' x 16, 5, 0));
my $offset = -s $primary->logfile;
$primary->start;
ok($primary->poll_query_until('postgres', 'SELECT entries FROM mogo_usage_status()', '0'), 'a file with nonsense in it: nothing of it waits');
is(counted($primary, $c), '14|7', 'and the server runs');
my $log = substr(slurp_file($primary->logfile), $offset);
like($log, qr{LOG:  invalid data in file "pg_stat/mogocred\.stat"}, 'the log says so');
unlike($log, qr/terminated by signal/, 'and no flush has crashed');

# --- a standby ---------------------------------------------------------------------

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
sub catch_up { return $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert')); }

is(counted($standby, $c), '14|7', 'a standby shows what the primary flushed');
check($standby, $c, 20);
check($standby, $c, 2, wrong => 1);
is(counted($standby, $c), '34|9', 'and what it counted itself');
is(counted($primary, $c), '14|7', 'which the primary does not know');
check($primary, $c, 3);
ok(flushed($primary, $c, '17|7'), 'the primary flushes');
catch_up();
is(counted($standby, $c), '37|9', 'the standby shows both');
is($standby->safe_psql('postgres', 'SELECT entries FROM mogo_usage_status()'), '2', 'its own wait in its memory');

my $new = issue($primary, undef, "mogo_add_secret('$c->{id}')");
catch_up();
is(counted($primary, $new), '|7', 'a new secret: not known');
check($standby, $new, 1);
is(counted($primary, $new), '|7', 'used on the standby: not known on the primary, which is not the same as unused');
is(counted($standby, $new), '1|9', 'known on the standby');

$standby->restart;
is(counted($standby, $c), '37|9', 'a clean restart of the standby loses nothing');

# A database that the primary drops must not hold entries for ever.
$primary->safe_psql('postgres', 'CREATE DATABASE other');
$primary->safe_psql('other', 'CREATE EXTENSION mogocred CASCADE');
my $o = issue($primary, 'other', undef, 'other');
catch_up();
check($standby, $o, 1, dbname => 'other');
is($standby->safe_psql('postgres', 'SELECT entries FROM mogo_usage_status()'), '4', 'a count in another database');
$primary->safe_psql('postgres', 'DROP DATABASE other');
catch_up();
ok($standby->poll_query_until('postgres', 'SELECT entries FROM mogo_usage_status()', '3'), 'is forgotten on the standby when the database is dropped');

$standby->promote;
ok(flushed($standby, $c, '37|9'), 'after the promotion they are flushed');
is(counted($standby, $c), '37|9', 'and seen once');
ok(flushed($standby, $new, '1|9'), 'all of them');
$standby->stop;
$primary->stop('immediate');

done_testing();
