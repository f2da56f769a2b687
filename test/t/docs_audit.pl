# doc/audit.md: each of its queries answers its question.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::Bin/../../doc/audit.md");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"timezone = 'UTC'\nshared_preload_libraries = 'mogocred'\n");
$node->start;

# Runs SQL as a role that logs in, and returns what it prints.
sub run
{
	my ($role, $sql) = @_;
	return $node->safe_psql('postgres', $sql,
		extra_params => [ '-U', $role ]);
}

# Returns the query under a heading, the first unless $n says otherwise.
sub query
{
	my ($heading, $n) = @_;
	my ($section) = $page =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
	die "no section \"$heading\"" if !defined $section;
	my @blocks = $section =~ /^```sql\n(.*?)^```$/msg;
	return $blocks[ $n // 0 ];
}

# Moves the newest row of the audit to a moment in the past, as if it were from then.
sub backdate
{
	my ($at) = @_;
	$node->safe_psql('postgres',
		"UPDATE mogo.mogo_audit_log SET at = '$at' WHERE at = (SELECT max(at) FROM mogo.mogo_audit_log)"
	);
	return;
}

$node->safe_psql(
	'postgres', q{
CREATE SCHEMA mogo;
CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
CREATE ROLE dba LOGIN SUPERUSER;
CREATE ROLE api_admin;
CREATE ROLE alice LOGIN IN ROLE api_admin;
CREATE ROLE bob LOGIN IN ROLE api_admin;
CREATE ROLE token_service LOGIN});

# who may do what
run('dba', q{SELECT mogo.mogo_grant_admin('api_admin')});
backdate('2026-01-02 10:00:00+00');
run('dba', q{SELECT mogo.mogo_grant_admin('token_service')});
backdate('2026-01-02 10:05:00+00');
run('dba', q{SELECT mogo.mogo_revoke_access('token_service')});
backdate('2026-01-02 10:20:00+00');
is( run('alice', query('Who could do what, and when?')),
	q{api_admin|["admin"]||2026-01-02 10:00:00+00||dba
token_service|["admin"]||2026-01-02 10:05:00+00|2026-01-02 10:20:00+00|dba
token_service|||2026-01-02 10:20:00+00||dba},
	'who could do what');
is( $node->safe_psql(
		'postgres',
		'SELECT string_agg(role, \' \') FROM ('
		  . (query('Who could do what, and when?', 1) =~ s/;//r)
		  . ") AS q WHERE role <> session_user"),
	'alice api_admin bob dba',
	'who has a right now');

# a client's life
my $secret_id = run('alice',
	q{SET ROLE api_admin; SELECT secret_id FROM mogo.mogo_add_client('Partner A', scopes => '{read}', allowed_cidrs => '{192.0.2.0/24}')}
);
backdate('2026-01-10 09:00:00+00');
my $update =
  q{SET ROLE api_admin; SELECT mogo.mogo_update_client(client_id, %s) FROM mogo.mogo_clients WHERE client_name ^@ 'Partner'};
run('bob', sprintf $update, q{scopes => '{read,write}'});
backdate('2026-03-15 14:30:00+00');
run('bob', sprintf $update, q{metadata => '{"team": "b"}'});
backdate('2026-03-16 08:00:00+00');
run('bob', sprintf $update, q{'Partner AA', allowed_cidrs => '{}'});
backdate('2026-04-01 08:00:00+00');
run('alice',
	q{SET ROLE api_admin; SELECT mogo.mogo_remove_client(client_id) FROM mogo.mogo_clients}
);
backdate('2026-05-02 08:15:00+00');

# Which scopes and networks it had on a day.
sub had
{
	my ($day, $client) = @_;
	my $sql =
	  query('Which scopes and networks did this client have on a given day?');
	$sql =~ s/2026-03-15/$day/ or die;
	$sql =~ s/Partner A/$client/ or die if $client;
	return run('alice', $sql);
}
my $read = q{scopes|["read"]|2026-01-10 09:00:00+00|2026-03-15 14:30:00+00};
my $write =
  q{scopes|["read", "write"]|2026-03-15 14:30:00+00|2026-05-02 08:15:00+00};
my $network =
  q{allowed_cidrs|["192.0.2.0/24"]|2026-01-10 09:00:00+00|2026-04-01 08:00:00+00};
my $anywhere =
  q{allowed_cidrs|[]|2026-04-01 08:00:00+00|2026-05-02 08:15:00+00};
is(had('2026-01-09'), '', 'before it was there');
is(had('2026-02-01'), "$network\n$read", 'as it was added');
is(had('2026-03-15'), "$network\n$read\n$write", 'on the day of a change');
is(had('2026-03-16'), "$network\n$write", 'after it');
is( had('2026-04-01', 'Partner AA'),
	"$network\n$anywhere\n$write",
	'under its later name');
is(had('2026-05-02'), "$anywhere\n$write", 'on its last day');
is(had('2026-05-03'), '', 'after it was removed');
is(had('2026-03-15', 'Partner B'), '', 'another client');

is( run('alice',
		"\\set client 'Partner A'\n"
		  . (
			query('Who changed this client, when, and what?') =~
			  s/SELECT .*? FROM/SELECT at, actor, acting_as, action FROM/r)),
	q{2026-01-10 09:00:00+00|alice|api_admin|client_added
2026-03-15 14:30:00+00|bob|api_admin|client_updated
2026-03-16 08:00:00+00|bob|api_admin|client_updated
2026-04-01 08:00:00+00|bob|api_admin|client_updated
2026-05-02 08:15:00+00|alice|api_admin|client_removed},
	'who changed it');
is( run('alice',
		"\\set secret_id '$secret_id'\n"
		  . (
			query('Who made this secret, and what became of it?') =~
			  s/, detail//r)),
	'2026-01-10 09:00:00+00|alice|client_added',
	'who made a secret');

# whose a secret is, its last use and the last refusal
my $secret = run('alice',
	q{SELECT client_secret FROM mogo.mogo_add_client('Partner B', external_id => 'b')}
);
my ($found) =
  run('alice', "\\set secret '$secret'\n" . query('Whose is this secret?'));
like(
	$found,
	qr/^Partner B\|[0-9a-f-]{36}\|b\|[0-9a-f-]{36}\|active$/,
	'whose a secret is');
my $in_use = (split /\|/, $found)[3];
run('dba',
	"SELECT mogo.mogo_verify('b', '$secret'), mogo.mogo_verify('b', 'wrong')"
);
like(
	run('alice',
		"\\set secret_id '$in_use'\n"
		  . query('When was it last used, and when last refused?')),
	qr/^Partner B\|$in_use\|2\d{3}-[^|]+\|1\|1\|2\d{3}-[^|]+$/,
	'last used and last refused');

# secrets against a policy
run('alice',
	q{SELECT count(*) FROM mogo.mogo_add_client('endless');
	SELECT count(*) FROM mogo.mogo_add_client('two years', now() + interval '2 years');
	SELECT count(*) FROM mogo.mogo_add_client('a month', now() + interval '1 month')}
);
is( run('alice',
		query('Which secrets live longer than our policy allows?') =~
		  s/SELECT .*? FROM/SELECT client_name FROM/r),
	"Partner B\nendless\ntwo years",
	'longer than a year');

done_testing();
