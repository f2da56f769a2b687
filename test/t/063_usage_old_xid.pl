# Use counts that have waited for long beside what was flushed: the transaction of that
# flush is older than what PostgreSQL still knows of transactions. The views ask about
# none that is settled, so they can be read.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UsageTest;

my $node = counting_node('old_xid', 'mogocred.usage_flush_interval' => '5s', 'fsync' => 'off');
my $q = sub { $node->safe_psql('postgres', @_) };

# A use that is flushed, and one more before the next flush: in the same place.
my $c = issue($node, 'old');
check($node, $c, 1);
flushed($node, $c, '1|');
$q->('ALTER SYSTEM SET mogocred.usage_flush_interval = 3600');
$q->('SELECT pg_reload_conf()');
check($node, $c, 1);
is(counted($node, $c), '2|', 'one in the table, one in memory');

# A file of the commit log holds 2^20 transactions; then that of our flush goes.
my $file = $node->data_dir . '/pg_xact/0000';
ok(-e $file, 'the commit log has all transactions');
$q->('CREATE UNLOGGED TABLE burnt (a int)');
$q->(q{DO $$ BEGIN FOR i IN 1 .. 1050000 LOOP BEGIN INSERT INTO burnt VALUES (i); EXCEPTION WHEN OTHERS THEN END; END LOOP; END $$});
$q->('ALTER DATABASE template0 ALLOW_CONNECTIONS true');
$node->safe_psql($_, 'VACUUM (FREEZE)') foreach qw(template0 template1 postgres);
ok(!-e $file, 'the commit log has forgotten the flush');
is(counted($node, $c), '2|', 'and the views still say what was counted');

$node->stop;
done_testing();
