# Whoever follows README.md pastes its blocks, in order, into a fresh server: each SQL
# block runs as it stands, in one psql, and does what the text around it says.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Cwd;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::Bin/../../README.md");
my $node = PostgreSQL::Test::Cluster->new('fresh');
$node->init;
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'mogocred'\n");
$node->start;

# psql with no option but where the server is, in the directory that it is to write to.
my ($out, $err) = ('', '');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $cwd = getcwd();
chdir $dir or die $!;
my $psql = IPC::Run::start(
	[ 'psql', '-X', '-h', $node->host, '-p', $node->port, 'postgres' ],
	'<' => \my $in,
	'>' => \$out,
	'2>' => \$err,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
chdir $cwd or die $!;

my $json = "$dir/Mogoplus_testaccount.json";
my $n = 0;
my %shown;

# Pastes a block. Returns what psql printed.
sub paste
{
	my $sql = shift;
	my $end = 'pasted ' . ++$n;
	$out = $err = '';
	$in .= "$sql\\echo $end\n";
	$psql->pump until $out =~ s/^\Q$end\E\n//m;
	my ($title) = $sql =~ /^(.{1,70})/;
	unlike($err, qr/ERROR|WARNING|FATAL|invalid/, $title) or diag($err);
	return $out;
}

# The blocks of README in order: SQL is pasted; what else is shown after it is kept.
my $last = '';
while ($page =~ /^```(\w*)\n(.*?)^```$/msg)
{
	my ($kind, $text) = ($1, $2);
	if ($kind eq 'sql')
	{
		($last) = $text =~ /^(.{1,40})/;
		$shown{$last} = { printed => paste($text), told => [] };
		if ($text =~ /testaccount\.json\)/)
		{
			my $file = slurp_file($json);
			my $uuid = '"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"';
			like(
				$file,
				qr/\A\{\n  "clientName": "Mogoplus_testaccount",\n  "clientId": $uuid,\n  "clientSecret": $uuid\n\}\n\z/,
				'the file has three members, one a line, and nothing else');
			is(sprintf('%o', (stat $json)[2] & 07777),
				'600', 'only its owner can read it');
		}
	}
	else
	{
		push @{ $shown{$last}{told} }, $text if $kind eq '' && $last;
	}
}
cmp_ok($n, '>=', 9, 'blocks of SQL');

my ($verify) =
  grep { $_->{printed} =~ /^ Mogoplus_testaccount \| \{\}$/m } values %shown;
ok($verify, 'the sample check has a row');
is( $verify->{told}[0],
	$verify->{printed} =~ s/ *\n+/\n/gr,
	'and the text shows it as psql does');
my ($secrets) = grep { $_->{printed} =~ /revoked_at/ } values %shown;
like(
	$secrets->{printed},
	qr/\| active .*\n.*\| revoked |\| revoked .*\n.*\| active /,
	'one secret was revoked, one works');

# The uninstall text was the last: nothing is left in the database or of the roles.
is( $node->safe_psql(
		'postgres', q{
	SELECT count(*) FROM pg_extension WHERE extname IN ('mogocred', 'pgcrypto')
	UNION ALL SELECT count(*) FROM pg_namespace WHERE nspname = 'mogo'}),
	"0\n0",
	'neither the extensions nor the schema are left');
is( $node->psql(
		'postgres',
		'DROP ROLE my_admin, my_token_service, my_portal, my_monitor'),
	0,
	'the roles can be dropped');

$in .= "\\q\n";
$psql->finish;
done_testing();
