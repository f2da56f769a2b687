# A primary and a hot standby: the standby answers right, follows revocations, refuses
# administration, survives recovery conflicts, and keeps everything when promoted.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "autovacuum = off\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
$primary->safe_psql('postgres',
	"CREATE ROLE checker LOGIN; SELECT mogo_grant_verifier('checker')");
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"max_standby_streaming_delay = 100ms\nhot_standby_feedback = off\n");
$standby->start;

# --- right answers, with and without preloading on either side ------------------

foreach my $preload ([ 0, 0 ], [ 1, 0 ], [ 0, 1 ], [ 1, 1 ])
{
	my $how = sprintf 'primary %s, standby %s',
	  map { $_ ? 'preloaded' : 'not preloaded' } @$preload;
	foreach my $i (0, 1)
	{
		my $node = ($primary, $standby)[$i];
		$node->append_conf('postgresql.conf',
				"shared_preload_libraries = '"
			  . ($preload->[$i] ? 'mogocred' : '')
			  . "'\n");
		$node->restart;
	}
	my $c = issue($primary, "client @$preload");
	my $second = issue($primary, undef, "mogo_add_secret('$c->{id}')");
	catch_up($primary, $standby);
	is(verify($standby, $c), 't', "$how: the right secret");
	is(verify($standby, { %$c, secret => $c->{id} }),
		'f', "$how: a wrong one");
	is( $standby->safe_psql(
			'postgres',
			"SELECT client_id, client_name, secret_id FROM mogo_authenticate('$c->{id}', '$c->{secret}')"
		),
		"$c->{id}|client @$preload|$c->{secret_id}",
		"$how: mogo_authenticate's row");

	$primary->safe_psql('postgres',
		"SELECT mogo_revoke_secret('$c->{secret_id}')");
	catch_up($primary, $standby);
	is(verify($standby, $c), 'f', "$how: revoked");
	is( $standby->safe_psql(
			'postgres',
			"SELECT mogo_verify_status('$c->{id}', '$c->{secret}')"),
		'revoked',
		"$how: mogo_verify_status knows why");
	is(verify($standby, $second), 't', "$how: the other secret lives");
	$primary->safe_psql('postgres', "SELECT mogo_disable_client('$c->{id}')");
	catch_up($primary, $standby);
	is(verify($standby, $second), 'f', "$how: disabled");
	is( $standby->safe_psql(
			'postgres',
			"SELECT client_name, enabled FROM mogo_get_client('$c->{id}')",
			extra_params => [ '-U', 'checker' ]),
		"client @$preload|f",
		"$how: mogo_get_client's row");
	$primary->safe_psql('postgres',
		"SELECT * FROM mogo_get_client('$c->{id}') AS a, mogo_get_client('nobody') AS b"
	);
	is( $primary->safe_psql(
			'postgres',
			"SELECT last_used_at, failed_checks FROM mogo_clients WHERE client_id = '$c->{id}'"
		),
		'|',
		"$how: which counts nothing");
}

# --- administration is refused there, before anything else is looked at ----------

# Every function that is not a check or a formatter, with NULL for each argument.
my @refused = split /\n/, $primary->safe_psql(
	'postgres', q{
SELECT format('SELECT %s(%s)', p.proname,
	(SELECT string_agg('NULL::' || format_type(t, NULL), ', ') FROM unnest(p.proargtypes) t))
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON d.refobjid = e.oid AND e.extname = 'mogocred'
WHERE p.proparallel = 'u' ORDER BY 1});
cmp_ok(scalar @refused, '>=', 14, 'functions that change something');
is(sqlstate($standby, $_), '25006', "on a standby: $_") foreach @refused;
like($standby->safe_psql('postgres', 'SELECT count(*) FROM mogo_clients'),
	qr/^4$/, 'the views can be read');

# --- revocation as seen by a transaction that is open on the standby --------------

my $open = issue($primary, 'open transaction');
catch_up($primary, $standby);
my $session = $standby->background_psql('postgres', on_error_stop => 0);
my $seen = $session->query(
	"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT mogo_verify('$open->{id}', '$open->{secret}')"
) if $session->can('query');
SKIP:
{
	skip "background_psql of this PostgreSQL's test library has no query()", 2
	  if !defined $seen;
	like($seen, qr/t/,
		'right in a REPEATABLE READ transaction on the standby');
	$primary->safe_psql('postgres',
		"SELECT mogo_revoke_secret('$open->{secret_id}')");
	catch_up($primary, $standby);
	like(
		$session->query(
			"SELECT mogo_verify('$open->{id}', '$open->{secret}')"),
		qr/f/,
		'the transaction sees a revocation that was replayed after its start'
	);
	$session->query('ROLLBACK');
	$session->quit;
}

# --- recovery conflicts: what holds a snapshot is cancelled, checks go on ------------

my $busy = issue($primary, 'busy');
catch_up($primary, $standby);
my ($in, $out, $err) = ('', '', '');
my $holder = IPC::Run::start(
	[
		'psql',
		'-XAtq',
		'-v',
		'VERBOSITY=sqlstate',
		'-d',
		$standby->connstr('postgres'),
		map { ('-c', $_) } 'BEGIN ISOLATION LEVEL REPEATABLE READ',
		'SELECT count(*) FROM mogo_clients',
		'SELECT pg_sleep(600)'
	],
	'>',
	\$out,
	'2>',
	\$err,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$standby->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
) or die 'no session holds a snapshot';
$primary->safe_psql('postgres',
	"SELECT mogo_disable_client('$busy->{id}'); SELECT mogo_enable_client('$busy->{id}')"
);
$primary->safe_psql('postgres', 'VACUUM mogo_client');
catch_up($primary, $standby);
$holder->finish;
like($err, qr/ERROR:\s+40001/,
	'a long query on the standby is cancelled with 40001');
is(verify($standby, $busy), 't', 'a check is not, as it holds nothing');

# --- how late a revocation may be, and how to bound it -------------------------------

my $bounded = issue($primary, 'bounded');
my $unbounded = issue($primary, 'unbounded');
catch_up($primary, $standby);
$primary->append_conf('postgresql.conf',
	"synchronous_standby_names = 'FIRST 1 (standby)'\n");
$primary->safe_psql('postgres', 'CREATE ROLE admin LOGIN SUPERUSER');
$primary->safe_psql('postgres',
	'ALTER ROLE admin SET synchronous_commit = remote_apply');
$primary->reload;
$primary->poll_query_until('postgres',
	"SELECT sync_state = 'sync' FROM pg_stat_replication")
  or die 'the standby did not become synchronous';
catch_up($primary, $standby);
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres',
	"SELECT pg_get_wal_replay_pause_state() = 'paused'")
  or die 'replay goes on';
$primary->safe_psql('postgres',
	"SELECT mogo_revoke_secret('$unbounded->{secret_id}')");
is(verify($primary, $unbounded),
	'f', 'revoked, and seen on the primary at once');
is(verify($standby, $unbounded),
	't', 'but not on a standby that has not replayed it');

my $revoke = IPC::Run::start(
	[
		'psql',
		'-XAtq',
		'-d',
		$primary->connstr('postgres') . ' user=admin',
		'-c',
		"SELECT 'done', mogo_revoke_secret('$bounded->{secret_id}')"
	],
	'>',
	\$out,
	'2>',
	\$err,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$primary->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
  or die 'nobody waits for the standby';
is(verify($standby, $bounded),
	't', 'remote_apply: not acknowledged while the standby says yes');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$revoke->finish;
is( verify($standby, $bounded),
	'f',
	'remote_apply: once it is acknowledged, the standby says no, with no waiting'
);
is(verify($standby, $unbounded),
	'f', 'and what was revoked before is gone there too');
is($primary->safe_psql('postgres', 'SHOW synchronous_commit'),
	'on', "other sessions' commits do not wait for replay");
$primary->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$primary->reload;

# --- promotion -------------------------------------------------------------------------

my $kept = issue($primary, 'kept',
	"mogo_add_client('kept', now() + '1 day', '{a,b}', '{\"x\": 1}')");
$primary->safe_psql('postgres',
	"SELECT mogo_update_client('$kept->{id}', allowed_cidrs => '{10.0.0.0/8}')"
);
my $gone = issue($primary, 'gone');
$primary->safe_psql('postgres', "SELECT mogo_remove_client('$gone->{id}')");
my @code = map {
	$primary->safe_psql('postgres',
		"SELECT code FROM mogo_invite('$busy->{id}', '1 day')")
} 1 .. 2;
my $invited = issue($primary, undef, "mogo_accept_invitation('$code[0]')");
catch_up($primary, $standby);
is(sqlstate($standby, "SELECT mogo_accept_invitation('$code[1]')"),
	'25006', 'a code is not taken up on a standby');
my $tables =
  q{SELECT c FROM mogo_client c ORDER BY client_id; SELECT s FROM mogo_secret s ORDER BY secret_id;
	SELECT i FROM mogo_invitation_code i ORDER BY invitation_id;
	SELECT a FROM mogo_audit_log a ORDER BY a::text};
my $before = $primary->safe_psql('postgres', $tables);
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', $tables),
	$before, 'promotion: every row is as it was');
is( $standby->safe_psql(
		'postgres',
		"SELECT client_name, scopes, metadata FROM mogo_authenticate('$kept->{id}', '$kept->{secret}', '10.1.2.3')"
	),
	'kept|{a,b}|{"x": 1}',
	'promotion: a client and its properties');
is(verify($standby, $busy), 't', 'promotion: a client');
is(verify($standby, $bounded), 'f', 'promotion: what was revoked stays so');
is(verify($standby, $gone), 'f', 'promotion: what was removed stays so');
is(verify($standby, $invited), 't', 'promotion: a secret that was taken up');
is( $standby->safe_psql(
		'postgres', "SELECT count(*) FROM mogo_accept_invitation('$code[0]')"
	),
	'0',
	'promotion: a code that was used stays so');
is( verify(
		$standby, issue($standby, undef, "mogo_accept_invitation('$code[1]')")
	),
	't',
	'promotion: a code that was not is still good');
my $new = issue($standby, undef, "mogo_rotate_secret('$busy->{id}', '0')");
is(verify($standby, $new) . verify($standby, $busy),
	'tf', 'promotion: the new primary rotates');
is(verify($standby, issue($standby, 'new')),
	't', 'promotion: the new primary adds');
is( $standby->safe_psql(
		'postgres',
		'SET ROLE checker; '
		  . "SELECT mogo_verify('$new->{id}', '$new->{secret}')"),
	't',
	'promotion: rights are kept');

done_testing();
