# No secret in the server's log.
#
# The attack: somebody reads the log of a server on which every kind of logging is on.
# Each case below is one way in which a secret used to get there. It takes a secret of its
# own, does what a client would do, and at the end all of them are looked for in every file
# of every log format, whole, in parts, and as the byte values that debug_print_plan prints.
# Beside that the log must stay useful: the cases say what has to be in it. What must not be
# touched at all is in redact_untouched.pl.
#
# Redaction goes by the functions' names, so functions of the same names stand in for the
# extension's here: they can wait, fail and take locks as needed.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use RedactLog;
use ProtocolSession;
use Test::More;

my $major = ProtocolSession::major();
my $server = RedactLog->new('redact', 'auto_explain,mogocred', <<"CONF");
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
auto_explain.log_analyze = on
auto_explain.log_nested_statements = on
@{[$major >= 16 ? 'auto_explain.log_parameter_max_length = -1' : '']}
restart_after_crash = on
max_prepared_transactions = 2
CONF
my $node = $server->node;

sub secret { return $server->secret(@_) }
sub case   { my @args = @_; return $server->case(@args) }

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE rows (id int PRIMARY KEY, v text);
INSERT INTO rows VALUES (1, 'a'), (2, 'b');
CREATE TABLE notes (note text);
CREATE FUNCTION mogo_verify(id text, secret text) RETURNS boolean PARALLEL SAFE
	LANGUAGE plpgsql AS 'BEGIN RETURN id = secret; END';
CREATE FUNCTION mogo_verify(id uuid, secret text) RETURNS boolean
	LANGUAGE plpgsql AS 'BEGIN RETURN false; END';
CREATE FUNCTION mogo_verify_status(id text, secret text) RETURNS text
	LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(120); RETURN id; END';
CREATE FUNCTION mogo_authenticate(id text, secret text) RETURNS SETOF text
	LANGUAGE sql AS 'SELECT id FROM generate_series(1, 3)';
CREATE FUNCTION mogo_rehash_secret(id int, secret text) RETURNS void
	LANGUAGE plpgsql AS 'BEGIN UPDATE rows SET v = v WHERE rows.id = $1; END';
CREATE FUNCTION mogo_import_client(id text, secret text) RETURNS int
	LANGUAGE plpgsql AS 'BEGIN RETURN (secret || ''x'')::int; END';
CREATE TYPE mogo_credentials AS (client_name text, client_secret text);
CREATE FUNCTION name_of(mogo_credentials) RETURNS text LANGUAGE sql AS 'SELECT $1.client_name';
CREATE ROLE stranger LOGIN;
REVOKE EXECUTE ON FUNCTION mogo_import_client FROM PUBLIC;
SQL

my $s = $server->session;

# --- simple statements ----------------------------------------------------------

case 'a literal (log_statement, duration, auto_explain)', sub {
	my $x = secret('literal');
	$s->query("SELECT mogo_verify('id', '$x') AS a, 42 AS b -- note");
	is($s->rows, 'f', 'the client gets its answer');
  },
  qr{\[\d+\] \w+\@postgres/redact-test 00000 LOG:  statement: SELECT mogo_verify\('\*\*\*', '\*\*\*'\) AS a, 42 AS b -- note\n},
  qr{LOG:  duration: \d+\.\d+ ms\n},
  qr{LOG:  duration: \d+\.\d+ ms  plan:\n\tQuery Text: SELECT mogo_verify\('\*\*\*', '\*\*\*'\) AS a, 42 AS b -- note\n},
  qr{Output: mogo_verify\('\*\*\*'::text, '\*\*\*'::text\), 42\n};

case 'duration logging of its own', sub {
	my $x = secret('duration only');
	$s->query("SET log_statement = none");
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query("SET log_statement = 'all'");
  },
  qr{LOG:  duration: \d+\.\d+ ms  statement: SELECT mogo_verify\('\*\*\*', '\*\*\*'\)\n};

# What is sent (%s: the secret), and what the log says instead.
for my $form (
	[
		"SELECT MOGO_Verify /* a comment */ ('x', '%s')",
		"SELECT MOGO_Verify /* a comment */ ('***', '***')"
	],
	["SELECT \"mogo_verify\" -- x\n ('x', '%s')"],
	[
		"SELECT public . mogo_verify('x', '%s')",
		"SELECT public . mogo_verify('***', '***')"
	],
	[
		"SELECT \"public\".\"mogo_verify\"('x', '%s')",
		"SELECT \"public\".\"mogo_verify\"('***', '***')"
	],
	[
		'SELECT mogo_verify($$id$$, $x$%s$x$)',
		'SELECT mogo_verify($$***$$, $x$***$x$)'
	],
	[
		"SELECT mogo_verify(E'\\'x', E'%s\\\\')",
		"SELECT mogo_verify(E'***', E'***')"
	],
	[
		"SELECT mogo_verify(U&'x', u&'%s' UESCAPE '!')",
		"SELECT mogo_verify(U&'***', u&'***' UESCAPE '***')"
	],
	[
		"SELECT mogo_verify('it''s', '%s')",
		"SELECT mogo_verify('***', '***')"
	],
	["SELECT mogo_verify('x'\n'y', 'y'\n'%s')"],
	[
		"SELECT mogo_verify('x', ''), '%s' AS \"o'brien\"",
		"SELECT mogo_verify('***', '***'), '***' AS \"o'brien\""
	],
	[
		"SELECT 1 /* it's */ WHERE mogo_verify('x', '%s')",
		"SELECT 1 /* it's */ WHERE mogo_verify('***', '***')"
	],
	["SELECT 1 -- don't\n WHERE mogo_verify('x', '%s')"],
	[
		"SELECT r.id FROM rows r JOIN rows q ON mogo_verify(r.v, '%s')",
		"SELECT r.id FROM rows r JOIN rows q ON mogo_verify(r.v, '***')"
	],
	[
		"WITH a AS (SELECT '%s' AS v) SELECT mogo_verify('x', v) FROM a",
		"WITH a AS (SELECT '***' AS v) SELECT mogo_verify('***', v) FROM a"
	],
	[
		"SELECT set_config('my.secret', '%s', false); SELECT mogo_verify('x', current_setting('my.secret'))",
		"SELECT set_config('***', '***', false); SELECT mogo_verify('***', current_setting('***'))"
	],
	[
		"SELECT name_of('(x,%s)'::mogo_credentials)",
		"SELECT name_of('***'::mogo_credentials)"
	],
	[
		"SELECT mogo_verify(E'x'\n'a\\'%s\\'b', 'y')",
		"SELECT mogo_verify(E'***'\n\t'***', '***')"
	],
	["SET standard_conforming_strings = off; SELECT 1"],
	[
		"SELECT mogo_verify('a\\'b', '%s')",
		"SELECT mogo_verify('***', '***')",
		$major < 19
	],
	["SET standard_conforming_strings = on; SELECT 1"])
{
	my ($text, $logged, $only) = @$form;
	next if defined $only && !$only;
	next if $text =~ /standard_conforming/ && $major >= 19;
	case "spelled $text", sub {
		$s->query(
			$text =~ /%s/
			? sprintf $text, secret("form $text")
			: $text);
		is($s->errors, '', $text);
	}, defined $logged ? qr{statement: \Q$logged\E\n} : ();
}

if ($major >= 20)
{
	case
	  'a text cut by log_statement_max_length, behind the call and in front of it',
	  sub {
		my ($x, $y) = map { secret("cut $_") } 1 .. 2;
		$s->query('SET log_statement_max_length = 30');
		$s->query("SELECT mogo_verify('id', '$x') AS behind");
		$s->query("SELECT '$y', mogo_verify('id', 'x') AS before");
		$s->query("SET log_statement = none");
		$s->query("SELECT mogo_verify('id', '$x') AS behind");
		$s->query("SET log_statement = 'all'");
		$s->query('RESET log_statement_max_length');
	  },
	  qr{LOG:  statement: SELECT mogo_verify\('\*\*\*\n},
	  qr{LOG:  statement: SELECT '\*\*\*\n},
	  qr{LOG:  duration: \d+\.\d+ ms  statement: SELECT mogo_verify\('\*\*\*\n};
}

# --- the extended protocol --------------------------------------------------------

case 'bound parameters', sub {
	my $x = secret('bound');
	$s->params('SELECT mogo_verify($1, $2::text)', "it's", $x);
	is($s->rows, 'f', 'the client gets its answer');
  },
  qr{LOG:  execute <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n\S+ \S+ \S+ \[\d+\] [^\n]*DETAIL:  [Pp]arameters: \$1 = '\*\*\*', \$2 = '\*\*\*'\n},
  qr{LOG:  duration: \d+\.\d+ ms  bind <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n},
  qr{LOG:  duration: \d+\.\d+ ms  parse <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n},
  $major >= 16 ? qr{Query Parameters: \$1 = '\*\*\*', \$2 = '\*\*\*'\n} : ();

case 'a bound parameter of the type mogo_credentials', sub {
	my $x = secret('credentials');
	$s->params('SELECT name_of($1::public.mogo_credentials)', "(x,$x)");
	is($s->rows, 'x', 'the client gets its answer');
  },
  qr{LOG:  execute <unnamed>: SELECT name_of\(\$1::public.mogo_credentials\)\n[^\n]*DETAIL:  [Pp]arameters: \$1 = '\*\*\*'\n};

case 'a literal in the extended protocol', sub {
	my $x = secret('extended literal');
	$s->params("SELECT mogo_verify('id', '$x')");
	my $y = secret('named literal');
	$s->send(
		ProtocolSession::msg_parse('named', "SELECT mogo_verify('id', '$y')"),
		(ProtocolSession::msg_bind('named'), ProtocolSession::msg_execute())
		  x 2,
		ProtocolSession::msg_sync())->wait_ready;
  },
  map { qr{$_ SELECT mogo_verify\('\*\*\*', '\*\*\*'\)\n} }
  'duration: \d+\.\d+ ms  parse named:',
  'duration: \d+\.\d+ ms  bind named:', 'LOG:  execute named:';

case 'a parameter that its type refuses (the message and CONTEXT quote it)',
  sub {
	my $x = secret('refused parameter') . 'x';
	$s->params('SELECT mogo_verify($1::uuid, $2)', $x, 'v');
	like($s->errors, qr/^22P02: .*"$x"/, 'the client gets its message');
  },
  qr{22P02 ERROR:  invalid input syntax for type uuid: "\*\*\*"\n\S+ \S+ \S+ \[\d+\] [^\n]*CONTEXT:  unnamed portal parameter \$1 = '\*\*\*'\n},
  qr{STATEMENT:  SELECT mogo_verify\(\$1::uuid, \$2\)\n};

case 'a parameter with quotes that its type refuses', sub {
	my $x = secret('refused parameter with quotes');
	$s->params('SELECT mogo_verify($1::uuid, $2)', qq{a"$x"b}, 'v');
	like($s->errors, qr/^22P02: .*"a"$x"b"/, 'the client gets its message');
}, qr{22P02 ERROR:  invalid input syntax for type uuid: "\*\*\*"\n};

case 'a parameter that is not JSON (DETAIL and CONTEXT quote it)', sub {
	my $x = secret('JSON');
	$s->params(q{SELECT mogo_verify($1::json ->> 'a', 'v')}, qq({"a": $x}));
	like($s->errors, qr/^22P02: /, 'it is refused');
  },
  qr{22P02 ERROR:  invalid input syntax for type json\n[^\n]*DETAIL:  \*\*\*\n[^\n]*CONTEXT:  \*\*\*\n};

case 'an error while the statement runs (CONTEXT: portal with parameters)',
  sub {
	my $x = secret('failing parameter');
	$s->params('SELECT mogo_import_client($1, $2)', 'id', $x);
	like($s->errors, qr/^22P02: .*"${x}x"/, 'the client gets its message');
  },
  qr{22P02 ERROR:  invalid input syntax for type integer: "\*\*\*"\n[^\n]*CONTEXT:  PL/pgSQL function mogo_import_client\(text,text\) line 1 at RETURN\n\tunnamed portal with parameters: \$1 = '\*\*\*', \$2 = '\*\*\*'\n};

case
  'a fast-path call whose argument is refused: there is no statement at all',
  sub {
	my $oid = $node->safe_psql('postgres',
		q(SELECT 'mogo_verify(uuid,text)'::regprocedure::oid));
	my $x = secret('fast path');
	$s->fastpath($oid, $x . 'x', 'id');
	like($s->errors, qr/^22P02: .*"${x}x"/, 'the client gets its message');
  },
  qr{22P02 ERROR:  invalid input syntax for type uuid: "\*\*\*"\n},
  qr{LOG:  fastpath function call: "mogo_verify" \(OID \d+\)\n};

# --- PREPARE and EXECUTE ------------------------------------------------------------

$s->query('PREPARE p (text, text) AS SELECT mogo_verify($1, $2)');
$s->query('PREPARE "P Q" (text, text) AS SELECT mogo_verify($1, $2)');
$s->query('PREPARE "P""Q" (text, text) AS SELECT mogo_verify($1, $2)');
$s->query(
	"PREPARE \"\xc3\xa9\" (text, text) AS SELECT mogo_verify(\$1, \$2)");
$s->query(
	'PREPARE ' . 'n' x 80 . ' (text, text) AS SELECT mogo_verify($1, $2)');
$s->send(
	ProtocolSession::msg_parse(
		'driver', 'SELECT mogo_verify($1, $2)', 25, 25),
	ProtocolSession::msg_sync())->wait_ready;
for my $form (
	"EXECUTE p('id', '%s')",
	"execute/**/P ('id', '%s')",
	"EXECUTE -- x\n\"p\"('id', '%s')",
	"EXECUTE \"P Q\"('id', '%s')",
	"EXECUTE \"P\"\"Q\"('id', '%s')",
	"EXECUTE \xc3\xa9('id', '%s')",
	'EXECUTE ' . 'N' x 80 . "('id', '%s')",
	"EXECUTE driver('id', '%s')",
	"EXPLAIN ANALYZE EXECUTE p('id', '%s')",
	"CREATE TEMP TABLE t1 AS EXECUTE p('id', '%s')",
	"PREPARE q AS SELECT mogo_verify('id', '%s')",
	"EXECUTE q; SELECT '%s'",
	"EXECUTE p('id', '%s', 'one too many')",
	"EXECUTE p('id', '%s' || 1/0)",
	"EXECUTE p('id', '%s'); DEALLOCATE p")
{
	(my $logged = $form) =~ s/'[^']*'/'***'/g;
	$logged =~ s/\n/\n\t/g;
	case "prepared: $form", sub { $s->query(sprintf $form, secret($form)) },
	  qr{statement: \Q$logged\E\n};
}

case 'prepared and executed in one string, then dropped', sub {
	my $x = secret('one string');
	$s->query(
		"PREPARE r(text) AS SELECT mogo_verify('id', \$1); EXECUTE r('$x'); DEALLOCATE r; SELECT 1/0"
	);
	like($s->errors, qr/^22012/);
  },
  qr{22012 ERROR:  division by zero\n[^\n]*STATEMENT:  PREPARE r\(text\) AS SELECT mogo_verify\('\*\*\*', \$1\); EXECUTE r\('\*\*\*'\)};

case
  'executed and dropped: what it was is remembered to the end of the string',
  sub {
	my $x = secret('dropped');
	$s->query('PREPARE once(text) AS SELECT mogo_verify(\'id\', $1)');
	$s->query('SET log_statement = none');
	$s->query("EXECUTE once('$x'); DEALLOCATE once; EXPLAIN SELECT 1");
	$s->query('SET log_statement = "all"');
  },
  qr{duration: \d+\.\d+ ms  statement: EXECUTE once\('\*\*\*'\); DEALLOCATE once; EXPLAIN SELECT 1\n};

case 'prepared by a function, executed in the same string', sub {
	$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION prepare_late() RETURNS void LANGUAGE plpgsql AS
$$ BEGIN EXECUTE 'PREPARE late(text) AS SELECT mogo_verify(''id'', $1)'; END $$
SQL
	my $x = secret('late');
	$s->query('SET log_statement = none')
	  ;    # it is logged before anybody can know
	$s->query("SELECT prepare_late(); EXECUTE late('$x'); DEALLOCATE late");
	$s->query('SET log_statement = "all"');
  },
  qr{duration: \d+\.\d+ ms  statement: SELECT prepare_late\(\); EXECUTE late\('\*\*\*'\); DEALLOCATE late\n};

# --- statements around statements ------------------------------------------------------

my $n = 0;
for my $form (
	[
		"DO \$\$ BEGIN PERFORM mogo_verify('id', '%s'); END \$\$",
		"DO \$\$ BEGIN PERFORM mogo_verify('***', '***'); END \$\$"
	],
	[
		"DO LANGUAGE plpgsql \$x\$ BEGIN PERFORM mogo_verify('id', '%s'); END \$x\$",
		"DO LANGUAGE plpgsql \$x\$ BEGIN PERFORM mogo_verify('***', '***'); END \$x\$"
	],
	[ "DO 'BEGIN PERFORM mogo_verify(''id'', ''%s''); END'", "DO '***'" ],
	[
		"DO E'BEGIN PERFORM\\nmogo_verify(\\'id\\', \\'%s\\'); END'",
		"DO E'***'"
	],
	[
		"DO \$\$ BEGIN EXECUTE 'SELECT mogo_verify(''id'', ''%s'')'; END \$\$",
		"DO \$\$ BEGIN EXECUTE '***'; END \$\$"
	],
	[
		"DO \$\$ BEGIN EXECUTE 'SELECT mogo_verify(\$1, \$2)' USING 'id', '%s'; END \$\$",
		"DO \$\$ BEGIN EXECUTE '***' USING '***', '***'; END \$\$"
	],
	[
		"DO \$\$ BEGIN EXECUTE 'EXECUTE p(''id'', ''%s'')'; PERFORM mogo_verify(NULL::text, NULL); END \$\$"
	],
	[
		"DO \$\$ BEGIN RAISE WARNING '%s'; PERFORM mogo_verify(NULL::text, NULL); END \$\$",
		"DO \$\$ BEGIN RAISE WARNING '***'; PERFORM mogo_verify(NULL::text, NULL); END \$\$"
	],
	[
		"DO \$\$ BEGIN RAISE EXCEPTION '%1\$s' USING DETAIL = '%1\$s', HINT = '%1\$s', ERRCODE = '40001'; PERFORM mogo_verify(NULL::text, NULL); END \$\$"
	],
	[
		"DO \$\$ DECLARE i int; BEGIN PERFORM mogo_verify('id', '%1\$s'); i := '%1\$s'; END \$\$"
	],
	[
		"COPY (SELECT mogo_verify('id', '%s')) TO STDOUT",
		"COPY (SELECT mogo_verify('***', '***')) TO STDOUT"
	],
	[
		"COPY rows FROM STDIN WHERE mogo_verify(v, '%s')",
		"COPY rows FROM STDIN WHERE mogo_verify(v, '***')"
	],
	[
		"EXPLAIN (ANALYZE, VERBOSE) SELECT mogo_verify('id', '%s') FROM rows WHERE mogo_verify(v, '%1\$s')"
	],
	["CREATE TEMP TABLE t2 AS SELECT mogo_verify('id', '%s')"],
	[
		"CREATE FUNCTION login() RETURNS boolean LANGUAGE sql RETURN mogo_verify('id', '%s')",
		"CREATE FUNCTION login() RETURNS boolean LANGUAGE sql RETURN mogo_verify('***', '***')"
	],
	["CREATE VIEW v AS SELECT mogo_verify('id', '%s')"],
	[ "SELECT mogo_verify(1, '%s')", "SELECT mogo_verify(1, '***')" ],
	[ "SELECT mogo_verify('id', '%s'", "SELECT mogo_verify('***', '***'" ],
	[
		"DO \$\$ BEGIN PERFORM mogo_verify('id', '%s'); ",
		"DO \$\$ BEGIN PERFORM mogo_verify('***"
	],
	[ "SELECT mogo_verify('id', '%s)", "SELECT mogo_verify('***" ],
	[ "SELECT mogo_verify('id, '%s')", "SELECT mogo_verify('***" ],
	[ "SELECT mogo_verify(\"id, '%s')", "SELECT mogo_verify(\"***" ],
	[ "SELECT mogo_verify('id' '%s')", "SELECT mogo_verify('***' '***')" ],
	["SELECT mogo_verify('%1\$s'::uuid, '%1\$sx'::uuid::text)"],
	[ "SELCT mogo_verify('id', '%s')", "SELCT mogo_verify('***', '***')" ],
	["SELECT * FROM mogo_authenticate('id', '%s') a(x, y)"])
{
	my ($text, $logged) = @$form;
	case "around: $text", sub { $s->query(sprintf $text, secret($text)) },
	  defined $logged
	  ? qr{statement: \Q$logged\E\n|STATEMENT:  \Q$logged\E\n}
	  : qr{'\*\*\*'};
}

case 'a message keeps what is not a literal', sub {
	my $x = secret('syntax error');
	$s->query("SELCT mogo_verify('id', '$x')");
  },
  qr{42601 ERROR:  syntax error at or near "SELCT" at character 1\n[^\n]*STATEMENT:  SELCT mogo_verify\('\*\*\*', '\*\*\*'\)\n};

case 'a syntax error at a literal', sub {
	my ($x, $y) = map { secret("syntax error at $_") } 1 .. 2;
	$s->query("SELECT mogo_verify('id' '$x')");
	$s->query("SELECT mogo_verify('id', '$y)");
  },
  qr{42601 ERROR:  syntax error at or near "'\*\*\*'" at character 25\n},
  qr{42601 ERROR:  unterminated quoted string at or near "\*\*\*" at character 26\n};

case 'a query inside (QUERY), in the body of a function too', sub {
	my ($x, $y) = map { secret("inner query $_") } 1 .. 2;
	$s->query(
		"DO \$\$ BEGIN EXECUTE 'SELECT mogo_verify(1, ''$x'')'; END \$\$");
	like($s->errors, qr/^42883/);
	$s->query(
		"DO \$\$ BEGIN EXECUTE 'SELECT mogo_verify(''id'' ''$y'')'; END \$\$"
	);
  },
  qr{42883 ERROR:  function mogo_verify\(integer, unknown\) does not exist at character 8\n},
  qr{QUERY:  SELECT mogo_verify\(1, '\*\*\*'\)\n},
  qr{42601 ERROR:  syntax error at or near "'\*\*\*'" at character \d+\n};

case 'CONTEXT: the SQL of a function, and the expressions of PL/pgSQL', sub {
	my ($x, $y) = map { secret("context $_") } 1 .. 2;
	$s->query(
		"CREATE FUNCTION wrap() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN RETURN mogo_verify('${x}x'::uuid, 'v'); END \$\$"
	);
	$s->query('SET log_statement = none');
	$s->query('SELECT wrap()');
	like($s->errors, qr/"${x}x"/, 'the client gets its message');
	$s->query(
		"DO \$\$ DECLARE b boolean; BEGIN b := mogo_verify((SELECT v FROM rows r WHERE r.\"id\"\n= 1 / (length('$y') - 36)), '$y'); END \$\$"
	);
	like($s->errors, qr/^22012/, 'a failing assignment');
	$s->query('SET log_statement = "all"');
  },
  qr{22P02 ERROR:  invalid input syntax for type uuid: "\*\*\*"},
  qr{CONTEXT:  (?:PL/pgSQL assignment|SQL expression|PL/pgSQL expression) "[^\n]*\n[^\n]*'\*\*\*'},
  qr{PL/pgSQL function inline_code_block line 1 at assignment\n};
# the body of wrap() is data, and logged when it is made
delete $server->{secrets}{'context 1'};

case 'CONTEXT: SQL statement', sub {
	my $x = secret('SQL statement');
	$s->query(
		"DO \$\$ BEGIN PERFORM mogo_import_client('id', '$x'); END \$\$");
	like($s->errors, qr/^22P02.*"${x}x"/, 'the client gets its message');
  },
  qr{22P02 ERROR:  invalid input syntax for type integer: "\*\*\*"\n[^\n]*CONTEXT:  PL/pgSQL function mogo_import_client\(text,text\) line 1 at RETURN\n\tSQL statement "SELECT mogo_import_client\('\*\*\*', '\*\*\*'\)"\n\tPL/pgSQL function inline_code_block line 1 at PERFORM\n};

case 'a statement refused in a failed transaction', sub {
	my $x = secret('aborted');
	$s->query('BEGIN');
	$s->query('SELECT 1/0');
	$s->query("SELECT mogo_verify('id', '$x')");
	like($s->errors, qr/^25P02/);
	$s->query('ROLLBACK');
  },
  qr{25P02 ERROR:  current transaction is aborted.*?\n[^\n]*STATEMENT:  SELECT mogo_verify\('\*\*\*', '\*\*\*'\)\n};

case
  'debugging output: the statement at DEBUG2, the trees with each constant\'s bytes',
  sub {
	my $x = secret('debug');
	$s->query(
		"SET log_min_messages = debug2; SET debug_print_parse = on; SET debug_print_plan = on; SET debug_print_rewritten = on"
	);
	$s->params("SELECT mogo_verify('id', '$x')");
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query(
		"RESET log_min_messages; RESET debug_print_parse; RESET debug_print_plan; RESET debug_print_rewritten"
	);
  },
  qr{DEBUG:  parse <unnamed>: SELECT mogo_verify\('\*\*\*', '\*\*\*'\)\n},
  qr{LOG:  parse tree:\n[^\n]*DETAIL:  \*\*\*\n},
  qr{LOG:  plan:\n[^\n]*DETAIL:  \*\*\*\n};

for my $form (
	"EXECUTE driver('id', '%s')",
	"PREPARE tree AS SELECT mogo_verify('id', '%s')",
	"DO \$\$ BEGIN PERFORM mogo_verify('id', '%s'); END \$\$",
	"COPY (SELECT mogo_verify('id', '%s')) TO STDOUT",
	"CREATE VIEW tree AS SELECT mogo_verify('id', '%s')",
	"CREATE TEMP TABLE tree (a boolean DEFAULT mogo_verify('id', '%s'))")
{
	case "the tree of a utility statement: $form", sub {
		$s->query(
			'SET debug_print_parse = on; SET debug_print_rewritten = on');
		$s->query(sprintf $form, secret("tree of $form"));
		is($s->errors, '', $form);
		$s->query('RESET debug_print_parse; RESET debug_print_rewritten');
	}, qr{LOG:  parse tree:\n[^\n]*DETAIL:  \*\*\*\n};
}

case 'statistics of the executor', sub {
	my $x = secret('ShowUsage');
	$s->query('SET log_executor_stats = on');
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query('RESET log_executor_stats');
}, qr{LOG:  EXECUTOR STATISTICS\n[^\n]*DETAIL:  ! system usage stats:};

case 'a temporary file of such a statement', sub {
	my $x = secret('temporary file');
	$s->query("SET work_mem = '64kB'");
	$s->query(
		"SELECT count(*) FROM (SELECT mogo_verify('id', '$x'), i FROM generate_series(1, 20000) i ORDER BY repeat(i::text, 10)) x"
	);
	$s->query('RESET work_mem');
  },
  qr{LOG:  temporary file: path "base/pgsql_tmp/[^"]+", size \d+\n[^\n]*STATEMENT:  SELECT count\(\*\) FROM \(SELECT mogo_verify\('\*\*\*', '\*\*\*'\), i };

case
  'a list of memory contexts, which shows the beginnings of prepared statements',
  sub {
	my $x = secret('memory contexts');
	$s->query("PREPARE m1 AS SELECT mogo_verify('id', '$x')");
	$s->query("PREPARE m3 AS SELECT 'plain 15'");
	$node->safe_psql('postgres',
		'SELECT pg_log_backend_memory_contexts(' . $s->pid . ')');
	$server->wait_for_log(qr/Grand total/);
  },
  qr{LOG:  level: \d+; CachedPlanSource: \d+ total in \d+ blocks; \d+ free \(\d+ chunks\); \d+ used: PREPARE m1 AS SELECT mogo_verify\('\*\*\*', '\*\*\*'\)\n},
  qr{CachedPlanSource: .* used: PREPARE m3 AS SELECT 'plain 15'\n};

case 'messages of less than a warning', sub {
	my @x = map { secret("level $_") } 1 .. 2;
	$s->query('SET log_min_messages = info');
	$s->query(
		"DO \$\$ BEGIN PERFORM mogo_verify('id', 'x'); RAISE NOTICE 'it is %', '$x[0]'; RAISE INFO 'it is %', '$x[1]'; END \$\$"
	);
	$s->query('RESET log_min_messages');
}, qr{NOTICE:  it is \*\*\*\n}, qr{INFO:  it is \*\*\*\n};

case 'permission denied', sub {
	my $x = secret('denied');
	my $other = $server->session(user => 'stranger');
	$other->query("SELECT mogo_import_client('id', '$x')");
	like($other->errors, qr/^42501/);
	$other->close;
  },
  qr{stranger\@postgres/redact-test 42501 ERROR:  permission denied for function mogo_import_client\n[^\n]*STATEMENT:  SELECT mogo_import_client\('\*\*\*', '\*\*\*'\)\n};

# --- statements that are stopped, and those that wait -----------------------------------

case 'a timeout and a cancel', sub {
	my ($x, $y, $z) = map { secret("stopped $_") } 1 .. 3;
	$s->query('SET statement_timeout = 200');
	$s->query("SELECT mogo_verify_status('id', '$x')");
	like($s->errors, qr/^57014/);
	$s->query(
		"DO \$\$ BEGIN PERFORM mogo_verify_status('id', '$z'); END \$\$");
	$s->query('RESET statement_timeout');
	$s->start("SELECT mogo_verify_status('id', '$y')");
	$server->sleeps($s);
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $s->pid . ')');
	$s->wait_ready;
  },
  qr{57014 ERROR:  canceling statement due to statement timeout\n(?:[^\n]*CONTEXT: [^\n]*\n(?:\t[^\n]*\n)?)?[^\n]*STATEMENT:  SELECT mogo_verify_status\('\*\*\*', '\*\*\*'\)\n},
  qr{CONTEXT:  SQL statement "SELECT pg_sleep\(120\)"\n\tPL/pgSQL function mogo_verify_status\(text,text\) line 1 at PERFORM\n\tSQL statement "SELECT mogo_verify_status\('\*\*\*', '\*\*\*'\)"\n\tPL/pgSQL function inline_code_block line 1 at PERFORM\n},
  qr{57014 ERROR:  canceling statement due to user request\n};

case 'a session that is ended', sub {
	my $x = secret('ended');
	my $other = $server->session;
	$other->start("SELECT mogo_verify_status('id', '$x')");
	$server->sleeps($other);
	$node->safe_psql('postgres',
		'SELECT pg_terminate_backend(' . $other->pid . ')');
	$other->wait_ready;
}, qr{57P01 FATAL:  terminating connection due to administrator command\n};

my $first = $server->session;
my $second = $server->session;

case 'a lock wait', sub {
	my ($x, $y) = map { secret("lock wait $_") } 1 .. 2;
	$_->query('BEGIN') for $first, $second;
	$first->query("SELECT mogo_rehash_secret(1, '$x')");
	$second->start("SELECT mogo_rehash_secret(1, '$y')");
	$server->wait_for_log(qr/still waiting/);
	$first->query('ROLLBACK');
	$second->wait_ready->query('ROLLBACK');
  },
  qr{00000 LOG:  process \d+ still waiting for ShareLock on transaction \d+ after \d+\.\d+ ms\n\S+ \S+ \S+ \[\d+\] [^\n]*DETAIL:  Process holding the lock: \d+\. Wait queue: \d+\.\n},
  qr{00000 LOG:  process \d+ acquired ShareLock on transaction \d+ after \d+\.\d+ ms\n},
  qr{SQL statement "UPDATE rows SET v = v WHERE rows.id = \$1"\n},
  qr{STATEMENT:  SELECT mogo_rehash_secret\(1, '\*\*\*'\)\n};

case 'a deadlock between two of ours', sub {
	my ($x, $y, $z, $w) = map { secret("deadlock $_") } 1 .. 4;
	$_->query('BEGIN') for $first, $second;
	$first->query("SELECT mogo_rehash_secret(1, '$x')");
	$second->query("SELECT mogo_rehash_secret(2, '$y')");
	$first->start("SELECT mogo_rehash_secret(2, '$z')");
	$server->blocked($first);
	$second->start("SELECT mogo_rehash_secret(1, '$w')");
	$_->wait_ready for $first, $second;
	like(
		$first->errors . $second->errors,
		qr/^40P01: deadlock detected$/,
		'there was one');
	$_->query('ROLLBACK') for $first, $second;
  },
  qr{40P01 ERROR:  deadlock detected\n[^\n]*DETAIL:  Process \d+ waits for ShareLock on transaction \d+; blocked by process \d+\.\n\tProcess \d+ waits},
  qr{Process \d+: SELECT mogo_rehash_secret\([12], '\*\*\*'\)\n\tProcess \d+: SELECT mogo_rehash_secret\([12], '\*\*\*'\)\n};

case 'a deadlock reported by a session that has nothing to do with us', sub {
	my ($x, $y) = map { secret("deadlock with us $_") } 1 .. 2;
	$_->query('BEGIN') for $first, $second;
	$second->query('SET LOCAL deadlock_timeout = 1000000');
	$first->query("UPDATE rows SET v = 'unrelated 1' WHERE id = 1");
	$second->query("SELECT mogo_rehash_secret(2, '$x')");
	$second->start("SELECT mogo_rehash_secret(1, '$y')");
	$server->blocked($second);
	$first->query("UPDATE rows SET v = 'unrelated 2' WHERE id = 2");
	like($first->errors, qr/^40P01/, 'it was the victim');
	$second->wait_ready;
	$_->query('ROLLBACK') for $first, $second;
  },
  qr{40P01 ERROR:  deadlock detected\n.*?Process \d+: UPDATE rows SET v = 'unrelated 2' WHERE id = 2\n\tProcess \d+: SELECT mogo_rehash_secret\(1, '\*\*\*'\)\n.*?STATEMENT:  UPDATE rows SET v = 'unrelated 2' WHERE id = 2\n}s;

case
  'one of ours that waits inside parse analysis, its text as it was sent; the other\'s is cut',
  sub {
	my $x = secret('deadlock in parse analysis');
	$_->query('BEGIN') for $first, $second;
	$second->query('SET LOCAL deadlock_timeout = 1000000');
	$first->query('LOCK TABLE notes');
	$second->query('LOCK TABLE rows');
	$second->start("SELECT mogo_verify(note, '$x') FROM notes");
	$server->blocked($second);
	$first->query("SELECT 'unrelated 3" . 'x' x 2000 . "' FROM rows");
	like($first->errors, qr/^40P01/, 'it was the victim');
	$second->wait_ready;
	$_->query('ROLLBACK') for $first, $second;
  },
  qr{40P01 ERROR:  deadlock detected at character \d+\n[^\n]*DETAIL:  Process \d+ waits for \w+ on relation \d+ of database \d+; blocked by process \d+\.\n\tProcess \d+ waits},
  qr{Process \d+: SELECT 'unrelated 3x+\n\tProcess \d+: SELECT mogo_verify\(note, '\*\*\*'\) FROM notes\n};

# --- parallel workers ---------------------------------------------------------------------

case 'an error in a parallel worker, which logs it too', sub {
	my ($x, $y) = map { secret("parallel $_") } 1 .. 2;
	$s->query(
		$major >= 16
		? 'SET debug_parallel_query = on'
		: 'SET force_parallel_mode = on');
	$s->query(
		"SELECT mogo_verify('id', v::int::text || '$x') FROM rows WHERE v = 'a'"
	);
	like($s->errors, qr/^22P02/);
	$s->query(
		"SELECT mogo_verify('id', ('$y' || v)::int::text) FROM rows WHERE v = 'a'"
	);
	like($s->errors, qr/^22P02.*"${y}a"/, 'the client gets its message');
	$s->query(
		$major >= 16
		? 'RESET debug_parallel_query'
		: 'RESET force_parallel_mode');
  },
  qr{22P02 ERROR:  invalid input syntax for type integer: "\*\*\*"\n(?:[^\n]*CONTEXT:  parallel worker\n)?[^\n]*STATEMENT:  SELECT mogo_verify\('\*\*\*', v::int::text \|\| '\*\*\*'\) FROM rows WHERE v = '\*\*\*'\n};

# --- texts made to be expensive ---------------------------------------------------------------

$s->query('PREPARE long AS SELECT ' . join ',', 1 .. 1600);
$s->query("SET statement_timeout = '60s'");
for my $piece (
	'execute/*',
	'execute ',
	'EXECUTE long ',
	'mogo_verify ',
	'mogo_verify /*',
	'$a$',
	'"',
	'/*',
	'do $a$')
{
	$s->query("SELECT mogo_verify('x', 'y') -- "
		  . $piece x (1_000_000 / length $piece));
	is($s->rows, 'f', "a million characters of $piece");
	$s->query("SELECT mogo_verify('x', 'y') + "
		  . $piece x (100_000 / length $piece));
	like($s->errors, qr/^42/, "a hundred thousand in a statement: $piece");
}
$s->query('RESET statement_timeout');

case
  'a long message of a statement with so many literals that they are not looked for',
  sub {
	my $x = secret('many literals');
	$s->query("DO \$\$ BEGIN PERFORM mogo_verify('id', 'x'), ARRAY["
		  . join(',', ("'12345678'") x 12000)
		  . "]; RAISE EXCEPTION USING MESSAGE = repeat('y', 10000) || '$x'; END \$\$"
	);
	like($s->errors, qr/^P0001: y+$x$/, 'the client gets its message');
  }, qr{P0001 ERROR:  \*\*\*\n};

# --- a crash: the postmaster quotes what the process ran ----------------------------------------

# The crash takes all processes along: these end by themselves first, so that what was
# counted in them for make check-coverage is kept.
$_->close for $s, $first, $second;
{
	my $x = secret('crash');
	my $other = $server->session;
	$other->start("SELECT mogo_verify_status('id', '$x')");
	$server->sleeps($other);
	kill 'KILL', $other->pid;
	$server->wait_for_log(
		qr/was terminated by signal 9.* ready to accept connections/s);
	$node->poll_query_until('postgres', 'SELECT true') or die 'no restart';
	like(
		$server->new_log,
		qr{LOG:  (?:server process|client backend) \(PID \d+\) was terminated by signal 9: Killed\n[^\n]*DETAIL:  Failed process was running: SELECT mogo_verify_status\('\*\*\*', '\*\*\*'\)\n},
		'a crash: the log says what ran');
}

my @files = $server->scan('unrelated 3');

# --- and that the scan can find one -------------------------------------------------------------------

$s = $server->session;
$s->query('SET mogocred.redact_literals = off');
my $shown = $server->secret('off');
$s->query("SELECT mogo_verify('id', '$shown')");
$server->new_log;
ok(scalar(RedactLog::shows($shown, slurp_file($_))),
	"redaction off: the secret is in $_")
  for grep { /server\./ } @files;

$s = $server->session(user => 'stranger');
$s->query('SET mogocred.redact_literals = off');
like($s->errors, qr/^42501/, 'only a superuser turns it off');

$node->stop;
done_testing();
