# A customer who owns the database and is no superuser, at a provider that runs
# packaging/managed/after-create.sql after CREATE EXTENSION: as supautils does it, and
# where it is installed (Debian has it) with pgextwlist itself.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use MogoTest;

my $scripts = "$PostgreSQL::Test::Utils::tmp_check/scripts";
system("mkdir -p '$scripts/mogocred'") == 0 or die;
copy("$FindBin::Bin/../../packaging/managed/after-create.sql",
	"$scripts/mogocred/")
  or die;

my $node = PostgreSQL::Test::Cluster->new('provider');
$node->init;
$node->start;
$node->safe_psql('postgres',
	'CREATE ROLE customer LOGIN; CREATE ROLE other LOGIN; CREATE ROLE service LOGIN; CREATE ROLE app LOGIN'
);

# Runs SQL as a role in a database. Returns what it printed, or the SQLSTATE of its error.
sub as
{
	my ($role, $dbname, $sql) = @_;
	my ($out, $err);
	my $rc = $node->psql(
		$dbname, "\\set VERBOSITY sqlstate\n$sql",
		stdout => \$out,
		stderr => \$err,
		extra_params => [ '-U', $role ]);
	return
		$rc == 0                               ? $out
	  : $err =~ /(?:ERROR|FATAL):\s+(\w{5})\b/ ? $1
	  :                                          $err;
}

# What supautils does after it has created the extension as a superuser: it reads the file
# on the server, replaces its names, as literals, and executes the text.
sub run_as_supautils
{
	my ($dbname) = @_;
	$node->safe_psql(
		$dbname, qq{DO \$_\$ BEGIN
		EXECUTE replace(replace(replace(replace(pg_read_file('$scripts/mogocred/after-create.sql'),
			'\@extname\@', '''mogocred'''), '\@extschema\@', '''null'''),
			'\@extversion\@', '''null'''), '\@extcascade\@', 'true'); END \$_\$});
	return;
}

# What the customer of a database can do and cannot.
sub customer_can
{
	my ($dbname, $how) = @_;
	my $c = credentials(
		as( 'customer',
			$dbname,
			'SELECT client_id, client_secret, secret_id FROM mogo.mogo_add_client($$api$$)'
		));
	is( as( 'customer', $dbname,
			"SELECT mogo.mogo_verify('$c->{id}', '$c->{secret}')"),
		't',
		"$how: the owner adds a client and checks it");
	is( as( 'customer', $dbname,
			"SELECT mogo.mogo_owner_grant_verifier('service')"),
		'',
		"$how: makes a verifier");
	is( as( 'service', $dbname,
			"SELECT mogo.mogo_verify('$c->{id}', '$c->{secret}')"),
		't',
		"$how: who can check");
	is( as('customer', $dbname, "SELECT mogo.mogo_owner_grant_admin('app')"),
		'',
		"$how: makes an administrator");
	is( as( 'app', $dbname,
			"SELECT client_name FROM mogo.mogo_add_client('by app')"),
		'by app',
		"$how: who can add");
	is(as('app', $dbname, "SELECT mogo.mogo_owner_grant_admin('other')"),
		'42501', "$how: but make no other");
	is( as( 'customer', $dbname,
			"SELECT mogo.mogo_owner_revoke_access('app')"),
		'',
		"$how: takes it back");
	is(as('app', $dbname, 'SELECT count(*) FROM mogo.mogo_clients'),
		'42501', "$how: it is gone");
	is( as( 'customer', $dbname,
			q{SELECT string_agg(DISTINCT actor || ' ' || action, ', ' ORDER BY actor || ' ' || action)
				FROM mogo.mogo_audit WHERE action ~ 'access' AND actor <> 'postgres'}),
		'customer access_granted, customer access_revoked',
		"$how: the audit says that it was the customer");
	is( as( 'customer', $dbname,
			"SELECT mogo.mogo_owner_purge_audit('-1 hour')"),
		'22023',
		"$how: purges the audit, by the rules");
	like(as('customer', $dbname, "SELECT mogo.mogo_owner_purge_audit('0')"),
		qr/^[1-9]\d*$/, "$how: purges the audit");
	is(as('customer', $dbname, "SELECT FROM $_"),
		'42501', "$how: no row of $_")
	  foreach map { "mogo.mogo_$_" } qw(client secret audit_log);
	is(as('customer', $dbname, $_), '42501', "$how: not $_")
	  foreach "SELECT mogo.mogo_grant_admin('app'::regrole)",
	  'ALTER FUNCTION mogo.mogo_owner_grant_admin(regrole) SET search_path = mogo',
	  'ALTER TABLE mogo.mogo_client OWNER TO customer',
	  "SELECT mogo.mogo_verify('a', 'b'); SET mogocred.token_prefix = 'x'";
	is(as('other', $dbname, "SELECT mogo.mogo_owner_grant_admin('other')"),
		'42501', "$how: nobody else can");
	is( $node->safe_psql(
			$dbname,
			q{SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper AND rolname ~ '^(customer|other|app|service)$'}
		),
		'',
		"$how: nobody became a superuser");
	return;
}

# 1. As supautils runs it, on every major.
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER customer');
$node->safe_psql('shop',
	'CREATE SCHEMA mogo; CREATE EXTENSION mogocred SCHEMA mogo CASCADE');
is(as('customer', 'shop', q{SELECT mogo.mogo_grant_admin('customer')}),
	'42501', 'without the file the owner of the database can do nothing');
run_as_supautils('shop');
my $members =
  q{SELECT count(*) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mogocred')};
my $once = $node->safe_psql('shop', $members);
run_as_supautils('shop');
is($node->safe_psql('shop', $members), $once,
	'running it again adds nothing');
is( $node->safe_psql(
		'shop',
		q{SELECT string_agg(p.proname, ' ' ORDER BY 1) FROM pg_proc AS p
			WHERE p.pronamespace = 'mogo'::regnamespace AND p.proname ~ '^mogo_(grant_|revoke_access|purge_audit)'
			AND to_regproc('mogo.' || replace(p.proname, 'mogo_', 'mogo_owner_')) IS NULL}
	),
	'',
	"every function that is the extension's owner's alone has a twin");
customer_can('shop', 'supautils');
$node->safe_psql('shop', 'ALTER DATABASE shop OWNER TO other');
is(as('other', 'shop', "SELECT mogo.mogo_owner_grant_admin('app')"),
	'', 'a new owner of the database has these rights');
is(as('customer', 'shop', "SELECT mogo.mogo_owner_grant_admin('app')"),
	'42501', 'and the old one has not');

# 2. The attack: the schema is the customer's, who puts there what a superuser's file might
# call by mistake. Each trap makes the customer a superuser if it runs as one.
sub traps
{
	my ($dbname) = @_;
	my $trap =
	  'IF current_setting($$is_superuser$$)::bool THEN ALTER ROLE customer SUPERUSER; END IF;';
	return as(
		'customer', $dbname, qq{CREATE SCHEMA mogo;
	CREATE FUNCTION mogo.mogo_grant_admin(text) RETURNS void LANGUAGE plpgsql AS \$t\$ BEGIN $trap END \$t\$;
	CREATE FUNCTION mogo.mogo_grant_admin(name) RETURNS void LANGUAGE plpgsql AS \$t\$ BEGIN $trap END \$t\$;
	CREATE FUNCTION mogo.mogo_purge_audit(text) RETURNS bigint LANGUAGE plpgsql AS \$t\$ BEGIN $trap RETURN 0; END \$t\$;
	CREATE FUNCTION mogo.quote_ident(name) RETURNS text LANGUAGE plpgsql AS \$t\$ BEGIN $trap RETURN 'mogo'; END \$t\$;
	CREATE FUNCTION mogo.format(text, name) RETURNS text LANGUAGE plpgsql AS \$t\$ BEGIN $trap RETURN 'SELECT 1'; END \$t\$;
	CREATE FUNCTION mogo.replace(name, text, text) RETURNS text LANGUAGE plpgsql AS \$t\$ BEGIN $trap RETURN 'x'; END \$t\$;
	CREATE FUNCTION mogo.eq(name, text) RETURNS boolean LANGUAGE plpgsql AS \$t\$ BEGIN $trap RETURN true; END \$t\$;
	CREATE OPERATOR mogo.= (FUNCTION = mogo.eq, LEFTARG = name, RIGHTARG = text)}
	);
}
$node->safe_psql('postgres', 'CREATE DATABASE trap OWNER customer');
is(traps('trap'), '', 'the traps are set');
$node->safe_psql('trap',
	'SET client_min_messages = error; CREATE EXTENSION pgcrypto SCHEMA public; CREATE EXTENSION mogocred SCHEMA mogo'
);
run_as_supautils('trap');
customer_can('trap', 'a schema full of traps');
is( $node->safe_psql(
		'trap',
		q{SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'mogo'}
	),
	'customer',
	"and the schema is the customer's");
# Its functions gone, the customer makes some of the same name: nothing of ours calls them.
$node->safe_psql('trap', 'DROP EXTENSION mogocred');
is( $node->safe_psql(
		'trap', q{SELECT count(*) FROM pg_proc WHERE proname ~ '^mogo_owner'}
	),
	'0',
	'the twins go with the extension');
# One who puts a function where a twin is to be is not served.
as('customer', 'trap',
	'CREATE FUNCTION mogo.mogo_owner_grant_admin(role regrole) RETURNS void LANGUAGE sql AS $$SELECT$$'
);
$node->safe_psql('trap',
	'SET client_min_messages = error; CREATE EXTENSION mogocred SCHEMA mogo');
is( sqlstate(
		$node,
		"DO \$\$ BEGIN EXECUTE pg_read_file('$scripts/mogocred/after-create.sql'); END \$\$",
		'trap'),
	'42723',
	'a function in the place of a twin is not adopted');

# 3. pgextwlist itself.
SKIP:
{
	chomp(my $libdir = `pg_config --pkglibdir`);
	skip 'pgextwlist is not installed', 1 if !-e "$libdir/pgextwlist.so";
	$node->append_conf('postgresql.conf',
		"session_preload_libraries = 'pgextwlist'\nextwlist.extensions = 'mogocred,pgcrypto'\nextwlist.custom_path = '$scripts'\n"
	);
	$node->restart;
	$node->safe_psql('postgres', 'CREATE DATABASE cloud OWNER customer');
	is(traps('cloud'), '', 'the traps are set');
	is( as( 'customer',
			'cloud',
			'SET client_min_messages = error; CREATE EXTENSION mogocred SCHEMA mogo CASCADE'
		),
		'',
		'pgextwlist: the customer creates the extension');
	is( $node->safe_psql(
			'cloud',
			q{SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'mogocred'}
		),
		'postgres',
		"pgextwlist: it is the superuser's");
	customer_can('cloud', 'pgextwlist');
	is(as('customer', 'cloud', 'DROP EXTENSION mogocred'),
		'', 'pgextwlist: the customer drops it, with all its clients');
}

$node->stop;
done_testing();
