# What the TAP tests of the use counts (usage_...) share.
package UsageTest;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use IPC::Run;
use MogoTest qw(issue);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT =
  qw(counting_node issue issue_many check counted flushed background hold release logged until_true);

# A new server with the library preloaded and the extension in database postgres.
# Flushes come every second unless the settings say something else.
sub counting_node
{
	my ($name, %settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 1);
	%settings = (
		'shared_preload_libraries' => "'mogocred'",
		'mogocred.usage_flush_interval' => '1s',
		'max_prepared_transactions' => 5,
		'autovacuum' => 'off',
		%settings);
	$node->append_conf('postgresql.conf', join '',
		map { "$_ = $settings{$_}\n" } sort keys %settings);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
	return $node;
}

# Adds n clients with one statement and keeps their credentials in a table.
sub issue_many
{
	my ($node, $table, $n, $dbname) = @_;
	$node->safe_psql(
		$dbname // 'postgres',
		"CREATE TABLE $table AS SELECT c.* FROM generate_series(1, $n) g, mogo_add_client('$table ' || g) c"
	);
	return;
}

# Checks n times in one session, rightly or with a wrong secret; returns the answers' sum.
sub check
{
	my ($node, $c, $n, %how) = @_;
	my $secret = $how{wrong} ? 'wrong' : $c->{secret};
	return $node->safe_psql(
		$how{dbname} // 'postgres',
		"SELECT count(*) FILTER (WHERE mogo_verify('$c->{id}', left('$secret', 99 + g))) FROM generate_series(1, $n) g"
	);
}

# What the views say: uses and failed checks; empty for NULL.
sub counted
{
	my ($node, $c, $dbname) = @_;
	return $node->safe_psql(
		$dbname // 'postgres',
		"SELECT uses, failed_checks FROM mogo_secrets JOIN mogo_clients USING (client_id) WHERE secret_id = '$c->{secret_id}'"
	);
}

# Waits until the tables say so, in the same form.
sub flushed
{
	my ($node, $c, $expected, $dbname) = @_;
	return $node->poll_query_until(
		$dbname // 'postgres',
		"SELECT concat((SELECT uses FROM mogo_secret_usage WHERE secret_id = '$c->{secret_id}'), '|',
			(SELECT nullif(failed_checks, 0) FROM mogo_client_usage WHERE client_id = '$c->{id}'))",
		$expected);
}

# Calls something until it says yes; returns no if it has not after a minute.
sub until_true
{
	my ($try) = @_;
	foreach my $i (1 .. 600)
	{
		return 1 if $try->();
		select undef, undef, undef, 0.1;
	}
	return 0;
}

# Waits until the log has it, behind the offset. Statements are logged as well, so what
# is looked for must be more than any statement of ours holds.
sub logged
{
	my ($node, $regex, $offset) = @_;
	return until_true(
		sub { substr(slurp_file($node->logfile), $offset) =~ $regex });
}

# Runs statements in a session of its own, of which one may wait; $out is their output
# once ->finish returned.
sub background
{
	my ($node, $out, @statements) = @_;
	return IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq',
			'-d', $node->connstr('postgres'),
			map { ('-c', $_) } @statements
		],
		'>', $out, '2>&1');
}

# Holds locks for as long as it takes, without a session.
sub hold
{
	my ($node, $sql, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres',
		"BEGIN; $sql; PREPARE TRANSACTION 'hold'");
}

sub release
{
	my ($node, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres',
		"ROLLBACK PREPARED 'hold'");
}

1;
