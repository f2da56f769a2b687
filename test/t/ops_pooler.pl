# PgBouncer in transaction mode in front of a primary and a standby: checks with bound
# parameters from a driver (Perl's DBD::Pg, on libpq), revocation seen at once, and what
# a pooler of this kind cannot carry.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use MogoTest;
no warnings 'once';    # DBI's, which is loaded where it is there

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}),
  '/usr/sbin';
plan skip_all => 'PgBouncer is not installed (Debian: pgbouncer)'
  if !$pgbouncer;
plan skip_all => "Perl's DBD::Pg is not installed (Debian: libdbd-pg-perl)"
  if !eval { require DBD::Pg };
my ($version) = `$pgbouncer --version` =~ /^PgBouncer (\d+\.\d+)/i;
note("PgBouncer $version, DBD::Pg $DBD::Pg::VERSION");
# 1.21 was the first to follow a client's prepared statements from server to server.
my ($major, $minor) = split /\./, $version;
my $prepares = $major > 1 || $minor >= 21;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres',
	'CREATE EXTENSION mogocred CASCADE; CREATE ROLE checker LOGIN; CREATE ROLE boss LOGIN'
);
$primary->safe_psql('postgres',
	"SELECT mogo_grant_verifier('checker'); SELECT mogo_grant_admin('boss')");
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $ini = "${PostgreSQL::Test::Utils::tmp_check}/pgbouncer.ini";
my $users = "${PostgreSQL::Test::Utils::tmp_check}/pgbouncer.users";
unlink $ini, $users;
append_to_file($users, qq{"checker" ""\n"boss" ""\n});
append_to_file(
	$ini,
	join "\n",
	'[databases]',
	(   map {
				$_->name
			  . ' = dbname=postgres host='
			  . $_->host
			  . ' port='
			  . $_->port
		} $primary,
		$standby),
	'[pgbouncer]',
	'listen_addr = 127.0.0.1',
	"listen_port = $port",
	'unix_socket_dir =',
	'auth_type = trust',
	"auth_file = $users",
	'pool_mode = transaction',
	'default_pool_size = 2',
	'max_client_conn = 100',
	$prepares ? ('max_prepared_statements = 100') : (),
	'');
# The libpq of a development branch asks for a protocol version that nobody has, and
# PgBouncer before 1.24 refuses what it does not know.
$ENV{PGMAXPROTOCOLVERSION} = '3.0';

my $log = '';
my $pooler = IPC::Run::start([ $pgbouncer, $ini ], '>&', \$log);

END
{
	local $?;
	$pooler->kill_kill if $pooler;
}

# A client's connection through the pooler. Bound parameters go in unnamed statements.
sub client
{
	my ($db, $user, %more) = @_;
	return DBI->connect(
		"dbi:Pg:host=127.0.0.1;port=$port;dbname=$db",
		$user // 'checker',
		'',
		{
			PrintError => 0,
			RaiseError => 1,
			AutoCommit => 1,
			pg_server_prepare => 0,
			%more
		});
}

for (1 .. 100)
{
	last if eval { client('primary')->ping };
	usleep(100_000);
	$pooler->pump_nb;
}

sub ask
{
	my ($dbh, $c) = @_;
	return $dbh->selectrow_array('SELECT mogo_verify(?, ?)',
		undef, $c->{id}, $c->{secret}) ? 't' : 'f';
}

# --- checks, from more clients than there are servers ------------------------------------

my $c = issue($primary, 'pooled');
my $wrong = { %$c, secret => $c->{id} };
catch_up($primary, $standby);
foreach my $db ('primary', 'standby')
{
	my @clients = map { client($db) } 1 .. 20;
	is(join('', map { ask($_, $c) . ask($_, $wrong) } @clients),
		'tf' x 20, "$db: bound parameters, 20 clients on two servers");
	is( $clients[0]
		  ->selectrow_array("SELECT mogo_verify('$c->{id}', '$c->{secret}')"),
		1, "$db: the simple protocol");
	is( $clients[0]->selectrow_array(
			'SELECT client_name FROM mogo_authenticate(?, ?, ?)',
			undef, $c->{id}, $c->{secret}, '10.0.0.1'),
		'pooled',
		"$db: mogo_authenticate");
	is(ask($clients[1], { id => 'no uuid', secret => undef }),
		'f', "$db: an id that is none, a NULL secret");
	my %seen;
	$seen{ $_->selectrow_array('SELECT pg_backend_pid()') } = 1
	  foreach @clients;
	cmp_ok(scalar keys %seen,
		'<=', 2, "$db: there were no more than two servers");
	$_->disconnect foreach @clients;
}
ok( !eval {
		client('standby', 'boss')->do("SELECT mogo_add_client('no')");
		1;
	}
	  && $DBI::errstr =~ /read-only|recovery/
	  && $DBI::state eq '25006',
	'administration through the standby is refused');

# --- a revocation is seen at once --------------------------------------------------------------

my ($checker, $boss) = (client('primary'), client('primary', 'boss'));
my $new = {};
@$new{qw(id secret secret_id)} = $boss->selectrow_array(
	'SELECT client_id, client_secret, secret_id FROM mogo_rotate_secret(?, ?)',
	undef, $c->{id}, '1 hour');
is(ask($checker, $c) . ask($checker, $new),
	'tt', 'rotated through the pooler: both work');
$checker->begin_work;
$checker->do('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
is(ask($checker, $c), 't', 'in a transaction');
$boss->do('SELECT mogo_revoke_secret(?)', undef, $c->{secret_id});
is(ask($checker, $c) . ask($checker, $new),
	'ft', 'revoked: seen at once, in a transaction from before');
$checker->commit;
is(ask(client('primary'), $c), 'f', 'and by a new client');
catch_up($primary, $standby);
is(ask(client('standby'), $c) . ask(client('standby'), $new),
	'ft', 'and on the standby once it is replayed');

# --- load ---------------------------------------------------------------------------------------

my $script = "${PostgreSQL::Test::Utils::tmp_check}/pooled.sql";
unlink $script;
# a wrong answer divides by zero
append_to_file($script,
	"SELECT 1 / mogo_verify('$new->{id}', :secret)::int;\n");
foreach my $db ('primary', 'standby')
{
	my ($out, $err);
	my $ok = IPC::Run::run(
		[
			'pgbench', '-n',
			'-M', 'extended',
			'-c', '10',
			'-t', '200',
			'-h', '127.0.0.1',
			'-p', $port,
			'-U', 'checker',
			'-D', "secret=$new->{secret}",
			'-f', $script,
			$db
		],
		'>',
		\$out,
		'2>',
		\$err);
	ok( $ok
		  && $out =~ m{number of transactions actually processed: 2000/2000},
		"$db: pgbench, 2,000 checks from 10 clients") or diag($out, $err);
}

# --- statements that are prepared by name ----------------------------------------------------------

# Every server is made busy in turn, so that a client's next statement goes to another.
my @named = map {
	client('primary', undef, pg_server_prepare => 1, pg_switch_prepared => 1)
} 1 .. 4;
my @statements = map { $_->prepare('SELECT mogo_verify(?, ?)') } @named;
my ($answers, $states) = ('', '');
foreach my $round (1 .. 5)
{
	foreach my $i (0 .. $#named, reverse 0 .. $#named)
	{
		$named[ ($i + 1) % @named ]->begin_work;
		eval { $named[ ($i + 1) % @named ]->do('SELECT 1') };
		eval {
			$statements[$i]->execute($new->{id}, $new->{secret});
			$answers .= $statements[$i]->fetchrow_array // 'null';
			$statements[$i]->finish;
			1;
		}
		  or $states .= $statements[$i]->state . ' ';
		$named[ ($i + 1) % @named ]->rollback;
	}
}
if ($prepares)
{
	is($states, '',
		"prepared by name: no error with PgBouncer $version and max_prepared_statements"
	);
	like($answers, qr/^1+$/, 'prepared by name: right each time');
}
else
{
	like($states, qr/26000|42P05|08P01/,
		"prepared by name: PgBouncer $version loses them in transaction mode, with an error"
	);
	unlike($answers, qr/[^1]/, 'prepared by name: never a wrong answer');
}
$_->disconnect foreach @named;

done_testing();
