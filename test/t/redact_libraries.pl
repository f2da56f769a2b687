# Redaction beside the libraries that print or keep statements, loaded before mogocred and
# after it: pgaudit, auto_explain in each of its formats, pg_stat_statements.
#
# pgaudit's class, command and object are what an auditor needs: they stay, for calls of
# ours too, and so does every other statement.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use RedactLog;
use ProtocolSession;
use Test::More;

my $major = ProtocolSession::major();
my ($libdir) = split /\n/, `pg_config --pkglibdir`;
my $pgaudit = -e "$libdir/pgaudit.so" ? 'pgaudit,' : '';

for my $order ('first', 'last')
{
	my $others = "${pgaudit}auto_explain,pg_stat_statements";
	my $server =
	  RedactLog->new("libraries_$order",
		$order eq 'first' ? "mogocred,$others" : "$others,mogocred",
		<<"CONF");
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
auto_explain.log_nested_statements = on
pg_stat_statements.track = all
@{[$pgaudit ? "pgaudit.log = all\npgaudit.log_relation = on" : '']}
CONF
	my $node = $server->node;
	$node->safe_psql('postgres',
		'CREATE EXTENSION mogocred CASCADE; CREATE EXTENSION pg_stat_statements; CREATE ROLE auditor'
	);
	my $s = $server->session;

	for my $format ('text', 'json', 'yaml', 'xml')
	{
		$s->query("SET auto_explain.log_format = $format");
		my ($x, $y, $z) =
		  map { $server->secret("$order: $format $_") } 1 .. 3;
		my $quote = $format eq 'json' || $format eq 'yaml' ? '\\"' : '"';
		$server->case(
			"mogocred $order, auto_explain, $format",
			sub {
				$s->query(
					"SELECT public.\"mogo_verify\"('id', '$x') AS \"a b\" -- don't\n, '$x'"
				);
				$s->params('SELECT mogo_verify($1, $2), $2', 'id', $y);
				$s->query(
					"SELECT mogo_verify(a, b) FROM (VALUES ('id', '$z')) AS v (a, b) WHERE b <> 'x\"y'"
				);
				$s->query(
					"SELECT 'plain $format', \$\$mogo_verify('x')\$\$ -- mogo_verify('x')"
				);
			},
			qr{public\.\Q$quote\Emogo_verify\Q$quote\E\('\*\*\*', '\*\*\*'\) AS \Q${quote}a b$quote\E -- don't(?:\\n|\n\t)},
			qr{mogo_verify\('\*\*\*'::text, '\*\*\*'::text\)},
			$major >= 16
			? qr{Query.Parameters[^\n]*\$1 = '\*\*\*', \$2 = '\*\*\*'}
			: (),
			qr{plan:.*SELECT 'plain $format', \$\$mogo_verify\('x'\)\$\$ -- mogo_verify\('x'\)}s
		);
	}
	$s->query("SET auto_explain.log_format = text");

  SKIP:
	{
		skip 'no pgaudit for this server', 1 unless $pgaudit;
		for my $parameters ('off', 'on')
		{
			$s->query("SET pgaudit.log_parameter = $parameters");
			my ($x, $y, $z, $w) = map {
				$server->secret("$order: pgaudit, parameters $parameters $_")
			} 1 .. 4;
			my $none = $parameters eq 'on' ? '<none>' : '<not logged>';
			my $masked = $parameters eq 'on' ? '\*\*\*' : '<not logged>';
			my $plain =
			  $parameters eq 'on' ? '"plain 1,plain 2"' : '<not logged>';
			$server->case(
				"mogocred $order, pgaudit, parameters $parameters",
				sub {
					$s->query("SELECT \"public\".mogo_verify('id', '$x')");
					$s->params('SELECT mogo_verify($1, $2)', 'id', $y);
					$s->params(
						'SELECT mogo_credentials_json($1, gen_random_uuid(), $2)',
						'a "b", c',
						$z);
					$s->query(
						"DO \$\$ BEGIN PERFORM mogo_verify('id', '$w'); END \$\$"
					);
					$s->params('SELECT $1::text, $2::text -- mogo_verify',
						'plain 1', 'plain 2');
					$s->query("GRANT pg_monitor TO auditor -- mogo_uses");
					$s->query(
						"SELECT client_id FROM mogo_add_client('plain $parameters')"
					);
				},
				qr{AUDIT: SESSION,\d+,\d+,READ,SELECT,,,"SELECT ""public""\.mogo_verify\('\*\*\*', '\*\*\*'\)",$none\n},
				qr{AUDIT: SESSION,\d+,\d+,FUNCTION,EXECUTE,FUNCTION,public\.mogo_verify,"SELECT ""public""\.mogo_verify},
				qr{AUDIT: SESSION,\d+,\d+,READ,SELECT,,,"SELECT mogo_verify\(\$1, \$2\)",$masked\n},
				qr{AUDIT: SESSION,\d+,\d+,READ,SELECT,,,"SELECT mogo_credentials_json\(\$1, gen_random_uuid\(\), \$2\)",$masked\n},
				qr{AUDIT: SESSION,\d+,\d+,FUNCTION,DO,,,"DO \$\$ BEGIN PERFORM mogo_verify\('\*\*\*', '\*\*\*'\); END \$\$",$none\n},
				qr{AUDIT: SESSION,\d+,\d+,READ,SELECT,,,"SELECT \$1::text, \$2::text -- mogo_verify",$plain\n},
				qr{AUDIT: SESSION,\d+,\d+,ROLE,GRANT ROLE,,,GRANT pg_monitor TO auditor -- mogo_uses,$none\n},
				qr{AUDIT: SESSION,\d+,\d+,READ,SELECT,,,SELECT client_id FROM mogo_add_client\('plain $parameters'\),$none\n}
			);
		}
	}

	my $texts = $node->safe_psql('postgres',
		'SELECT query, calls FROM pg_stat_statements');
	like(
		$texts,
		qr/^SELECT mogo_verify\(\$1, \$2\), \$2\|4$/m,
		"mogocred $order, pg_stat_statements: counted");
	unlike($texts, qr/$_/, "mogocred $order, pg_stat_statements: no secret")
	  for map { @$_ } values %{ $server->{secrets} };
	$s->close;
	$server->scan('plain text');
	$node->stop;
}

done_testing();
