# A record of ERROR or worse is PostgreSQL's, also when a statement of ours runs: its
# message with errno's words, its severity, SQLSTATE, source file and line. Only its
# STATEMENT line shows *** for literals. Redaction once made "LOG: PANIC: could not write
# to file "%s": %m" of a full disk.
#
# The full disk is a library in front of the C library that fails to write WAL files, as no
# unprivileged user can mount a small file system.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use RedactLog;
use Test::More;

my $server = RedactLog->new('records', 'mogocred', <<"CONF");
log_error_verbosity = verbose
restart_after_crash = off
autovacuum = off
CONF
my $node = $server->node;
$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
my ($id, $clear) = split /,/,
  $node->safe_psql('postgres',
	q(SELECT client_id || ',' || client_secret FROM mogo_add_client('first'))
  );
push @{ $server->{secrets}{'an issued secret'} }, $clear;
my $table =
  $node->safe_psql('postgres', q{SELECT pg_relation_filepath('mogo_client')});
my $file = $node->data_dir . "/$table";
$node->safe_psql('postgres', 'CHECKPOINT');

# Stops the server, does something to the table's file, starts again, and undoes it.
sub with_file
{
	my ($name, $code, @patterns) = @_;
	my $kept = slurp_file($file);
	$node->stop;
	$server->{mark} = -s $server->{log};
	$code->($kept);
	$node->start;
	my $s = $server->session;
	$server->case(
		$name,
		sub {
			$s->query("SELECT mogo_verify('$id', '$clear')");
			$s->params('SELECT mogo_verify($1, $2)', $id, $clear);
			$s->query("SELECT mogo_add_client('second')");
		},
		@patterns);
	$s->close;
	$node->stop;
	open my $out, '>:raw', $file or die $!;
	print $out $kept;
	close $out;
	$node->start;
	return;
}

my $call = qr{SELECT mogo_verify\('\*\*\*', '\*\*\*'\)};
my $bound = qr{SELECT mogo_verify\(\$1, \$2\)};
my $head = qr{^\S+ \S+ \S+ \[\d+\] [^\n]* }m;
my $damaged =
  qr{XX001 ERROR:  XX001: invalid page in block 0 of relation "?$table"?\n};
with_file(
	'a damaged page',
	sub {
		my ($kept) = @_;
		open my $out, '>:raw', $file or die $!;
		print $out 'x' x 8192 . substr($kept, 8192);
		close $out;
	},
	qr{$damaged${head}LOCATION:  \w+, \w+\.c:\d+\n${head}STATEMENT:  $call\n},
	qr{$damaged(?:${head}CONTEXT:  [^\n]*'\*\*\*'\n)?${head}LOCATION:  \w+, \w+\.c:\d+\n${head}STATEMENT:  $bound\n},
	qr{$damaged(?:${head}CONTEXT:  [^\n]*\n(?:\t[^\n]*\n)*)?${head}LOCATION:  \w+, \w+\.c:\d+\n${head}STATEMENT:  SELECT mogo_add_client\('second'\)\n}
);

my $missing =
  qr{58P01 ERROR:  58P01: could not open file "$table": No such file or directory\n};
with_file(
	'a missing file',
	sub { unlink $file or die $! },
	qr{$missing${head}LOCATION:  \w+, md\.c:\d+\n${head}STATEMENT:  $call\n},
	qr{$missing(?:${head}CONTEXT:  [^\n]*'\*\*\*'\n)?${head}LOCATION:  \w+, md\.c:\d+\n${head}STATEMENT:  $bound\n}
);

# --- a full disk --------------------------------------------------------------------------

my $dir = "$PostgreSQL::Test::Utils::tmp_check/full_disk";
mkdir $dir;
append_to_file("$dir/full_disk.c", <<"C");
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int
full(int fd)
{
	char		link[64];
	char		path[4096];
	ssize_t		n;

	if (access("$dir/full", F_OK) != 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\\0';
	return strstr(path, "/pg_wal/xlogtemp.") != NULL;
}

#define WRITER(name, buffers, type) \\
ssize_t name(int fd, const type *buf, buffers count, off_t offset) \\
{ \\
	static ssize_t (*real) (int, const type *, buffers, off_t); \\
	if (full(fd)) \\
	{ \\
		errno = ENOSPC; \\
		return -1; \\
	} \\
	if (!real) \\
		real = dlsym(RTLD_NEXT, #name); \\
	return real(fd, buf, count, offset); \\
}
WRITER(pwrite, size_t, void)
WRITER(pwrite64, size_t, void)
WRITER(pwritev, int, struct iovec)
WRITER(pwritev64, int, struct iovec)
int
posix_fallocate(int fd, off_t offset, off_t len)
{
	static int (*real) (int, off_t, off_t);

	if (full(fd))
		return ENOSPC;
	if (!real)
		real = dlsym(RTLD_NEXT, "posix_fallocate");
	return real(fd, offset, len);
}
C
command_ok(
	[
		'sh', '-c',
		"cc -shared -fPIC -o '$dir/full_disk.so' '$dir/full_disk.c' -ldl"
	],
	'a library that fills the disk');

$node->stop;
$server->{mark} = -s $server->{log};
{
	local $ENV{LD_PRELOAD} = join ':',
	  grep { defined && length } $ENV{LD_PRELOAD}, "$dir/full_disk.so";
	$node->start;
}
SKIP:
{
	my $pid =
	  (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	skip 'the server was started with another LD_PRELOAD', 2
	  unless -r "/proc/$pid/maps"
	  && slurp_file("/proc/$pid/maps") =~ /full_disk\.so/;
	my $x = $server->secret('full disk');
	my $s = $server->session;
	append_to_file("$dir/full", '');
	$s->query(
		"SELECT mogo_import_client('third', gen_random_uuid(), 'plain', '$x') FROM pg_switch_wal()"
	);
	for (1 .. 50)
	{
		last if $s->{errors}[0];
		$s->query(
			"SELECT mogo_import_client('n$_', gen_random_uuid(), 'plain', '$x') FROM pg_switch_wal()"
		);
	}
	unlink "$dir/full";
	my $log = '';
	for (1 .. 300)
	{
		$log = slurp_file($server->{log}, $server->{mark});
		last if $log =~ /database system is shut down/;
		select undef, undef, undef, 0.1;
	}
	like(
		$log,
		qr{53100 PANIC:  53100: could not write to file "pg_wal/xlogtemp\.\d+": No space left on device\n${head}LOCATION:  \w+, xlog\.c:\d+\n${head}STATEMENT:  SELECT mogo_import_client\('\*\*\*', gen_random_uuid\(\), '\*\*\*', '\*\*\*'\) FROM pg_switch_wal\(\)\n},
		'a full disk: the PANIC is PostgreSQL\'s');
}
$node->stop('immediate', fail_ok => 1);
$node->{_pid} = undef;
unlink $node->data_dir . '/postmaster.pid';
$node->start;
$server->scan('first');
$node->stop;

done_testing();
