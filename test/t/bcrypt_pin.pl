# While bcrypt computes, which may take a quarter of a second, a check holds on to no
# page: VACUUM would wait for it, and after VACUUM whoever comes for that page.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('pin');
$node->init;
$node->start;
if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_buffercache'"
	) == 0)
{
	$node->stop;
	plan skip_all => 'pg_buffercache is not installed';
}
my $live = 'f5100000-0000-4000-8000-000000000001';
my $ended = 'f5100000-0000-4000-8000-000000000002';
$node->safe_psql(
	'postgres', qq{
	CREATE EXTENSION mogocred CASCADE; CREATE EXTENSION pg_buffercache;
	SET mogocred.bcrypt_cost = 12;
	SELECT mogo_import_client('live', '$live', 'plain', 'a secret that is alive');
	SELECT mogo_import_client('ended', '$ended', 'plain', 'a secret that has ended');
	SELECT count(mogo_rotate_secret('$ended', '0'))});

# Checks a wrong secret for as long as it takes to look 30 times whether a page of
# mogo_client is held; the look-ups of the check itself are too short to be met often.
foreach my $case (
	[ 'a live secret', "mogo_verify('$live', 'wrong')" ],
	[ 'an ended one', "mogo_verify_status('$ended', 'wrong')" ])
{
	my ($what, $check) = @$case;
	my ($out, $err) = ('', '');
	my $client = IPC::Run::start(
		[
			'psql', '-XqAt', '-d', $node->connstr('postgres'),
			'-c', "DO \$\$ BEGIN LOOP PERFORM $check; END LOOP; END \$\$"
		],
		'>',
		\$out,
		'2>',
		\$err,
		IPC::Run::timeout(180));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'DO %LOOP PERFORM%' AND state = 'active'"
	);
	my $held = $node->safe_psql(
		'postgres', q{
		CREATE TEMP TABLE seen (held boolean);
		DO $$ BEGIN FOR i IN 1..30 LOOP
			INSERT INTO seen SELECT EXISTS (SELECT FROM pg_buffercache
				WHERE relfilenode = pg_relation_filenode('mogo_client') AND relforknumber = 0 AND pinning_backends > 0);
			PERFORM pg_sleep(0.02);
		END LOOP; END $$;
		SELECT count(*) FILTER (WHERE held) FROM seen});
	cmp_ok($held, '<', 10,
		"$what: no page is held while bcrypt computes (held $held times of 30)"
	);
	$node->safe_psql('postgres',
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %LOOP PERFORM%'"
	);
	eval { $client->finish };
}

$node->stop;
done_testing();
