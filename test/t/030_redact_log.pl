
# No secret in the server's log.
#
# The attack: somebody reads the log of a server on which every kind of logging
# is on. Each case below is one way in which a secret used to get there; it
# takes a secret of its own, does what a client would do, and at the end all of
# them are looked for in every file of every log destination, whole, in parts,
# and as the byte values that debug_print_plan prints. Beside that the log must
# stay useful: the cases say what has to be in it.
#
# Redaction goes by the functions' names, so functions of the same names stand
# in for the extension's here: they can wait, fail and take locks as needed.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use RedactSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('redact');
$node->init;
my $major = RedactSession::major();
my @kinds = ('stderr', 'csvlog', $major >= 15 ? 'jsonlog' : ());
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'auto_explain,mogocred'
logging_collector = on
log_destination = '@{[join ",", @kinds]}'
log_filename = 'server.log'
log_line_prefix = '%m [%p] %q%u\@%d/%a %e '
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_lock_waits = on
log_temp_files = 0
deadlock_timeout = 100ms
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
auto_explain.log_analyze = on
auto_explain.log_nested_statements = on
@{[$major >= 16 ? 'auto_explain.log_parameter_max_length = -1' : '']}
restart_after_crash = on
max_prepared_transactions = 2
CONF
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE rows (id int PRIMARY KEY, v text);
INSERT INTO rows VALUES (1, 'a'), (2, 'b');
CREATE TABLE mogo_notes (note text);
CREATE VIEW mogo_clients AS SELECT 'n'::text AS client_name;
CREATE FUNCTION mogo_verify(id text, secret text) RETURNS boolean PARALLEL SAFE
	LANGUAGE plpgsql AS 'BEGIN RETURN id = secret; END';
CREATE FUNCTION mogo_verify(id uuid, secret text) RETURNS boolean
	LANGUAGE plpgsql AS 'BEGIN RETURN false; END';
CREATE FUNCTION mogo_verify_status(id text, secret text) RETURNS text
	LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(120); RETURN id; END';
CREATE FUNCTION mogo_authenticate(id text, secret text) RETURNS SETOF text
	LANGUAGE sql AS 'SELECT id FROM generate_series(1, 3)';
CREATE FUNCTION mogo_rotate_secret(id int, secret text) RETURNS void
	LANGUAGE plpgsql AS 'BEGIN UPDATE rows SET v = v WHERE rows.id = $1; END';
CREATE FUNCTION mogo_import_client(id text, secret text) RETURNS int
	LANGUAGE plpgsql AS 'BEGIN RETURN (secret || ''x'')::int; END';
CREATE ROLE stranger LOGIN;
REVOKE EXECUTE ON FUNCTION mogo_import_client FROM PUBLIC;
SQL

# --- secrets, and the log as the test sees it ---------------------------------

my %secrets;

# A new secret, in the default format, that belongs to the case.
sub secret
{
	my ($case) = @_;
	my $s = sprintf '%08x-%04x-%04x-%04x-%08x%04x', map { int rand 2**$_ } 32, 16, 16, 16, 32, 16;
	$s =~ s/^./e/;		# so that it is no number, and an identifier up to its first dash
	push @{ $secrets{$case} }, $s;
	return $s;
}

sub log_files { return ($node->logfile, glob $node->data_dir . '/log/server*'); }

my $mark = 0;
my $stderr_log = $node->data_dir . '/log/server.log';

# Waits until all that was logged has reached the files, and returns what has
# come to the log since the last call.
my $serial = 0;
sub new_log
{
	my $n = 'marker-' . ++$serial;
	$node->safe_psql('postgres', "SELECT '$n'");
	my $log = '';
	for (1 .. 1800)
	{
		$log = slurp_file($stderr_log, $mark);
		last if $log =~ /statement: SELECT '$n'.*?^\S+ \S+ \S+ \[\d+\] [^\n]*duration: /ms;
		select undef, undef, undef, 0.1;
	}
	$mark += length $log;
	return $log;
}

# One case: what is done, and what the log must say about it.
sub case
{
	my ($name, $code, @patterns) = @_;
	new_log();
	$code->();
	my $log = new_log();
	like($log, $_, "$name: the log says $_") for @patterns;
	return $log;
}

# Waits until a query about pg_stat_activity or pg_locks is true.
sub wait_for { $node->poll_query_until('postgres', $_[0]) or die "timed out: $_[0]"; return; }

my $s = RedactSession->new($node);
my $mask = qr/<redacted by mogocred: mogo_[\w.]+>/;

# --- simple statements ----------------------------------------------------------

case 'a literal (log_statement, duration, auto_explain)', sub {
	my $x = secret('literal');
	$s->query("SELECT mogo_verify('id', '$x')");
	is($s->rows, 'f', 'the client gets its answer');
  },
  qr{\[\d+\] \w+\@postgres/redact-test 00000 LOG:  statement: <redacted by mogocred: mogo_verify>\n},
  qr{LOG:  duration: \d+\.\d+ ms\n},
  qr{LOG:  duration: \d+\.\d+ ms  plan: <redacted by mogocred: mogo_verify>\n};

case 'duration logging of its own', sub {
	my $x = secret('duration only');
	$s->query("SET log_statement = none");
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query("SET log_statement = 'all'");
  }, qr{LOG:  duration: \d+\.\d+ ms  statement: $mask\n};

for my $form (
	'SELECT MOGO_Verify /* a comment */ (%s, %s)',
	'SELECT "mogo_verify"(%s, %s)',
	'SELECT public . mogo_verify(%s, %s)',
	'SELECT U&"\006dogo_verify"(%s, %s)',
	'SELECT u&"!+00006dogo!005fverify" uescape \'!\' (%s, %s)',
	'SELECT U&"\006dogo_verify" AS U&"""d\00zz" FROM (SELECT %s, %s) x',
	'SELECT U&"mogo_verif+0079" -- note
	 UESCAPE /* and */ \'+\' (%s, %s)',
	'SELECT U&"!006dogo_verify" UESCAPE E\'!\' (%s, %s)',
	'SELECT U&"!006dogo_verify" UESCAPE $$!$$ (%s, %s)',
	"SELECT U&\"!006dogo_verify\" UESCAPE ''\n'!' (%s, %s)",
	'DO \'BEGIN PERFORM U&"!006dogo_verify" UESCAPE \'\'!\'\' (\'%s\', \'%s\'); END\'',
	'SELECT mogo_verfy /* mistyped */ (%s, %s)',
	"SELECT mogo_verify(\$\$id\$\$, \$x\$%s\$x\$) -- %s",
	"SELECT mogo_verify(E'\\x69d', U&%s) -- %s",
	'WITH a AS (SELECT %2$s AS v) SELECT mogo_verify(%1$s, v) FROM a')
{
	case "spelled $form", sub {
		my $x = secret("form $form");
		$s->query(sprintf $form, "'$x'", "'$x'");
	}, qr{$mask};
}

case 'several statements in one string, the secret in another one', sub {
	my $x = secret('multi');
	$s->query("SELECT set_config('my.secret', '$x', false); SELECT mogo_verify('id', current_setting('my.secret'))");
  }, qr{statement: $mask\n};

# --- the extended protocol --------------------------------------------------------

case 'bound parameters', sub {
	my $x = secret('bound');
	$s->params('SELECT mogo_verify($1, $2::text)', 'id', $x);
	is($s->rows, 'f', 'the client gets its answer');
  },
  qr{LOG:  execute <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n\S+ \S+ \S+ \[\d+\] [^\n]*DETAIL:  The detail was redacted by mogocred\.\n},
  qr{LOG:  duration: \d+\.\d+ ms  bind <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n},
  qr{LOG:  duration: \d+\.\d+ ms  parse <unnamed>: SELECT mogo_verify\(\$1, \$2::text\)\n};

case 'a literal in the extended protocol', sub {
	my $x = secret('extended literal');
	$s->params("SELECT mogo_verify('id', '$x')");
	my $y = secret('named literal');
	$s->send(RedactSession::msg_parse('named', "SELECT mogo_verify('id', '$y')"),
		RedactSession::msg_bind('named'), RedactSession::msg_execute(),
		RedactSession::msg_bind('named'), RedactSession::msg_execute(), RedactSession::msg_sync())->wait_ready;
  },
  qr{duration: \d+\.\d+ ms  parse named: $mask\n},
  qr{duration: \d+\.\d+ ms  bind named: $mask\n},
  qr{LOG:  execute named: $mask\n};

case 'a parameter that its type refuses (the message and CONTEXT quote it)', sub {
	my $x = secret('refused parameter') . 'x';
	$s->params('SELECT mogo_verify($1::uuid, $2)', $x, 'v');
	like($s->errors, qr/^22P02: .*"$x"/, 'the client gets its message');
  },
  qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n},
  qr{STATEMENT:  SELECT mogo_verify\(\$1::uuid, \$2\)\n};

case 'an error while the statement runs (CONTEXT: portal with parameters)', sub {
	my $x = secret('failing parameter');
	$s->params('SELECT mogo_import_client($1, $2)', 'id', $x);
	like($s->errors, qr/^22P02: .*"${x}x"/, 'the client gets its message');
  },
  qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n};

case 'a fast-path call whose argument is refused: there is no statement at all', sub {
	my $oid = $node->safe_psql('postgres', q(SELECT 'mogo_verify(uuid,text)'::regprocedure::oid));
	my $x = secret('fast path');
	$s->fastpath($oid, $x . 'x', 'id');
	like($s->errors, qr/^22P02: .*"${x}x"/, 'the client gets its message');
	my $int = $node->safe_psql('postgres', q(SELECT 'int4in'::regproc::oid));
	$s->fastpath($oid, $x, secret('fast path 2'));
  },
  qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n},
  qr{LOG:  fastpath function call: "mogo_verify" \(OID \d+\)\n};

# --- PREPARE and EXECUTE ------------------------------------------------------------

$s->query('PREPARE p (text, text) AS SELECT mogo_verify($1, $2)');
$s->query('PREPARE "P Q" (text, text) AS SELECT mogo_verify($1, $2)');
$s->query('PREPARE "P""Q" (text, text) AS SELECT mogo_verify($1, $2)');
$s->query("PREPARE \"\xc3\xa9\" (text, text) AS SELECT mogo_verify(\$1, \$2)");
$s->query('PREPARE ' . 'n' x 80 . ' (text, text) AS SELECT mogo_verify($1, $2)');
$s->send(RedactSession::msg_parse('driver', 'SELECT mogo_verify($1, $2)', 25, 25),
	RedactSession::msg_sync())->wait_ready;
for my $form (
	"EXECUTE p('id', %s)", "execute/**/P ('id', %s)", "EXECUTE -- x\n\"p\"('id', %s)",
	"EXECUTE \"P Q\"('id', %s)", "EXECUTE U&\"P\\0020Q\"('id', %s)", "EXECUTE \"P\"\"Q\"('id', %s)",
	"EXECUTE U&\"\\00e9\"('id', %s)", "EXECUTE U&\"!0070\" UESCAPE E'!' ('id', %s)",
	'EXECUTE ' . 'N' x 80 . "('id', %s)", "EXECUTE driver('id', %s)",
	"EXPLAIN ANALYZE EXECUTE p('id', %s)", "CREATE TEMP TABLE t1 AS EXECUTE p('id', %s)",
	"DO \$\$ BEGIN EXECUTE 'EXECUTE p(''id'', '%s')'; END \$\$",
	"PREPARE q AS SELECT mogo_verify('id', %s)",
	"EXECUTE q; SELECT %s", "EXECUTE p('id', %s, 'one too many')",
	"EXECUTE p('id', %s || 1/0)", "EXECUTE p('id', %s); DEALLOCATE p")
{
	case "prepared: $form", sub {
		my $x = secret($form);
		$s->query(sprintf $form, "'$x'");
	}, qr{statement: $mask\n};
}

case 'prepared and executed in one string, then dropped', sub {
	my $x = secret('one string');
	$s->query("PREPARE r(text) AS SELECT mogo_verify('id', \$1); EXECUTE r('$x'); DEALLOCATE r; SELECT 1/0");
	like($s->errors, qr/^22012/);
  }, qr{22012 ERROR:  division by zero\n[^\n]*STATEMENT:  $mask\n};

case 'executed and dropped, and then something that has the string judged anew', sub {
	my $x = secret('judged anew');
	$s->query('PREPARE once(text) AS SELECT mogo_verify(\'id\', $1)');
	$s->query('SET log_statement = none');
	$s->query("EXECUTE once('$x'); DEALLOCATE once; EXPLAIN SELECT 1");
	$s->query('SET log_statement = "all"');
  }, qr{duration: \d+\.\d+ ms  statement: $mask\n};

case 'prepared by a function, executed in the same string', sub {
	$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION prepare_late() RETURNS void LANGUAGE plpgsql AS
$$ BEGIN EXECUTE 'PREPARE late(text) AS SELECT mogo_verify(''id'', $1)'; END $$
SQL
	my $x = secret('late');
	$s->query('SET log_statement = none');	# it is logged before anybody can know
	$s->query("SELECT prepare_late(); EXECUTE late('$x'); DEALLOCATE late");
	$s->query('SET log_statement = "all"');
  }, qr{duration: \d+\.\d+ ms  statement: $mask\n};

# --- statements around statements ------------------------------------------------------

my $n = 0;
for my $form (
	'DO $$ BEGIN PERFORM mogo_verify(\'id\', \'%s\'); END $$',
	'DO $$ BEGIN EXECUTE \'SELECT mogo_verify(\'\'id\'\', \'\'%s\'\')\'; END $$',
	"DO E'BEGIN PERFORM\\nmogo_verify(\\'id\\', \\'%s\\'); END'",
	'DO $$ BEGIN RAISE WARNING \'%s\'; PERFORM mogo_verify(NULL::text, NULL); END $$',
	'DO $$ BEGIN RAISE EXCEPTION \'%1$s\' USING DETAIL = \'%1$s\', HINT = \'%1$s\', ERRCODE = \'40001\'; PERFORM mogo_verify(NULL::text, NULL); END $$',
	'DO $$ DECLARE i int; BEGIN PERFORM mogo_verify(\'id\', \'%1$s\'); i := \'%1$s\'; END $$',
	'COPY (SELECT mogo_verify(\'id\', \'%s\')) TO STDOUT',
	'COPY rows FROM STDIN WHERE mogo_verify(v, \'%s\')',
	'EXPLAIN (ANALYZE, VERBOSE) SELECT mogo_verify(\'id\', \'%s\') FROM rows WHERE mogo_verify(v, \'%1$s\')',
	'CREATE TEMP TABLE t2 AS SELECT mogo_verify(\'id\', \'%s\')',
	'CREATE FUNCTION login%d() RETURNS boolean LANGUAGE sql AS $$ SELECT mogo_verify(\'id\', \'%s\') $$',
	'CREATE FUNCTION bad%d() RETURNS boolean LANGUAGE sql AS $$ SELECT mogo_verify(\'id\', \'%s\') FROM nowhere $$',
	'CREATE FUNCTION worse%d() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN SELECT mogo_verify(\'id\', \'%s\'; END $$',
	'CREATE VIEW view%d AS SELECT mogo_verify(\'id\', \'%s\')',
	'COMMENT ON FUNCTION mogo_rotate_secret IS \'%s\'',
	'SELECT mogo_verify(1, \'%s\')',
	'SELECT mogo_verify(\'id\', \'%s\'',
	'SELECT mogo_verify(id, %s)',
	'SELECT mogo_verify($1, %s)',
	'SELECT mogo_verify(\'id\', "%s")',
	'SELECT mogo_verify(\'%s\'::uuid, \'%1$sx\'::uuid::text)',
	'SELECT mogo_verfiy(\'id\', \'%s\')',
	'SELECT "public"."mogo_login" (\'id\', \'%s\')',
	'SELCT mogo_verify(\'id\', \'%s\')',
	'SELECT mogo_verify(\'id\', \'%s)',
	'SELECT * FROM mogo_authenticate(\'id\', \'%s\') a(x, y)')
{
	case "around: $form", sub {
		my $x = secret($form);
		my $text = $form =~ /%d/ ? sprintf($form, ++$n, $x) : sprintf($form, $x);
		$s->query($text);
	}, qr{$mask};
}

for my $form ('SELECT mogo_verify(1, %s)', 'SELECT mogo_verify(1, "%s")')
{
	case "a secret that is one word, without its quotes: $form", sub {
		my $x = secret("word in $form");
		$x =~ tr/-//d;
		push @{ $secrets{"word in $form"} }, $x;
		$s->query(sprintf $form, $x);
		like($s->errors, qr/^42703/);
	}, qr{LOG:  statement: $mask\n}, qr{42703 LOG:  ERROR:  column "%s" does not exist $mask at character 23\n};
}

case 'a query inside (QUERY) with a message that is safe to show', sub {
	my $x = secret('inner query');
	$s->query("DO \$\$ BEGIN EXECUTE 'SELECT mogo_verify(1, ''$x'')'; END \$\$");
	like($s->errors, qr/^42883/);
  }, qr{42883 LOG:  ERROR:  function mogo_verify\(integer, unknown\) does not exist\n};

case 'a cursor: FETCH and COMMIT run what they do not name', sub {
	my ($x, $y, $z) = map { secret("cursor $_") } 1 .. 3;
	$s->query('BEGIN');
	$s->query("DECLARE c CURSOR FOR SELECT mogo_verify(('${x}' || v)::uuid, 'v') FROM rows");
	$s->query('FETCH ALL FROM c');
	like($s->errors, qr/"${x}a"/, 'the client gets its message');
	$s->query('ROLLBACK');
	$s->query('BEGIN');
	$s->query("DECLARE c CURSOR WITH HOLD FOR SELECT mogo_verify(('${y}' || v)::uuid, 'v') FROM rows");
	$s->query('COMMIT');
	like($s->errors, qr/"${y}a"/, 'the client gets its message');
	$s->query('BEGIN');
	$s->query("DECLARE c CURSOR FOR SELECT * FROM mogo_authenticate('id', '$z')");
	$s->query('FETCH 1 FROM c');
	$s->query('CLOSE c');
	$s->query('COMMIT');
  },
  qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n},
  qr{LOG:  statement: FETCH ALL FROM c\n}, qr{duration: \d+\.\d+ ms  plan: $mask\n};

case 'a portal of the extended protocol, whose statement has no literal, and a FETCH from it', sub {
	my $other = RedactSession->new($node);	# one that has not seen a literal yet
	my $x = secret('portal');
	$other->query('BEGIN');
	$other->send(RedactSession::msg_parse('st', 'SELECT mogo_verify(($1 || v)::uuid, $1) FROM rows', 25),
		B => "portal\0st\0" . pack('nnN', 0, 1, length $x) . $x . pack('n', 0), RedactSession::msg_sync())->wait_ready;
	$other->query('FETCH ALL FROM portal');
	like($other->errors, qr/^22P02: .*"${x}a"/, 'the client gets its message');
	$other->close;
  }, qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n};

case 'a cancel that comes while a record is replaced', sub {
	my $x = secret('cancelled record');
	$s->query("DO \$\$ BEGIN RAISE LOG '%', pg_cancel_backend(pg_backend_pid()) || ' mogo_verify $x';
		EXCEPTION WHEN query_canceled THEN PERFORM '$x'::int; END \$\$");
	like($s->errors, qr/^22P02: .*"$x"/, 'the client gets its message');
  }, qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n};

case 'a function around ours whose body holds the secret (CONTEXT, QUERY)', sub {
	my ($x, $y) = map { secret("wrapper $_") } 1 .. 2;
	$s->query("CREATE FUNCTION wrap() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN RETURN mogo_verify('${x}x'::uuid, 'v'); END \$\$");
	$s->query('SELECT wrap()');
	like($s->errors, qr/"${x}x"/, 'the client gets its message');
	$s->query("CREATE FUNCTION wrap2() RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN EXECUTE 'SELECT mogo_verify(''$y''::x, 1)'; END \$\$");
	$s->query('SELECT wrap2()');
  }, qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n};

case 'a statement refused in a failed transaction', sub {
	my $x = secret('aborted');
	$s->query('BEGIN');
	$s->query('SELECT 1/0');
	$s->query("SELECT mogo_verify('id', '$x')");
	like($s->errors, qr/^25P02/);
	$s->query('ROLLBACK');
  }, qr{25P02 ERROR:  current transaction is aborted.*?\n[^\n]*STATEMENT:  $mask\n};

case 'debugging output: the statement at DEBUG2, the trees with each constant\'s bytes', sub {
	my $x = secret('debug');
	$s->query("SET log_min_messages = debug2; SET debug_print_parse = on; SET debug_print_plan = on; SET debug_print_rewritten = on");
	$s->params("SELECT mogo_verify('id', '$x')");
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query("RESET log_min_messages; RESET debug_print_parse; RESET debug_print_plan; RESET debug_print_rewritten");
  }, qr{LOG:  DEBUG:  parse <unnamed>: $mask\n}, qr{LOG:  message $mask\n};

case 'statistics of the parser, planner and executor', sub {
	my $x = secret('ShowUsage');
	$s->query('SET log_executor_stats = on');
	$s->query("SELECT mogo_verify('id', '$x')");
	$s->query('RESET log_executor_stats');
  }, qr{LOG:  EXECUTOR STATISTICS\n[^\n]*DETAIL:  ! system usage stats:};

case 'a temporary file of such a statement', sub {
	my $x = secret('temporary file');
	$s->query("SET work_mem = '64kB'");
	$s->query("SELECT count(*) FROM (SELECT mogo_verify('id', '$x'), i FROM generate_series(1, 20000) i ORDER BY repeat(i::text, 10)) x");
	$s->query('RESET work_mem');
  }, qr{LOG:  temporary file: path "base/pgsql_tmp/[^"]+", size \d+\n[^\n]*STATEMENT:  $mask\n};

case 'a list of memory contexts, which shows the beginnings of prepared statements', sub {
	my ($x, $y) = map { secret("memory contexts $_") } 1 .. 2;
	$s->query("PREPARE m1 AS SELECT mogo_verify('id', '$x')");
	$s->query("PREPARE m2 AS SELECT '$y' AS v, '" . 'x' x 100 . "', mogo_verify('id', '$x')");
	$s->query("PREPARE m3 AS SELECT 'plain 15'");
	my $lines = sub { my $n = () = slurp_file($stderr_log, $mark) =~ /Grand total/g; return $n };
	$node->safe_psql('postgres', 'SELECT pg_log_backend_memory_contexts(' . $s->pid . ')');
	for (1 .. 1800) { last if $lines->() >= 1; select undef, undef, undef, 0.1; }
	$s->start("SELECT mogo_verify_status('id', '$x')");
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = " . $s->pid . " AND wait_event = 'PgSleep'");
	$node->safe_psql('postgres', 'SELECT pg_log_backend_memory_contexts(' . $s->pid . ')');
	for (1 .. 1800) { last if $lines->() >= 2; select undef, undef, undef, 0.1; }
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $s->pid . ')');
	$s->wait_ready;
  },
  qr{LOG:  level: \d+; CachedPlanSource: \d+ total in \d+ blocks; \d+ free \(\d+ chunks\); \d+ used: $mask\n},
  qr{CachedPlanSource: .* used: PREPARE m3 AS SELECT 'plain 15'\n},
  qr{LOG:  level: \d+; TopMemoryContext: \d+ total}, qr{57014 ERROR:  canceling};

case 'messages of less than a warning', sub {
	my @x = map { secret("level $_") } 1 .. 2;
	$s->query('SET log_min_messages = info');
	$s->query("DO \$\$ BEGIN PERFORM mogo_verify('id', 'x'); RAISE NOTICE 'it is %', '$x[0]'; RAISE INFO 'it is %', '$x[1]'; END \$\$");
	$s->query('RESET log_min_messages');
  }, qr{LOG:  NOTICE:  message $mask\n}, qr{LOG:  INFO:  message $mask\n};

case 'no statement below an error (log_min_error_statement = log stands above it)', sub {
	my $x = secret('no statement');
	$s->query('SET log_min_error_statement = log');
	$s->query("SELECT mogo_verify('id', 'x'), '$x'::int");
	$s->query('RESET log_min_error_statement');
  }, qr{22P02 LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask at character \d+\n(?![^\n]*STATEMENT)};

case 'a number with a letter in it: it may be the beginning of a secret without its quotes', sub {
	$s->query('SELECT mogo_verify(NULL::text, NULL), 4e1');
	is($s->errors, '', 'the client gets its answer');
  }, qr{statement: $mask\n};

case 'permission denied', sub {
	my $x = secret('denied');
	my $other = RedactSession->new($node, user => 'stranger');
	$other->query("SELECT mogo_import_client('id', '$x')");
	like($other->errors, qr/^42501/);
	$other->close;
  }, qr{stranger\@postgres/redact-test 42501 ERROR:  permission denied for function mogo_import_client\n[^\n]*STATEMENT:  $mask\n};

# --- statements that are stopped, and those that wait -----------------------------------

case 'a timeout and a cancel', sub {
	my ($x, $y, $z) = map { secret("stopped $_") } 1 .. 3;
	$s->query('SET statement_timeout = 200');
	$s->query("SELECT mogo_verify_status('id', '$x')");
	like($s->errors, qr/^57014/);
	$s->query("DO \$\$ BEGIN PERFORM mogo_verify_status('id', '$z'); END \$\$");
	$s->query('RESET statement_timeout');
	$s->start("SELECT mogo_verify_status('id', '$y')");
	my $waits = "pid = " . $s->pid . " AND wait_event = 'PgSleep'";
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE $waits");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE $waits");
	$s->wait_ready;
  },
  qr{57014 ERROR:  canceling statement due to statement timeout\n(?:[^\n]*CONTEXT: [^\n]*\n\t?[^\n]*\n)?[^\n]*STATEMENT:  <redacted by mogocred: mogo_verify_status>\n},
  qr{57014 LOG:  ERROR:  canceling statement due to statement timeout\n[^\n]*STATEMENT:  $mask\n},
  qr{57014 ERROR:  canceling statement due to user request\n};

case 'a session that is ended', sub {
	my $x = secret('ended');
	my $other = RedactSession->new($node);
	$other->start("SELECT mogo_verify_status('id', '$x')");
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = " . $other->pid . " AND wait_event = 'PgSleep'");
	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $other->pid . ')');
	$other->wait_ready;
  }, qr{57P01 FATAL:  terminating connection due to administrator command\n};

my $a = RedactSession->new($node);
my $b = RedactSession->new($node);
my $blocked = sub { my ($p) = @_; wait_for("SELECT cardinality(pg_blocking_pids($p)) > 0") };

case 'a lock wait', sub {
	my ($x, $y) = map { secret("lock wait $_") } 1 .. 2;
	$_->query('BEGIN') for $a, $b;
	$a->query("SELECT mogo_rotate_secret(1, '$x')");
	$b->start("SELECT mogo_rotate_secret(1, '$y')");
	for (1 .. 1800)
	{
		last if slurp_file($stderr_log, $mark) =~ /still waiting/;
		select undef, undef, undef, 0.1;
	}
	$a->query('ROLLBACK');
	$b->wait_ready->query('ROLLBACK');
  },
  qr{00000 LOG:  process \d+ still waiting for ShareLock on transaction \d+ after \d+\.\d+ ms\n\S+ \S+ \S+ \[\d+\] [^\n]*DETAIL:  Process holding the lock: \d+\. Wait queue: \d+\.\n},
  qr{00000 LOG:  process \d+ acquired ShareLock on transaction \d+ after \d+\.\d+ ms\n},
  qr{STATEMENT:  <redacted by mogocred: mogo_rotate_secret>\n};

my $log = case 'lock waits and a deadlock between two of ours', sub {
	my ($x, $y, $z, $w) = map { secret("deadlock $_") } 1 .. 4;
	$_->query('BEGIN') for $a, $b;
	$a->query("SELECT mogo_rotate_secret(1, '$x')");
	$b->query("SELECT mogo_rotate_secret(2, '$y')");
	$a->start("SELECT mogo_rotate_secret(2, '$z')");
	$blocked->($a->pid);
	$b->start("SELECT mogo_rotate_secret(1, '$w')");
	$_->wait_ready for $a, $b;
	like($a->errors . $b->errors, qr/^40P01: deadlock detected$/, 'there was one');
	$_->query('ROLLBACK') for $a, $b;
  },
  qr{00000 LOG:  process \d+ detected deadlock while waiting for ShareLock on transaction \d+ after \d+\.\d+ ms\n},
  qr{deadlock detected\n[^\n]*DETAIL:  Process \d+ waits for ShareLock on transaction \d+; blocked by process \d+\.\n\tProcess \d+ waits};
like($log, qr{Process \d+: $mask\n\tProcess \d+: $mask\n}, 'and both statements, masked');

case 'a deadlock reported by a session that has nothing to do with us', sub {
	my ($x, $y) = map { secret("deadlock with us $_") } 1 .. 2;
	$_->query('BEGIN') for $a, $b;
	$b->query('SET LOCAL deadlock_timeout = 1000000');
	$a->query("UPDATE rows SET v = 'unrelated 1' WHERE id = 1");
	$b->query("SELECT mogo_rotate_secret(2, '$x')");
	$b->start("SELECT mogo_rotate_secret(1, '$y')");
	$blocked->($b->pid);
	$a->query("UPDATE rows SET v = 'unrelated 2' WHERE id = 2");
	like($a->errors, qr/^40P01/, 'it was the victim');
	$b->wait_ready;
	$_->query('ROLLBACK') for $a, $b;
  },
  qr{40P01 ERROR:  deadlock detected\n.*?Process \d+: UPDATE rows SET v = 'unrelated 2' WHERE id = 2\n\tProcess \d+: $mask\n.*?STATEMENT:  UPDATE rows SET v = 'unrelated 2' WHERE id = 2\n}s;

case 'the same where our statement waits inside parse analysis, not masked yet', sub {
	my $x = secret('deadlock in parse analysis');
	$_->query('BEGIN') for $a, $b;
	$b->query('SET LOCAL deadlock_timeout = 1000000');
	$a->query('LOCK TABLE mogo_notes');
	$b->query('LOCK TABLE rows');
	$b->start("SELECT mogo_verify(note, '$x') FROM mogo_notes");
	$blocked->($b->pid);
	$a->query("SELECT 'unrelated 3' FROM rows");
	like($a->errors, qr/^40P01/, 'it was the victim');
	$b->wait_ready;
	$_->query('ROLLBACK') for $a, $b;
  },
  qr{40P01 LOG:  ERROR:  deadlock detected at character \d+\n[^\n]*DETAIL:  Process \d+ waits for \w+ on relation \d+ of database \d+; blocked by process \d+\.\n\tProcess \d+ waits},
  qr{STATEMENT:  SELECT 'unrelated 3' FROM rows\n};

# --- parallel workers ---------------------------------------------------------------------

case 'an error in a parallel worker, which logs it too', sub {
	my $x = secret('parallel');
	$s->query($major >= 16 ? 'SET debug_parallel_query = on' : 'SET force_parallel_mode = on');
	$s->query("SELECT mogo_verify('id', v::int::text || '$x') FROM rows WHERE v = 'a'");
	like($s->errors, qr/^22P02/);
	$s->query("SELECT mogo_verify('id', ('$x' || v)::int::text) FROM rows WHERE v = 'a'");
	like($s->errors, qr/^22P02.*"${x}a"/);
	$s->query($major >= 16 ? 'RESET debug_parallel_query' : 'RESET force_parallel_mode');
  }, qr{\[\d+\] LOG:  ERROR:  invalid input syntax for type %s: "%s" $mask\n},
  qr{22P02 LOG:  ERROR:  message $mask\n[^\n]*CONTEXT:  parallel worker\n};

# --- texts made to be expensive ---------------------------------------------------------------

# Each EXECUTE could have the rest of the text read, or a long prepared statement.
{
	$s->query('PREPARE long AS SELECT ' . join ',', 1 .. 1600);
	$s->query("SET statement_timeout = '60s'");
	for my $piece ('execute/*', 'u&""/*', 'EXECUTE long ', 'mogo_x ', 'mogo_x (')
	{
		$s->query("SELECT '" . $piece x (1_000_000 / length $piece) . "' IS NULL");
		is($s->rows, 'f', "a million characters of $piece");
	}
	$s->query('RESET statement_timeout');
}

# --- what has nothing to do with us ----------------------------------------------------------

case 'unrelated statements', sub {
	$s->query("SELECT 'plain literal 1', * FROM mogo_clients WHERE client_name = 'plain 2'");
	$s->query("INSERT INTO mogo_notes (note) VALUES ('plain 3')");
	$s->params('SELECT $1::text, $2::text', 'plain 4', 'plain 5');
	$s->query("PREPARE u(text) AS SELECT \$1");
	$s->query("EXECUTE u('plain 6')");
	$s->query("DO \$\$ BEGIN RAISE EXCEPTION 'plain %', 7; END \$\$");
	$s->params('SELECT $1::int', 'plain 8');
	$s->query("SELECT 'plain 9'::int");
	$s->query("SELECT U&\"plain\\0061\" FROM (SELECT 1 AS plaina) x WHERE 'plain 10' <> ''");
	$s->query("SELECT 'mogo_verifies', 'plain 11'");
	$s->query("CREATE TABLE public.mogo_more (x text DEFAULT 'plain 13'); INSERT INTO \"public\".\"mogo_more\" (x) VALUES ('plain 14')");
  },
  qr{LOG:  statement: SELECT 'plain literal 1', \* FROM mogo_clients WHERE client_name = 'plain 2'\n},
  qr{LOG:  duration: \d+\.\d+ ms  plan:\n\tQuery Text: SELECT 'plain literal 1'},
  qr{LOG:  statement: INSERT INTO mogo_notes \(note\) VALUES \('plain 3'\)\n},
  qr{LOG:  execute <unnamed>: SELECT \$1::text, \$2::text\n[^\n]*DETAIL:  [Pp]arameters: \$1 = 'plain 4', \$2 = 'plain 5'\n},
  qr{LOG:  statement: EXECUTE u\('plain 6'\)\n[^\n]*DETAIL:  prepare: PREPARE u},
  qr{P0001 ERROR:  plain 7\n[^\n]*CONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE\n[^\n]*STATEMENT:  DO \$\$ BEGIN RAISE EXCEPTION 'plain %', 7; END \$\$\n},
  qr{22P02 ERROR:  invalid input syntax for type integer: "plain 8"\n[^\n]*CONTEXT:  unnamed portal parameter \$1 = 'plain 8'\n},
  qr{22P02 ERROR:  invalid input syntax for type integer: "plain 9" at character 8\n},
  qr{statement: SELECT U&"plain\\0061" FROM .* 'plain 10' <> ''\n},
  qr{statement: SELECT 'mogo_verifies', 'plain 11'\n},
  qr{statement: CREATE TABLE .*'plain 13'\); INSERT .*'plain 14'\)\n};

case 'an error of an unrelated statement right after one of ours', sub {
	my $x = secret('before');
	$s->query("SELECT mogo_import_client('id', '$x')");
	$s->query("SELECT 'plain 12'::int");
  }, qr{22P02 ERROR:  invalid input syntax for type integer: "plain 12" at character 8\n[^\n]*STATEMENT:  SELECT 'plain 12'::int\n};

# --- a crash: the postmaster quotes what the process ran ----------------------------------------

# The crash takes all processes along: these end by themselves first, so that what was
# counted in them for make check-coverage is kept.
$_->close for $s, $a, $b;
{
	my $x = secret('crash');
	my $other = RedactSession->new($node);
	$other->start("SELECT mogo_verify_status('id', '$x')");
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = " . $other->pid . " AND wait_event = 'PgSleep'");
	kill 'KILL', $other->pid;
	for (1 .. 1800)
	{
		last if slurp_file($stderr_log, $mark) =~ /was terminated by signal 9.* ready to accept connections/s;
		select undef, undef, undef, 0.1;
	}
	$node->poll_query_until('postgres', 'SELECT true') or die 'no restart';
	like(new_log(), qr{LOG:  (?:server process|client backend) \(PID \d+\) was terminated by signal 9: Killed\n[^\n]*DETAIL:  Failed process was running: <redacted by mogocred: mogo_verify_status>\n},
		'a crash: the log says what ran, masked');
}

# --- the scan ---------------------------------------------------------------------------------------

new_log();
my @files = log_files();
cmp_ok(scalar(@files), '>=', 1 + @kinds, 'there is a file for each destination');
my %text = map { $_ => slurp_file($_) } @files;
like($text{$_}, qr/plain 12/, "$_ has the log") for grep { /server\./ } @files;

# Where a secret shows: whole, its first or last part, its bytes in decimal.
sub shows
{
	my ($secret, $text) = @_;
	my @parts = ($secret, $secret =~ /^(\w+)/, $secret =~ /(\w+)$/);
	return grep { $text =~ /\Q$_\E/i } @parts, join ' ', map { ord } split //, substr $secret, 0, 6;
}

for my $case (sort keys %secrets)
{
	my @found = grep { my $f = $_; grep { shows($_, $text{$f}) } @{ $secrets{$case} } } @files;
	is("@found", '', "no secret: $case");
}

# --- and that the scan can find one -------------------------------------------------------------------

$s = RedactSession->new($node);
$s->query('SET mogocred.redact_statements = off');
my $shown = secret('off');
$s->query("SELECT mogo_verify('id', '$shown')");
new_log();
ok(scalar(shows($shown, slurp_file($_))), "redaction off: the secret is in $_") for grep { /server\./ } @files;

$s = RedactSession->new($node, user => 'stranger');
$s->query('SET mogocred.redact_statements = off');
like($s->errors, qr/^42501/, 'only a superuser turns it off');

$node->stop;
done_testing();
