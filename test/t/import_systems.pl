# doc/import.md: each of the seven systems' own queries, run on a sample of that system's
# tables, and the import, as the page has them. A client that came over has its own id; its
# real secrets are right, a wrong one, another client's and every stored text are not; and
# what was generated is native after mogo_rehash_secret.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Cwd;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::Bin/../../doc/import.md");
my $samples = "$FindBin::Bin/../import";
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'Europe/Berlin'\n");
$node->start;

# Returns a block under a heading, the first unless $n says otherwise.
sub block
{
	my ($heading, $n) = @_;
	my ($section) = $page =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
	die "no section \"$heading\"" if !defined $section;
	my @blocks = $section =~ /^```(?:sql|sh)\n(.*?)^```$/msg;
	return $blocks[ $n // 0 ];
}

# Writes a file into the directory from which everything is run, and returns its name.
sub file
{
	my ($name, $text) = @_;
	open my $handle, '>', "$dir/$name" or die $!;
	print $handle $text;
	close $handle or die $!;
	return $name;
}

# Runs psql there on a file. Returns what it printed.
sub psql_file
{
	my ($database, $name, @options) = @_;
	my $cwd = getcwd();
	chdir $dir or die $!;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run(
		[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $name, @options ],
		'>' => \$out,
		'2>' => \$err,
		init => sub {
			$ENV{PGDATABASE} = $database;
			$ENV{PGHOST} = $node->host;
			$ENV{PGPORT} = $node->port;
		});
	chdir $cwd or die $!;
	ok($ok, "$database: $name") or diag($err);
	return $out;
}

my $import = block('Step by step');
# What the samples tell of their clients, by the system: [ id, secret, what it becomes ].
my %clients;

# Makes a database with the extension and, of a system, its sample. The samples of all
# systems have tables of their own.
sub prepare
{
	my ($system) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $system");
	$node->safe_psql($system,
		'CREATE SCHEMA mogo; CREATE EXTENSION mogocred SCHEMA mogo CASCADE');
	return if !-e "$samples/$system.sql";
	my $sample = slurp_file("$samples/$system.sql");
	$node->safe_psql($system, $sample);
	$clients{$system} =
	  [ map { [ split /\t/ ] } $sample =~ /^-- client (.*)$/mg ];
	return;
}

# Looks at what came over.
sub check
{
	my ($system, $further, $disabled) = @_;
	my @clients = @{ $clients{$system} };
	my %ids = map { $_->[0] => 1 } @clients;
	cmp_ok(scalar keys %ids, '>=', 3, "$system: three clients at least");

	is( $node->safe_psql(
			$system,
			q{SELECT count(*), count(*) FILTER (WHERE NOT enabled) FROM mogo.mogo_clients}
		),
		(scalar(keys %ids) + $disabled) . "|$disabled",
		"$system: its clients came over, and no other");
	is( $node->safe_psql(
			$system,
			q{SELECT count(*) FROM mogo.mogo_secrets WHERE status = 'active'}
		),
		scalar(@clients) + $disabled,
		"$system: all their secrets");
	is(@clients - keys %ids, $further, "$system: further ones among them");
	for my $client (@clients)
	{
		my ($id, $secret, $after) = @$client;
		my ($other) =
		  map { $_->[1] } grep { $_->[0] ne $id } @clients;
		is( $node->safe_psql(
				$system,
				qq{SELECT COALESCE(external_id, client_id::text) FROM mogo.mogo_authenticate('$id', '$secret')}
			),
			$id,
			"$system: $id keeps its id, with its real secret");
		is( $node->safe_psql(
				$system,
				qq{SELECT mogo.mogo_verify('$id', 'x' || '$secret'), mogo.mogo_verify('$id', '$other'),
				(SELECT bool_or(mogo.mogo_verify('$id', l.hash)) FROM mogo.mogo_client, unnest(live) AS l)}
			),
			'f|f|f',
			"$system: $id refuses another secret and what is stored here");

		# as the token service does
		$node->safe_psql($system,
			qq{SELECT mogo.mogo_rehash_secret('$id', '$secret') FROM mogo.mogo_authenticate('$id', '$secret') WHERE needs_rehash}
		);
		is( $node->safe_psql(
				$system,
				qq{SELECT s.algorithm, a.needs_rehash FROM mogo.mogo_authenticate('$id', '$secret') AS a
				JOIN mogo.mogo_secrets AS s USING (secret_id)}),
			($after eq 'native' ? 'sha256' : $after) . '|f',
			"$system: $id after a rehash");
	}
	return;
}

# Says that no text in the sample's table is right for any client, but secrets in clear.
sub check_stored
{
	my ($system, $table, $column) = @_;
	is( $node->safe_psql(
			$system,
			qq{SELECT count(*) FROM $table AS t, mogo.mogo_clients AS c
			WHERE mogo.mogo_verify(c.client_id, t.$column)}),
		0,
		"$system: the stored texts themselves are refused");
	return;
}

my @systems = (
	[ 'Ory Hydra', 'hydra', 1, 0, 'hydra_client', 'client_secret' ],
	[ 'Keycloak', 'keycloak', 1, 1 ],
	[ 'Duende IdentityServer', 'duende', 1, 0, '"ClientSecrets"', '"Value"' ],
	[
		'django-oauth-toolkit',
		'django',
		0,
		0,
		'(SELECT * FROM oauth2_provider_application WHERE hash_client_secret)',
		'client_secret'
	],
	[
		'Spring Authorization Server', 'spring',
		0, 0,
		'oauth2_registered_client', 'client_secret'
	]);
for (@systems)
{
	my ($heading, $system, $further, $disabled, $table, $column) = @$_;
	prepare($system);
	file('old_clients.csv',
		psql_file($system, file('export.sql', block($heading)), '--csv'));
	psql_file($system, file('import.sql', $import));
	check($system, $further, $disabled);
	check_stored($system, $table, $column) if defined $table;
}

# The properties, once
is( $node->safe_psql(
		'hydra',
		q{SELECT external_id, client_name, scopes, metadata FROM mogo.mogo_clients ORDER BY client_name COLLATE "C"}
	),
	qq{billing-service|Billing|{read,write}|{"team": "billing"}\n|Warehouse|{}|{}\nhttps://client.example/mcp|https://client.example/mcp|{read}|{}},
	'hydra: names, scopes, metadata');
is( $node->safe_psql(
		'keycloak',
		q{SELECT c.external_id, c.scopes, s.label, extract(epoch FROM s.expires_at)::bigint FROM mogo.mogo_clients AS c
		JOIN mogo.mogo_secrets AS s USING (client_id) WHERE c.external_id = 'orders' ORDER BY s.label NULLS FIRST}
	),
	"orders|{read,write}||\norders|{read,write}|rotated|4102444800",
	'keycloak: scopes, and the end of the rotated secret');
is( $node->safe_psql(
		'duende',
		q{SELECT s.label, s.expires_at AT TIME ZONE 'UTC' FROM mogo.mogo_secrets AS s
		WHERE client_name = 'Client Credentials Client' ORDER BY s.label NULLS FIRST}
	),
	"|2100-01-01 00:00:00\nfrom June|",
	'duende: descriptions and ends, in UTC');

# MySQL's client writes tabs and NULL; psql can do that too.
prepare('unkey');
my $tsv = psql_file('unkey', file('export.sql', block('Unkey')),
	'-A', '-F', "\t", '-P', 'null=NULL', '-P', 'footer=off');
file('old_clients.tsv', $tsv);
my $copy = block('Unkey', 1);
psql_file('unkey', file('import.sql', $import =~ s/^\\copy .*\n/$copy/mr));
check('unkey', 0, 0);
check_stored('unkey', 'unkey.keys', 'hash');

# Vault's own command is played by a script, which makes a secret at each request.
prepare('vault');
file('export.sh', block('Vault AppRole'));
{
	local $ENV{PATH} = "$samples:$ENV{PATH}";
	local $ENV{MADE_SECRETS} = "$dir/made";
	system("sh '$dir/export.sh' > '$dir/old_clients.csv'") == 0 or die;
}
my %role = (
	billing => '581f6d2a-1c1c-4c9a-9a4e-1a3f5e6b7c8d',
	ci => 'ci-pipeline',
	reports => '0c9a1f3e-6a5b-4d2c-8e7f-9b8a7c6d5e4f');
$clients{vault} = [
	map { my ($r, $s) = split; [ $role{$r}, $s, 'native' ] }
	  split /\n/,
	slurp_file("$dir/made")
];
psql_file('vault', file('import.sql', $import));
check('vault', 0, 0);
is( $node->safe_psql(
		'vault',
		q{SELECT client_name, scopes FROM mogo.mogo_clients ORDER BY 1}),
	"billing|{default,billing}\nci|{}\nreports|{}",
	'vault: names and policies');

# A row that cannot come over is named, and nothing came in.
$node->safe_psql('spring', 'TRUNCATE mogo.mogo_client, mogo.mogo_secret');
file(
	'old_clients.csv',
	psql_file(
		'spring', file('export.sql', block('Spring Authorization Server')),
		'--csv') =~ s/\{bcrypt\}/{argon2}/r);
my ($out, $err) = ('', '');
{
	my $cwd = getcwd();
	chdir $dir or die $!;
	file('import.sql', $import);
	IPC::Run::run(
		[
			'psql', '-X',
			'-v', 'ON_ERROR_STOP=1',
			'-d', $node->connstr('spring'),
			'-f', 'import.sql'
		],
		'>' => \$out,
		'2>' => \$err);
	chdir $cwd or die $!;
}
like(
	$err,
	qr/ERROR:  secret is not a bcrypt hash\n.*CONTEXT:  client "Messaging"/s,
	'a row that cannot come over is named');
is($node->safe_psql('spring', 'SELECT count(*) FROM mogo.mogo_clients'),
	0, 'and nothing came in');

# The page's other queries, where they stand
is( $node->safe_psql('keycloak', block('Step by step', 1)),
	"Orders|orders\nPartner|0e1c2a3b-4d5e-4f60-8172-93a4b5c6d7e8\nstock|stock",
	'who has not come yet');
is($node->safe_psql('django', block('Getting rid of slow hashes', 1)),
	"bcrypt|1\nsha256|3", 'which hashes are left');
$node->stop;
done_testing();
