# The attack: an administrator, a token service or a portal, none of whom may read a hash,
# has PostgreSQL print the parse trees and plans of the statements that run as the tables'
# owner, by settings that every role may change, and reads the hashes there that these
# statements compare and store. The same with auto_explain, if the DBA has it explain
# nested statements.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use MogoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = server('plans', <<'CONF');
shared_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_verbose = on
CONF
my $bcrypt = 'f5100000-0000-4000-8000-000000000001';
$node->safe_psql(
	'postgres', qq{
	CREATE ROLE clerk LOGIN;
	SELECT mogo_grant_admin('clerk'), mogo_grant_portal('clerk');
	SET mogocred.bcrypt_cost = 4;
	SELECT mogo_import_client('old', '$bcrypt', 'bcrypt',
		crypt('a secret of long ago', gen_salt('bf', 4)), generated => true)});
my $victim = issue($node, 'victim');

# How a hash's text looks in a plan: as bytes, or as it is.
my @labels = ('sha256$', '$2a$');
my $hash = join '|', map {
	(quotemeta, join ' ', map { ord } split //)
} @labels;

# Runs statements as the administrator with all that prints plans; returns what is printed.
sub printed
{
	my ($sql) = @_;
	my ($out, $err);
	$node->psql(
		'postgres',
		"SET client_min_messages = log; SET debug_print_parse = on; SET debug_print_rewritten = on; SET debug_print_plan = on; SET plan_cache_mode = force_custom_plan; $sql",
		extra_params => [ '-U', 'clerk' ],
		stdout => \$out,
		stderr => \$err,
		on_error_die => 1);
	return $err;
}

like(printed("SELECT 'sha256\$'::text"),
	qr/$hash/, 'a hash in a plan would be seen');
foreach my $call (
	"mogo_rehash_secret('$bcrypt'::uuid, 'a secret of long ago')",
	"mogo_add_secret('$victim->{id}')",
	"mogo_update_client('$victim->{id}', scopes => '{a}')",
	"mogo_rotate_own_secret('$bcrypt', 'a secret of long ago', '1 hour')",
	"mogo_rotate_secret('$victim->{id}', '1 hour')",
	"mogo_revoke_secret('$victim->{secret_id}')",
	"mogo_update_secret('$victim->{secret_id}', label => 'x')",
	"mogo_import_secret('$victim->{id}', 'plain', 'a secret that somebody chose')",
	"mogo_disable_client('$victim->{id}')",
	"mogo_purge('0')",
	"mogo_remove_client('$victim->{id}')")
{
	my $text = printed("SELECT $call IS NULL");
	unlike($text, qr/$hash/, "no hash is printed: $call");
	like($text, qr/LOG:  plan:/, 'but the plan of the statement itself');
}
is( $node->safe_psql(
		'postgres',
		"SET debug_print_plan = on; SELECT mogo_rotate_secret('$bcrypt', '0') IS NULL; SHOW debug_print_plan; SHOW search_path"
	),
	qq{f\non\n"\$user", public},
	'the settings are what they were');
my $log = slurp_file($node->logfile);
$log =~ s/.*?SELECT mogo_rehash_secret//s;
unlike(
	$log,
	qr/${\ join ' ', map { ord } split m{}, 'sha256$'}/,
	'nor does the log have a hash in a tree');

$node->stop;
done_testing();
