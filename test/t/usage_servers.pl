# Use counts over the life of a server: clean restart, a start that fails, kill -9,
# a broken file, a copied data directory, standby and promotion.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest qw(catch_up);
use UsageTest;

my $primary = counting_node(
	'primary',
	'mogocred.usage_flush_interval' => '1h',
	'restart_after_crash' => 'on');
my $saved = $primary->data_dir . '/pg_stat/mogocred.stat';

sub set_interval
{
	my ($node, $interval) = @_;
	$node->append_conf('postgresql.conf',
		"mogocred.usage_flush_interval = $interval\n");
	$node->reload;
	return;
}

# --- one server --------------------------------------------------------------------

my $c = issue($primary, 'client');
check($primary, $c, 11);
check($primary, $c, 7, wrong => 1);
is(counted($primary, $c), '11|7', 'counted, in memory alone');
is( $primary->safe_psql('postgres', 'SELECT count(*) FROM mogo_secret_usage'),
	'0',
	'the interval is an hour: nothing is flushed');
my $last =
  $primary->safe_psql('postgres', 'SELECT last_used_at FROM mogo_secrets');

$primary->stop;
ok(-s $saved, 'a clean shutdown keeps what waits in a file');

# A start that fails loses nothing.
my $hba = slurp_file($primary->data_dir . '/pg_hba.conf');
append_to_file($primary->data_dir . '/pg_hba.conf', "a typo\n");
ok(!$primary->start(fail_ok => 1),
	'a typo in pg_hba.conf: the server does not start');
unlink $primary->data_dir . '/pg_hba.conf';
append_to_file($primary->data_dir . '/pg_hba.conf', $hba);
$primary->start;
is(counted($primary, $c),
	'11|7', 'a start that failed and a clean restart lose nothing');
is( $primary->safe_psql('postgres', 'SELECT last_used_at FROM mogo_secrets'),
	$last,
	'nor the last use');
$primary->restart;
is(counted($primary, $c), '11|7', 'nor does another');

set_interval($primary, '1s');
ok(-e $saved, 'the file stays as long as nothing of it is flushed');
ok(flushed($primary, $c, '11|7'),
	'a shorter interval is taken over with a reload');
ok(until_true(sub { !-e $saved }),
	'the file goes when its counts are flushed');
$primary->restart;
is(counted($primary, $c), '11|7', 'what was flushed is in no file');
set_interval($primary, '1h');
$primary->restart;

check($primary, $c, 5);
is(counted($primary, $c), '16|7', 'flushed and waiting counts show as one');
$primary->kill9;
# its children have to see first that they are orphans
until_true(sub { $primary->{_pid} = undef; $primary->start(fail_ok => 1) });
is(counted($primary, $c),
	'11|7', 'kill -9: what was flushed is there, what waited is lost');

# A backend that crashes takes the shared memory along.
check($primary, $c, 5);
is(counted($primary, $c), '16|7', 'counted again');
my $pid = $primary->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
kill 'KILL', $pid;
until_true(
	sub {
		eval {
			$primary->safe_psql('postgres', 'SELECT uses FROM mogo_secrets')
			  eq '11';
		}
	});
is(counted($primary, $c), '11|7', 'a crash inside: likewise');
is(check($primary, $c, 2), 2, 'and counting goes on');
is(counted($primary, $c), '13|7', 'from there');
set_interval($primary, '1s');
ok(flushed($primary, $c, '13|7'), 'and so does flushing');

# The launcher is terminated, and comes back.
my $launcher =
  "SELECT pid FROM pg_stat_activity WHERE backend_type = 'mogocred launcher'";
$pid = $primary->safe_psql('postgres', $launcher);
$primary->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
ok( $primary->poll_query_until(
		'postgres',
		"SELECT count(*) = 1 FROM ($launcher) l WHERE pid <> $pid"),
	'the launcher comes back');
check($primary, $c, 1);
ok(flushed($primary, $c, '14|7'), 'and has counts flushed');

# A broken file costs the counts in it and no more.
$primary->stop;
append_to_file($saved, 'no such thing');
my $offset = -s $primary->logfile;
$primary->start;
is(counted($primary, $c),
	'14|7', 'a file with something behind the counts: the server starts');
like(
	substr(slurp_file($primary->logfile), $offset),
	qr/LOG:  invalid data in file "pg_stat\/mogocred.stat"/,
	'and says so');
set_interval($primary, '1h');
$primary->restart;

foreach my $content ('no such thing', 'no', '')
{
	check($primary, $c, 1);
	$primary->stop;
	ok(-s $saved, 'counts wait in the file');
	truncate $saved, 0;
	append_to_file($saved, $content);
	$offset = -s $primary->logfile;
	$primary->start;
	is(counted($primary, $c),
		'14|7', "a file that cannot be read ('$content'): the server starts");
	like(
		substr(slurp_file($primary->logfile), $offset),
		qr/LOG:  invalid header in file "pg_stat\/mogocred.stat"/,
		'and says so');
}

# Nor does one that cannot be written stop the shutdown.
foreach my $obstacle ('a directory in its place', 'a full disk')
{
	check($primary, $c, 1);
	$offset = -s $primary->logfile;
	unlink $saved;
	$obstacle eq 'a full disk'
	  ? symlink('/dev/full', "$saved.tmp")
	  : mkdir("$saved.tmp")
	  or die;
	$primary->stop;
	like(
		substr(slurp_file($primary->logfile), $offset),
		qr/LOG:  could not write file "pg_stat\/mogocred.stat.tmp": (?:Is a directory|No space left on device)/,
		"$obstacle: the log says so");
	ok(!-e $saved, 'and there is no file');
	$obstacle eq 'a full disk' ? unlink("$saved.tmp") : rmdir("$saved.tmp")
	  or die;
	$primary->start;
	is(counted($primary, $c),
		'14|7', 'the counts in it are lost, and no others');
}
set_interval($primary, '1s');

# One that begins well must not bring a flush down: a time that there is not.
my $oid = $primary->safe_psql('postgres',
	"SELECT oid FROM pg_database WHERE datname = 'postgres'");
$primary->stop;
append_to_file($saved,
	pack('La16a16LQq', $oid, 'x' x 16, 'y' x 16, 0, 5, -1 << 63));
$offset = -s $primary->logfile;
$primary->start;
ok( $primary->poll_query_until(
		'postgres', 'SELECT entries FROM mogo_usage_status()', '0'),
	'a file with nonsense in it: nothing of it waits');
is(counted($primary, $c), '14|7', 'and the server runs');
my $log = substr(slurp_file($primary->logfile), $offset);
like(
	$log,
	qr{LOG:  invalid data in file "pg_stat/mogocred\.stat"},
	'the log says so');
unlike($log, qr/terminated by signal/, 'and no flush has crashed');

# --- a copy ------------------------------------------------------------------------

# A stopped server is copied, file and all, to become a standby. What waits is the
# original's, which flushes it; the copy must not show it a second time.
set_interval($primary, '1h');
check($primary, $c, 6);
$primary->stop;
ok(-s $saved, 'counts wait in the file');
my $copy = PostgreSQL::Test::Cluster->new('copy');
system_or_bail('cp', '-a', $primary->data_dir, $copy->data_dir);
$copy->append_conf('postgresql.conf',
		'port = '
	  . $copy->port
	  . "\nunix_socket_directories = '"
	  . $copy->host
	  . "'\n");
ok(-s $copy->data_dir . '/pg_stat/mogocred.stat', 'and are copied');
$primary->start;
is(counted($primary, $c), '20|7', 'the original has them');
$copy->enable_streaming($primary);
$copy->set_standby_mode();
$copy->start;
is(counted($copy, $c), '14|7', 'the copy has not');
like(
	slurp_file($copy->logfile),
	qr/LOG:  ignoring file "pg_stat\/mogocred.stat" because it is a copy/,
	'and says so');
set_interval($primary, '1s');
ok(flushed($primary, $c, '20|7'), 'the original flushes them');
$primary->wait_for_catchup($copy, 'replay', $primary->lsn('insert'));
is(counted($copy, $c), '20|7', 'and the copy shows them once');
$copy->stop;

# --- a standby ---------------------------------------------------------------------

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

is(counted($standby, $c), '20|7', 'a standby shows what the primary flushed');
check($standby, $c, 20);
check($standby, $c, 2, wrong => 1);
is(counted($standby, $c), '40|9', 'and what it counted itself');
is(counted($primary, $c), '20|7', 'which the primary does not know');
check($primary, $c, 3);
ok(flushed($primary, $c, '23|7'), 'the primary flushes');
catch_up($primary, $standby);
is(counted($standby, $c), '43|9', 'the standby shows both');
is( $standby->safe_psql(
		'postgres', 'SELECT entries FROM mogo_usage_status()'),
	'2',
	'its own wait in its memory');

my $new = issue($primary, undef, "mogo_add_secret('$c->{id}')");
catch_up($primary, $standby);
is(counted($primary, $new), '|7', 'a new secret: not known');
check($standby, $new, 1);
is( counted($primary, $new),
	'|7',
	'used on the standby: not known on the primary, which is not the same as unused'
);
is(counted($standby, $new), '1|9', 'known on the standby');

$standby->restart;
is(counted($standby, $c),
	'43|9', 'a clean restart of the standby loses nothing');

# Its history is on this server alone, so a start that fails must not lose it, nor a
# crash what was counted before its last start.
my $max_connections = $standby->safe_psql('postgres', 'SHOW max_connections');
$standby->append_conf('postgresql.conf',
	"max_connections = 5\nsuperuser_reserved_connections = 0\n");
$standby->stop;
$offset = -s $standby->logfile;
ok(!$standby->start(fail_ok => 1),
	'max_connections lower than on the primary: the standby does not start');
like(
	substr(slurp_file($standby->logfile), $offset),
	qr/FATAL:  recovery aborted because of insufficient parameter settings/,
	'as PostgreSQL says');
$standby->append_conf('postgresql.conf',
	"max_connections = $max_connections\n");
$standby->start;
is(counted($standby, $c), '43|9', 'the history is still there');
check($standby, $c, 1);
is(counted($standby, $c), '44|9', 'and goes on');
$standby->kill9;
until_true(sub { $standby->{_pid} = undef; $standby->start(fail_ok => 1) });
is(counted($standby, $c),
	'43|9', 'kill -9 loses what came after the last start');

# A database that the primary drops must not hold entries for ever.
$primary->safe_psql('postgres', 'CREATE DATABASE other');
$primary->safe_psql('other', 'CREATE EXTENSION mogocred CASCADE');
my $o = issue($primary, 'other', undef, 'other');
catch_up($primary, $standby);
check($standby, $o, 1, dbname => 'other');
is( $standby->safe_psql(
		'postgres', 'SELECT entries FROM mogo_usage_status()'),
	'4',
	'a count in another database');
$primary->safe_psql('postgres', 'DROP DATABASE other');
catch_up($primary, $standby);
ok( $standby->poll_query_until(
		'postgres', 'SELECT entries FROM mogo_usage_status()', '3'),
	'is forgotten on the standby when the database is dropped');

$standby->promote;
ok(flushed($standby, $c, '43|9'), 'after the promotion they are flushed');
is(counted($standby, $c), '43|9', 'and seen once');
ok(flushed($standby, $new, '1|9'), 'all of them');
$standby->stop;
$primary->stop('immediate');

done_testing();
