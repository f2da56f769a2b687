
# No secret on disk: every form of call of the extension's own functions.
#
# The attack: somebody gets the data directory, the WAL, the logs or a dump of
# a server on which every kind of logging was on. Every function that takes a secret is called with
# literals and with bound parameters, rightly and wrongly; then all that was
# secret is looked for, as text, as the bytes of a digest, and in base64: client
# secrets, their SHA-256 (which mogo_verify_digest accepts), Basic headers, and
# secrets that were given in the place of an id.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use Digest::SHA qw(sha256 sha256_hex);
use File::Find;
use MIME::Base64;
use ProtocolSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $major = ProtocolSession::major();
my $node = PostgreSQL::Test::Cluster->new('calls');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pg_stat_statements,auto_explain,mogocred'
logging_collector = on
log_destination = 'stderr,csvlog@{[$major >= 15 ? ',jsonlog' : '']}'
log_filename = 'server.log'
log_min_messages = debug1
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_error_verbosity = verbose
debug_print_parse = on
debug_print_plan = on
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
auto_explain.log_nested_statements = on
@{[$major >= 16 ? 'auto_explain.log_parameter_max_length = -1' : '']}
pg_stat_statements.track = all
wal_level = logical
CONF
$node->start;
$node->safe_psql('postgres',
	'CREATE EXTENSION mogocred CASCADE; CREATE EXTENSION pg_stat_statements');

my %secret;    # what it is => the bytes

# Keeps a client secret and all that is as good as it.
sub keep
{
	my ($what, $s, $id) = @_;
	$secret{$what} = $s;
	$secret{"$what, its digest"} = sha256($s);
	$secret{"$what, its digest in hex"} = sha256_hex($s);
	$secret{"$what, its digest in base64"} = encode_base64(sha256($s), '');
	$secret{"$what, as Basic"} = encode_base64("$id:$s", '') if $id;
	return $s;
}

sub made_up
{
	my ($what) = @_;
	return keep(
		$what,
		sprintf 'e%07x-%04x-%04x-%04x-%08x%04x',
		map { int rand 2**$_ } 28,
		16, 16, 16, 32, 16);
}

my $s = ProtocolSession->new($node);

# One call, with its arguments as literals and as parameters. Returns the first column.
sub call
{
	my ($sql, @args) = @_;
	my $literal = $sql;
	$literal =~
	  s/\$(\d+)/defined $args[$1 - 1] ? "'" . $args[$1 - 1] . "'" : 'NULL'/ge;
	my $result = $s->query($literal)->rows;
	my $by_parameters = $s->params($sql, @args)->rows;
	return ($result, $by_parameters);
}

# --- right calls ---------------------------------------------------------------------------

my ($id, $clear) = split /,/,
  $node->safe_psql('postgres',
	q(SELECT client_id || ',' || client_secret FROM mogo_add_client('first'))
  );
keep('an issued secret', $clear, $id);
my $name = 0;
for my $format ('uuid', 'token')
{
	$s->query("SET mogocred.secret_format = $format");
	my @two = (
		$s->query(
			"SELECT client_id || ',' || client_secret FROM mogo_add_client('literal $format')"
		)->rows,
		$s->params(
			'SELECT client_id || \',\' || client_secret FROM mogo_add_client($1)',
			"bound $format")->rows);
	keep("$format secret " . ++$name, (split /,/, $_)[1], (split /,/, $_)[0])
	  for @two;
}
is_deeply(
	[ call('SELECT mogo_verify($1, $2)', $id, $clear) ],
	[ 't', 't' ],
	'mogo_verify');
is_deeply(
	[
		call(
			'SELECT mogo_verify_digest($1, $2)',
			$id,
			'\x' . sha256_hex($clear))
	],
	[ 't', 't' ],
	'mogo_verify_digest');
is_deeply(
	[ call('SELECT mogo_verify_status($1, $2)', $id, $clear) ],
	[ 'valid', 'valid' ],
	'mogo_verify_status');
is_deeply(
	[ call('SELECT client_id FROM mogo_authenticate($1, $2)', $id, $clear) ],
	[ $id, $id ],
	'mogo_authenticate');
my $basic = 'Basic ' . encode_base64("$id:$clear", '');
is_deeply(
	[ call('SELECT client_id FROM mogo_authenticate_basic($1)', $basic) ],
	[ $id, $id ],
	'mogo_authenticate_basic');
like(
	join(
		'',
		call(
			'SELECT mogo_credentials_json($1, $2::uuid, $3)', 'first',
			$id, $clear)),
	qr/"$clear".*"$clear"/s,
	'mogo_credentials_json');

for my $row (call('SELECT row_to_json(c) FROM mogo_add_secret($1) AS c', $id))
{
	$row =~ /"client_secret":"([^"]+)"/ or die $row;
	keep('added secret ' . ++$name, $1, $id);
}
for my $row (
	call(
		'SELECT mogo_registration_json(c) FROM mogo_rotate_secret($1, $2) AS c',
		$id,
		'1 hour'))
{
	$row =~ /"client_secret":\s*"([^"]+)"/ or die $row;
	keep('rotated secret ' . ++$name, $1, $id);
}
for my $algorithm ('sha256', 'plain')
{
	for my $how ('literal', 'bound')
	{
		my $x = made_up("imported $algorithm, $how");
		my @args = (
			"imported $algorithm $how",
			$algorithm, $algorithm eq 'plain' ? $x : sha256_hex($x));
		if ($how eq 'literal')
		{
			$s->query(
				"SELECT mogo_import_client('$args[0]', gen_random_uuid(), '$args[1]', '$args[2]')"
			);
		}
		else
		{
			$s->params(
				'SELECT mogo_import_client($1, gen_random_uuid(), $2, $3)',
				@args);
		}
		is($s->errors, '', "mogo_import_client: $algorithm, $how");
		my $imported = $node->safe_psql('postgres',
			"SELECT client_id FROM mogo_clients WHERE client_name = '$args[0]'"
		);
		is_deeply(
			[ call('SELECT mogo_verify($1, $2)', $imported, $x) ],
			[ 't', 't' ],
			'... and it is recognised');
	}
}

# --- wrong ones ------------------------------------------------------------------------------

my $n = 0;
for my $form (
	'SELECT mogo_verify($1, $2)',
	'SELECT mogo_verify($2, $1)',
	'SELECT mogo_verify($1::uuid, $2)',
	'SELECT mogo_verify_digest($1, $2)',
	'SELECT mogo_verify_status($1, $2)',
	'SELECT * FROM mogo_authenticate($1, $2, $1::inet)',
	'SELECT mogo_authenticate_basic($1 || $2)',
	'SELECT mogo_import_client($1, gen_random_uuid(), $2, $1)',
	'SELECT mogo_import_client($1, $2::uuid, \'sha256\', $2)',
	'SELECT mogo_import_client($1, gen_random_uuid(), \'bcrypt\', $2)')
{
	# A client's name is no secret, and is kept: do not leave one behind.
	$s->query('BEGIN');
	$s->query('SAVEPOINT s');
	call($form, made_up('wrong ' . ++$n), made_up("wrong $n, too"));
	$s->query('ROLLBACK');
}

# A secret that somebody took for an id: it has a UUID's form.
my ($answer) = call('SELECT mogo_verify($1, $1::text)', $clear);
is($answer, 'f', 'mogo_verify, given a secret twice');

# --- the list of names in redact_scan.c is the extension's ----------------------------------------

# A statement that names the function behind a literal, and does not parse, so that any
# function will do: is the literal redacted?
for my $line (split /\n/, $node->safe_psql('postgres', <<'SQL'))
SELECT p.proname, bool_or(coalesce(p.proargnames, '{}') && ARRAY['client_secret', 'secret',
	'secret_digest', 'authorization_header', 'code', 'credentials'])
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mogocred')
GROUP BY 1 ORDER BY 1
SQL
{
	my ($function, $takes_secret) = split /\|/, $line;
	$s->query("SELECT 'no secret', $function(");
	my $shown = $takes_secret eq 't' ? '***' : 'no secret';
	is( $node->safe_psql(
			'postgres',
			'SELECT query FROM pg_stat_activity WHERE pid = ' . $s->pid),
		"SELECT '$shown', $function(",
		"$function: $shown");
}

# --- the scan ----------------------------------------------------------------------------------------

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ],
	'pg_dump');
$node->safe_psql('postgres', 'CHECKPOINT');
my $texts = $node->safe_psql('postgres',
	'SELECT string_agg(query, chr(10)) FROM pg_stat_statements');
like(
	$texts,
	qr/^SELECT mogo_verify\(\$1, \$2\)$/m,
	'pg_stat_statements has the parameterised statements');
$s->close;
$node->stop;

my @files = ($dump, $node->logfile);
find({ no_chdir => 1, wanted => sub { push @files, $_ if -f $_ } },
	$node->data_dir);
my $size = 0;
my %found;
my %seen = map { $_ => '' } ('imported plain literal', 'relation "%s"', $id);
for my $file (@files)
{
	my $content = slurp_file($file);
	$size += length $content;
	for my $what (keys %secret)
	{
		push @{ $found{$what} }, $file
		  if index($content, $secret{$what}) >= 0
		  or $secret{$what} =~ /^[\w-]+$/
		  && index(lc $content, lc $secret{$what}) >= 0;
	}
	for my $known (keys %seen)
	{
		$seen{$known} = $file if index($content, $known) >= 0;
	}
}
note(scalar(@files) . " files, $size bytes, " . keys(%secret) . ' secrets');
is(join(' ', @{ $found{$_} || [] }), '', "nowhere: $_") for sort keys %secret;
ok($seen{'imported plain literal'}, 'while a client\'s name is found');
like(
	slurp_file($node->data_dir . '/log/server.log'),
	qr/LOG:  \w+: duration: [0-9.]+ ms  plan:\n\tQuery Text: SELECT mogo_verify\('\*\*\*', '\*\*\*'\)/,
	'the log was written');

done_testing();
