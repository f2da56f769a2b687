# What make test counts (test/lib/results.sh): a TAP file that dies, is killed, loses tests
# or skips all of them without a reason is a failure, even among files that pass.

use strict;
use warnings FATAL => 'all';
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $lib = "$FindBin::Bin/../lib";
my $dir = PostgreSQL::Test::Utils::tempdir();
mkdir "$dir/t" or die;

# Each file's last lines, and the results that are to be counted for it.
my %case = (
	passes => [ 'ok(1, "one"); done_testing();', 'ok tap passes: one' ],
	dies_first => [
		'die; done_testing();',
		'FAILED tap dies_first: Non-zero exit status: 255'
	],
	dies_later => [
		'ok(1, "one"); die;',
		'ok tap dies_later: one',
		'FAILED tap dies_later: Non-zero exit status: 255'
	],
	killed => [
		'$| = 1; ok(1, "one"); kill 9, $$;',
		'ok tap killed: one',
		'FAILED tap killed: Non-zero wait status: 9'
	],
	lost => [
		'plan tests => 3; ok(1, "one"); POSIX::_exit(0);',
		'ok tap lost: one',
		'FAILED tap lost: Parse errors: Bad plan.  You planned 3 tests but ran 1.'
	],
	syntax =>
	  [ 'ok(1 "one");', 'FAILED tap syntax: Non-zero exit status: 255' ],
	empty =>
	  [ 'done_testing();', 'FAILED tap empty: ended without a result' ],
	no_reason => [
		'plan skip_all => "";',
		'FAILED tap no_reason: ended without a result'
	],
	reason =>
	  [ 'plan skip_all => "because";', 'skipped tap reason: because' ],
	fails => [
		'ok(0, "one"); TODO: { local $TODO = "later"; ok(0, "two") } SKIP: { skip "none", 1 } done_testing();',
		'FAILED tap fails: one',
		'todo tap fails: - two # TODO later',
		'skipped tap fails: none'
	]);
foreach (keys %case)
{
	append_to_file("$dir/t/$_.pl",
		"use Test::More; use POSIX ();\n$case{$_}[0]\n");
}

my $count = qq{. "$lib/install.sh"; . "$lib/results.sh"; cd "$dir"};
my $out =
  qx{bash -c '$count; prove --verbose t/*.pl 2>/dev/null | count_suite tap; totals'};
isnt($?, 0, 'a run with failures fails');
foreach my $name (sort keys %case)
{
	my @wanted = @{ $case{$name} }[ 1 .. $#{ $case{$name} } ];
	my @got = map { s/^ +//r =~ s/ +/ /r } grep { / tap $name:/ } split /\n/,
	  $out;
	is_deeply([ sort @got ], [ sort @wanted ], $name);
}
like($out, qr/^4 passed, 8 failed$/m, 'totals');

# pg_regress's two ways to tell
my $regress = <<'OUT';
test install                      ... ok           42 ms
test access                       ... FAILED       10 ms
ok 1         - json                                        42 ms
not ok 2     - purge                                       42 ms
OUT
append_to_file("$dir/regress", $regress);
$out = qx{bash -c '$count; count_suite sql <regress; totals'};
is($out, <<'OUT', 'pg_regress');
  ok      sql: install
  FAILED  sql: access
  ok      sql: json
  FAILED  sql: purge
2 passed, 2 failed
OUT

done_testing();
