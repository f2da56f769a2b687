# Flushes of use counts that take too long: none of them keeps a database from being
# dropped, or other databases' counts from their tables, and what one did not get done
# the next one does.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $node = counting_node('slow', 'mogocred.usage_max' => 10000);
my $q = sub { $node->safe_psql('postgres', @_) };
my $flush =
  q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mogocred flush'};

# A trigger of the owner's takes a second for each batch of a hundred rows. A flush
# ends after two; the next one comes at once, and not after the hour.
issue_many($node, 'many', 450);
$q->(
	q{
	CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.011); RETURN NULL; END';
	CREATE TRIGGER slowly AFTER INSERT ON mogo_secret_usage FOR EACH ROW EXECUTE FUNCTION slowly()}
);
is( $q->('SELECT bool_and(mogo_verify(client_id, client_secret)) FROM many'),
	't', 'all are used');
$node->poll_query_until('postgres', $flush, '1') or die 'no flush';
$node->append_conf('postgresql.conf', "mogocred.usage_flush_interval = 1h\n");
$node->reload;
ok( $node->poll_query_until(
		'postgres',
		'SELECT count(*) > 0 AND count(*) < 450 FROM mogo_secret_usage'),
	'some of them are written');
cmp_ok(
	$q->(
		'SELECT count(*) FILTER (WHERE uses = 1) FROM mogo_secrets JOIN many USING (secret_id)'
	),
	'==', 450,
	'each use is seen once');
ok( $node->poll_query_until(
		'postgres', 'SELECT count(*) FROM mogo_secret_usage', '450'),
	'and the others by the next flushes, which do not wait');
is($q->('SELECT sum(uses) FROM mogo_secret_usage'), '450', 'each once');
unlike(
	slurp_file($node->logfile),
	qr/canceling statement due to statement timeout/,
	'no batch ran out of its own time');
$q->('DROP TRIGGER slowly ON mogo_secret_usage');

# A database that nobody can get into, for somebody renames it and does not commit: the
# worker that waits at its door is sent away, and the others' counts are flushed.
$q->('CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION mogocred CASCADE');
my $o = issue($node, 'other', undef, 'other');
my $c = issue($node, 'here');
check($node, $o, 3, dbname => 'other');
check($node, $c, 2);
hold($node, 'ALTER DATABASE other RENAME TO renamed');
$node->append_conf('postgresql.conf', "mogocred.usage_flush_interval = 1s\n");
$node->reload;
ok( $node->poll_query_until(
		'postgres',
		"SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND classid = 'pg_database'::regclass"
	),
	'a flush waits for the database');
ok(flushed($node, $c, '2|'), 'the counts of another are flushed');
ok( logged(
		$node,
		qr/FATAL:  terminating background worker "mogocred flush" due to administrator command/,
		0),
	'the one that waits is ended after its ten seconds');
release($node);
$node->reload;
ok(flushed($node, $o, '3|', 'other'),
	'and its counts are written when the database is free');

$node->stop;
done_testing();
