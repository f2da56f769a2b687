# A server on which every kind of logging is on, and what the redaction tests do with
# its log: cases that take secrets of their own, and the scan for them at the end.
package RedactLog;

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProtocolSession;
use Test::More;

# Starts the server. $libraries are preloaded beside mogocred, in that order; $conf is
# appended to the configuration.
sub new
{
	my ($class, $name, $libraries, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = '$libraries'
logging_collector = on
log_destination = 'stderr,csvlog,jsonlog'
log_filename = 'server.log'
log_line_prefix = '%m [%p] %q%u\@%d/%a %e '
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_lock_waits = on
log_temp_files = 0
deadlock_timeout = 100ms
$conf
CONF
	$node->start;
	my $log = $node->data_dir . '/log/server.log';
	return bless {
		node => $node,
		log => $log,
		mark => 0,
		serial => 0,
		secrets => {}
	}, $class;
}

sub node { return $_[0]{node} }

# Connects; see ProtocolSession.
sub session
{
	my ($self, @startup) = @_;
	return ProtocolSession->new($self->{node}, @startup);
}

# Makes a secret in the default format. It belongs to the case $case, by whose name the
# scan reports it.
sub secret
{
	my ($self, $case) = @_;
	my $s = sprintf '%08x-%04x-%04x-%04x-%08x%04x',
	  map { int rand 2**$_ } 32, 16, 16, 16, 32, 16;
	$s =~ s/^./e/
	  ;    # so that it is no number, and an identifier up to its first dash
	push @{ $self->{secrets}{$case} }, $s;
	return $s;
}

# Waits until all that was logged has reached the files. Returns what has come to the
# log since the last call.
sub new_log
{
	my ($self) = @_;
	my $n = 'marker-' . ++$self->{serial};
	$self->{node}->safe_psql('postgres', "SELECT '$n'");
	$self->wait_for_log(
		qr/statement: SELECT '$n'.*?^\S+ \S+ \S+ \[\d+\] [^\n]*duration: /ms);
	my $log = slurp_file($self->{log}, $self->{mark});
	$self->{mark} += length $log;
	return $log;
}

# Waits until the log since the last new_log() matches.
sub wait_for_log
{
	my ($self, $pattern) = @_;
	for (1 .. 1800)
	{
		return if slurp_file($self->{log}, $self->{mark}) =~ $pattern;
		select undef, undef, undef, 0.1;
	}
	die "timed out waiting for $pattern in the log";
}

# Waits until a query about pg_stat_activity or pg_locks is true.
sub wait_for
{
	my ($self, $query) = @_;
	$self->{node}->poll_query_until('postgres', $query)
	  or die "timed out: $query";
	return;
}

# Waits until a session is in pg_sleep().
sub sleeps
{
	my ($self, $session) = @_;
	$self->wait_for(
		"SELECT count(*) = 1 FROM pg_stat_activity
		WHERE pid = " . $session->pid . " AND wait_event = 'PgSleep'");
	return;
}

# Waits until a session waits for another one's lock.
sub blocked
{
	my ($self, $session) = @_;
	$self->wait_for(
		'SELECT cardinality(pg_blocking_pids(' . $session->pid . ')) > 0');
	return;
}

# Runs one case: what is done, and what the log must say about it. Returns its log.
sub case
{
	my ($self, $name, $code, @patterns) = @_;
	$self->new_log;
	$code->();
	my $log = $self->new_log;
	like($log, $_, "$name: the log says $_") for @patterns;
	return $log;
}

# Finds where a secret shows: whole, its first or last part, its bytes in decimal.
sub shows
{
	my ($secret, $text) = @_;
	my @parts = ($secret, $secret =~ /^(\w+)/, $secret =~ /(\w+)$/);
	return grep { $text =~ /\Q$_\E/i } @parts,
	  join ' ', map { ord } split //, substr $secret, 0, 6;
}

# Looks for every secret in every file of the log. $plain is what the log must hold in
# each format, so that the scan is known to find something.
sub scan
{
	my ($self, $plain) = @_;
	$self->new_log;
	my $node = $self->{node};
	my @files = ($node->logfile, glob $node->data_dir . '/log/server*');
	cmp_ok(scalar(@files), '>=', 4, 'there is a file for each format');
	my %text = map { $_ => slurp_file($_) } @files;
	like($text{$_}, qr/\Q$plain\E/, "$_ has the log")
	  for grep { /server\./ } @files;
	for my $case (sort keys %{ $self->{secrets} })
	{
		my @found = grep {
			my $f = $_;
			grep { shows($_, $text{$f}) } @{ $self->{secrets}{$case} }
		} @files;
		is("@found", '', "no secret: $case");
	}
	return @files;
}

1;
