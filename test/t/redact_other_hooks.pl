# Redaction beside another library with the same hook: that one goes on being called and
# sees each record once, as it reaches the log (it may ship them elsewhere). If it fails
# itself, redaction goes on. No library of PostgreSQL's has this hook, so one is made here.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use ProtocolSession;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $dir = "$PostgreSQL::Test::Utils::tmp_check/other_hooks";
mkdir $dir;
append_to_file("$dir/other_hooks.c", <<'C');
#include "postgres.h"
#include "fmgr.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);

/* Standard error is the log's file. Fails at one record, as where memory is short. */
static void
see(ErrorData *edata)
{
	if (MyProcPid != PostmasterPid && edata->message != NULL)
	{
		fprintf(stderr, "other hook: %s\n", edata->message);
		if (strstr(edata->message, "\"***\"") != NULL &&
			strstr(edata->message, "invalid input syntax") != NULL)
			elog(ERROR, "the other library fails");
	}
}

void
_PG_init(void)
{
	emit_log_hook = see;
}
C
my ($include) = split /\n/, `pg_config --includedir-server`;
command_ok(
	[
		'sh',
		'-c',
		"cc -shared -fPIC -I'$include' -o '$dir/other_hooks.so' '$dir/other_hooks.c'"
	],
	'a library with hooks');

my $node = server('other_hooks', <<"CONF");
shared_preload_libraries = '$dir/other_hooks,mogocred'
log_statement = all
log_min_duration_statement = 0
CONF
my $oid = $node->safe_psql('postgres',
	q{SELECT 'mogo_verify(text, text)'::regprocedure::oid});

my $secret = 'e1c2a3b4-5d6e-4f70-8192-a3b4c5d6e7f8';
my $s = ProtocolSession->new($node);
$s->query("SELECT 'plain'");
$s->query("SELECT mogo_verify('id', '$secret 1')");
$s->fastpath($oid, 'id', "$secret 2");
$s->query("SELECT mogo_verify('$secret 6'::uuid, 'x')");
$s->query("SELECT mogo_verify('id', '$secret 3'), '$secret 4'::int");
like($s->errors, qr/^(?:22P02|XX000)/,
	'an error, while the other library fails at the record');
$s->query("SELECT mogo_verify('id', '$secret 5')");
is($s->rows, 'f', 'the session goes on');
$s->close;
$node->stop;

my $log = slurp_file($node->logfile);
like(
	$log,
	qr/^other hook: statement: SELECT 'plain'$/m,
	'the other hook sees what is logged');
like(
	$log,
	qr/^other hook: statement: SELECT mogo_verify\('\*\*\*', '\*\*\*'\)$/m,
	'and what is redacted');
my $n = () =
  $log =~ /^other hook: invalid input syntax for type uuid: "\*\*\*"$/mg;
is($n, 1, 'an error that is redacted, once');
like($log, qr/the other library fails/, 'it did fail once');
unlike($log, qr/\Q$secret\E/,
	'neither it nor the log has a secret, before and after that');

done_testing();
