# kill -9 of every process of the server, ten times, while clients are added, rotated,
# revoked and invited and others check: every acknowledged credential works afterwards,
# nothing is half there, and no secret whose end was acknowledged comes back. A code whose
# acceptance was not acknowledged has given a secret that works, or still works itself.
#
# The load runs with synchronous_commit = off and a WAL writer that sleeps, so what is
# acknowledged would be lost if the extension did not ask for a durable commit itself.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use MogoTest;

use constant { ROUNDS => 10, WORKERS => 3, LOOPS => 400 };

plan skip_all => 'needs /proc' if !-d "/proc/$$";

my $node = server(
	'main', q{
synchronous_commit = off
wal_writer_delay = 10s
shared_preload_libraries = 'mogocred'
log_statement = none
});

# One client's life, again and again. What is echoed before a call says what may have
# happened, what is echoed after it was acknowledged. "old" is what the call ends.
my $life = q{
\set name w:worker-:round-:loop
\echo try add :name
SELECT client_id AS id, client_secret AS s1, secret_id AS i1 FROM mogo_add_client(:'name') \gset
\echo live :id :i1 :s1
SELECT client_secret AS s2, secret_id AS i2 FROM mogo_rotate_secret(:'id', '1 hour') \gset
\echo live :id :i2 :s2
\echo ending :i1
SELECT mogo_revoke_secret(:'i1') AS done \gset
\echo ended :i1
SELECT client_secret AS s3, secret_id AS i3 FROM mogo_add_secret(:'id') \gset
\echo live :id :i3 :s3
\echo ending :i2
\echo ending :i3
SELECT client_secret AS s4, secret_id AS i4 FROM mogo_rotate_secret(:'id', '0') \gset
\echo ended :i2
\echo ended :i3
\echo live :id :i4 :s4
SELECT code FROM mogo_invite(:'id', '1 hour') \gset
\echo open :id :code
\echo accepting :id :code
SELECT client_secret AS s5, secret_id AS i5 FROM mogo_accept_invitation(:'code') \gset
\echo live :id :i5 :s5
\echo used :id :code
};

# The server's process and all of its children.
sub server_pids
{
	my ($postmaster) = split /\n/,
	  slurp_file($node->data_dir . '/postmaster.pid');
	my @pids = ($postmaster);
	foreach my $stat (glob '/proc/[0-9]*/stat')
	{
		open(my $fh, '<', $stat) or next;
		my $line = <$fh> // '';
		push @pids, $1 if $line =~ /^(\d+) \(.*\) \S $postmaster /;
	}
	return @pids;
}

my %secret;  # secret_id -> {id, secret, state}: live, ending (unknown), ended
my %code;    # code -> {id, state}: open, accepting (unknown), used

sub read_outcome
{
	my $out = shift;
	foreach my $line (split /\n/, $out)
	{
		my ($what, @rest) = split / /, $line;
		if ($what eq 'live')
		{
			$secret{ $rest[1] } =
			  { id => $rest[0], secret => $rest[2], state => 'live' };
		}
		elsif ($what eq 'ending') { $secret{ $rest[0] }{state} = 'ending' }
		elsif ($what eq 'ended')  { $secret{ $rest[0] }{state} = 'ended' }
		elsif ($what =~ /^(?:open|accepting|used)$/)
		{
			$code{ $rest[1] } = { id => $rest[0], state => $what };
		}
	}
	return;
}

# Asks for every secret that is known so far, and returns "state answer count" lines.
sub ask
{
	my $values = join ', ', map {
		"('$secret{$_}{state}', '$secret{$_}{id}', '$secret{$_}{secret}')"
	} sort keys %secret;
	return $node->safe_psql(
		'postgres', "SELECT state, mogo_verify(id, secret), count(*)
		FROM (VALUES $values) AS v(state, id, secret) GROUP BY 1, 2 ORDER BY 1, 2");
}

# Presents every code that has not been presented since its last state was known, and
# returns "state, rows that it gave, whether they work, invitation's status" lines.
sub present
{
	my @codes = grep { !$code{$_}{presented}++ } sort keys %code;
	my $values = join ', ', map { "('$code{$_}{state}', '$_')" } @codes;
	return $node->safe_psql(
		'postgres',
		"WITH c AS MATERIALIZED (SELECT v.state, i.invitation_id, a.*
		FROM (VALUES $values) AS v(state, code)
		JOIN mogo_invitation_code AS i ON i.code_hash = sha256(v.code::bytea)
		LEFT JOIN LATERAL mogo_accept_invitation(v.code) AS a ON true)
		SELECT state, secret_id IS NOT NULL, COALESCE(mogo_verify(client_id, client_secret), false),
			count(*) FROM c GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
	  . "\n"
	  . $node->safe_psql(
		'postgres', "SELECT 'left ' || status, count(*) FROM mogo_invitations
		WHERE status <> 'accepted' GROUP BY 1");
}

foreach my $round (1 .. ROUNDS)
{
	my @workers;
	foreach my $worker (1 .. WORKERS)
	{
		my $file = "${PostgreSQL::Test::Utils::tmp_check}/life-$worker.sql";
		my $sql = join '', map { "\\set loop $_\n$life" } 1 .. LOOPS;
		unlink $file;
		append_to_file($file,
			"\\set worker $worker\n\\set round $round\n$sql");
		my ($out, $err) = ('', '');
		push @workers, { out => \$out, err => \$err };
		$workers[-1]{run} = IPC::Run::start(
			[
				'psql', '-XAtq',
				'-v', 'ON_ERROR_STOP=1',
				'-d', $node->connstr('postgres'),
				'-f', $file
			],
			'>',
			\$out,
			'2>',
			\$err,
			IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	}
	# Once each has got somewhere, at a moment that differs from round to round.
	foreach my $worker (@workers)
	{
		$worker->{run}->pump
		  until ${ $worker->{out} } =~ /ended/ || !$worker->{run}->pumpable;
	}
	usleep(50_000 + int rand 400_000);
	kill 'KILL', server_pids();
	foreach my $worker (@workers)
	{
		$worker->{run}->finish;
		die
		  "round $round: a worker ended before the kill: ${ $worker->{err} }"
		  if ${ $worker->{err} } !~
		  /connection to server was lost|server closed the connection|could not receive|could not send/;
		read_outcome(${ $worker->{out} });
	}
	# The test library has yet to learn that this server is gone, and the kernel may
	# take a moment to let go of its memory.
	for (1 .. 50)
	{
		$node->{_pid} = undef;
		last if $node->start(fail_ok => 1);
		usleep(100_000);
	}

	my $answers = ask();
	note(
		"round $round: ",
		scalar keys %secret,
		' secrets known; ',
		$answers =~ s/\n/, /gr);
	unlike($answers, qr/^live\|f/m,
		"round $round: every acknowledged secret works");
	unlike($answers, qr/^ended\|t/m,
		"round $round: none whose end was acknowledged does");
	like($answers, qr/^live\|t.*/m, "round $round: there are such");
	is(inconsistencies($node), '', "round $round: nothing is half there");

	my $presented = present();
	note("round $round: codes: ", $presented =~ s/\n/, /gr);
	unlike($presented, qr/^used\|t/m,
		"round $round: no code that was accepted is good again");
	unlike($presented, qr/^open\|f/m,
		"round $round: every other acknowledged code works");
	unlike($presented, qr/\|t\|f\|/, "round $round: what a code gives works");
	unlike($presented, qr/^left/m,
		"round $round: and none is neither open nor accepted");
	is(inconsistencies($node), '',
		"round $round: nor is anything half there");
}

# Indexes and heap agree, as amcheck sees it where it is installed.
SKIP:
{
	my $have = $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'"
	);
	skip 'amcheck is not installed', 1 if !$have;
	$node->safe_psql('postgres', 'CREATE EXTENSION amcheck');
	is( $node->safe_psql(
			'postgres', q{
		SELECT bt_index_check(i.indexrelid, true) FROM pg_index i
		WHERE i.indrelid IN ('mogo_client'::regclass, 'mogo_secret'::regclass, 'mogo_audit_log'::regclass);
		SELECT r FROM unnest('{mogo_client,mogo_secret,mogo_audit_log}'::regclass[]) t, verify_heapam(t) r}
		) =~ s/\n//gr,
		'',
		'heap and indexes are sound');
}

done_testing();
