# What redaction must not touch.
#
# The attack: a role without any right on mogocred, also in a database without the
# extension, hides what it does from the log and from pg_stat_activity: with one of our
# names in a comment, in a string, as a table's name, as an alias. All these are logged
# and shown as they were sent. Beside that, the honest mistakes of an administrator stay
# readable, and functions that take no secret are logged as everything is.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use RedactLog;
use ProtocolSession;
use Test::More;

my $server = RedactLog->new('untouched', 'mogocred,auto_explain', <<"CONF");
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
CONF
my $node = $server->node;
$node->safe_psql('postgres',
	'CREATE EXTENSION mogocred CASCADE; CREATE DATABASE elsewhere');
for my $database ('postgres', 'elsewhere')
{
	$node->safe_psql($database, <<'SQL');
GRANT CREATE ON SCHEMA public TO PUBLIC;
DO $$ BEGIN CREATE ROLE nobody LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
SQL
	my $s = $server->session(user => 'nobody', database => $database);
	my $n = 0;
	for my $form (
		"SELECT '%s' -- mogo_uses",
		"SELECT '%s' -- mogo_verify",
		"SELECT '%s' -- mogo_verify('x', 'y')",
		"SELECT '%s' /* mogo_verify('x') /* nested */ */",
		"SELECT '%s', 'mogo_verify(1)'",
		"SELECT '%s', \$\$ mogo_verify(1) \$\$",
		"SELECT '%s' AS mogo_verify",
		"SELECT '%s' AS \"mogo_verify(\"",
		"SELECT '%s' FROM (SELECT 1) AS mogo_verify",
		"SELECT '%s' AS xmogo_verify FROM (SELECT 1) AS mogo_verify_x (id)",
		"CREATE TABLE IF NOT EXISTS mogo_orders (id int, total text DEFAULT '%s')",
		"INSERT INTO mogo_orders (id, total) VALUES (1, '%s')",
		"ANALYZE mogo_orders (id)",
		"SELECT mogo_o.id FROM mogo_orders AS mogo_o (id, total) WHERE total = '%s'",
		"DO \$\$ BEGIN PERFORM '%s'; /* mogo_verify('x') */ END \$\$",
		"DO \$\$ BEGIN EXECUTE 'ANALYZE mogo_orders (id)'; END \$\$",
		"PREPARE other(text) AS SELECT \$1 -- mogo_verify(\$1)",
		"EXECUTE other('%s')",
		"DEALLOCATE other",
		"/* mogo_verify('%s') */",
		"SELECT '%s' WHERE 'mogo_credentials' <> ''")
	{
		(my $text = $form) =~ s/%s/'plain value ' . ++$n/e;
		my $log = $server->case(
			"$database: $text",
			sub { $s->query($text) },
			$text =~ m{^/\*}
			? ()
			: qr{nobody\@$database/redact-test \w+ LOG:  statement: \Q$text\E\n}
		);
		is($s->errors, '', $text);
		like($log, qr{Query Text: \Q$text\E\n}, 'auto_explain')
		  if $text =~ /^SELECT/;
		is( $node->safe_psql(
				'postgres',
				'SELECT query FROM pg_stat_activity WHERE pid = ' . $s->pid),
			$text,
			'pg_stat_activity');
	}
	$s->params('SELECT $1::text -- mogo_verify($1)', 'plain parameter');
	$server->case(
		"$database: a bound parameter",
		sub {
			$s->params('SELECT $1::text -- mogo_verify($1)',
				'plain parameter');
		},
		qr{execute <unnamed>: SELECT \$1::text -- mogo_verify\(\$1\)\n[^\n]*DETAIL:  [Pp]arameters: \$1 = 'plain parameter'\n}
	);
	$s->close;
}

# A session that has called us before is treated as any other.
my $s = $server->session;
my $secret = $server->secret('a call before');
$s->query("SELECT mogo_verify('id', '$secret')");
$s->query('PREPARE ours(text) AS SELECT mogo_verify($1, $1)');

$server->case(
	'functions that take no secret',
	sub {
		$s->query(
			"SELECT client_id FROM mogo_add_client('plain client', scopes => '{plain:scope}')"
		);
		$s->params(
			'SELECT mogo_update_client(client_id, client_name => $1) FROM mogo_clients',
			'plain bound name');
		$s->query("SELECT * FROM mogo_clients WHERE client_name = 'plain 2'");
	},
	qr{statement: SELECT client_id FROM mogo_add_client\('plain client', scopes => '\{plain:scope\}'\)\n},
	qr{DETAIL:  [Pp]arameters: \$1 = 'plain bound name'\n},
	qr{statement: SELECT \* FROM mogo_clients WHERE client_name = 'plain 2'\n}
);

$server->case(
	'mistakes',
	sub {
		$s->query("SELECT mogo_grant_verifier('shop_apo')");
		$s->query("SELECT mogo_add_client('plain client 3', 'tomorow')");
		$s->query("SELECT mogo_add_client('plain bound name')");
		$s->query("SELCT mogo_add_client('plain 4')");
		$s->query("SELECT 'plain 9'::int");
		$s->params('SELECT $1::int', 'plain 8');
		$s->query("DO \$\$ BEGIN RAISE EXCEPTION 'plain %', 7; END \$\$");
	},
	qr{42704 ERROR:  role "shop_apo" does not exist.*\n[^\n]*STATEMENT:  SELECT mogo_grant_verifier\('shop_apo'\)\n},
	qr{22007 ERROR:  invalid input syntax for type timestamp with time zone: "tomorow" at character 42\n[^\n]*STATEMENT:  SELECT mogo_add_client\('plain client 3', 'tomorow'\)\n},
	qr{23505 ERROR:  client name "plain bound name" already exists\n},
	qr{42601 ERROR:  syntax error at or near "SELCT" at character 1\n[^\n]*STATEMENT:  SELCT mogo_add_client\('plain 4'\)\n},
	qr{22P02 ERROR:  invalid input syntax for type integer: "plain 9" at character 8\n[^\n]*STATEMENT:  SELECT 'plain 9'::int\n},
	qr{22P02 ERROR:  invalid input syntax for type integer: "plain 8"\n[^\n]*CONTEXT:  unnamed portal parameter \$1 = 'plain 8'\n},
	qr{P0001 ERROR:  plain 7\n[^\n]*CONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE\n[^\n]*STATEMENT:  DO \$\$ BEGIN RAISE EXCEPTION 'plain %', 7; END \$\$\n}
);

$server->case(
	'mistakes in calls of ours: all but the literals',
	sub {
		$s->query("SELECT mogo_verify('id', nothing)");
		$s->query("SELECT mogo_verify('id') FROM mogo_client");
		$s->query("SELECT mogo_verify('id', 'x') FORM mogo_clients");
		$s->query(
			"SELECT mogo_import_client('plain bound name', gen_random_uuid(), 'sha257', repeat('x', 22))"
		);
	},
	qr{42703 ERROR:  column "nothing" does not exist at character 26\n[^\n]*STATEMENT:  SELECT mogo_verify\('\*\*\*', nothing\)\n},
	qr{42883 ERROR:  function mogo_verify\(unknown\) does not exist at character 8\n[^\n]*(?:HINT|DETAIL):  No function},
	qr{42601 ERROR:  syntax error at or near "mogo_clients" at character \d+\n},
	qr{22023 ERROR:  algorithm must be "sha256"[^\n]*\n(?:[^\n]*(?:HINT|CONTEXT): [^\n]*\n)*[^\n]*STATEMENT:  SELECT mogo_import_client\('\*\*\*', gen_random_uuid\(\), '\*\*\*', repeat\('\*\*\*', 22\)\)\n}
);

$s->close;
$server->scan('plain bound name');
$node->stop;
done_testing();
