# A session that speaks PostgreSQL's protocol itself: psql binds no parameters before 16,
# makes no fast-path call in any version, and cannot be left waiting in the middle of a
# statement.
package ProtocolSession;

use strict;
use warnings FATAL => 'all';
use IO::Socket::UNIX;

# The major version of the PostgreSQL under test.
sub major
{
	return qx(pg_config --version) =~ /(\d+)/ ? $1 : die 'no version';
}

# $node is a PostgreSQL::Test::Cluster; further arguments are start-up
# parameters, like options => '-c work_mem=64kB'.
sub new
{
	my ($class, $node, %startup) = @_;
	my $user = getpwuid($<);
	my $sock = IO::Socket::UNIX->new(
		Type => SOCK_STREAM(),
		Peer => $node->host . '/.s.PGSQL.' . $node->port
	) or die "connect: $!";
	my $self = bless { sock => $sock, errors => [], rows => [] }, $class;
	%startup = (
		user => $user,
		database => 'postgres',
		application_name => 'redact-test',
		%startup);
	my $body = pack('N', 196608)
	  . join('', map { "$_\0$startup{$_}\0" } sort keys %startup) . "\0";
	$sock->syswrite(pack('N', length($body) + 4) . $body);
	$self->wait_ready;
	return $self;
}

sub pid { return $_[0]{pid} }

# Sends messages: pairs of a type and a body.
sub send
{
	my ($self, @messages) = @_;
	my $out = '';
	while (my ($type, $body) = splice(@messages, 0, 2))
	{
		$out .= $type . pack('N', length($body) + 4) . $body;
	}
	$self->{sock}->syswrite($out);
	return $self;
}

sub _read
{
	my ($self, $n) = @_;
	my $buf = '';
	while (length($buf) < $n)
	{
		my $got =
		  $self->{sock}->sysread($buf, $n - length($buf), length($buf));
		return undef unless $got;
	}
	return $buf;
}

# Reads until the server is ready again, or has gone. Returns the session; its
# errors hold the messages, its rows the first columns.
sub wait_ready
{
	my ($self) = @_;
	$self->{errors} = [];
	$self->{rows} = [];
	while (defined(my $head = $self->_read(5)))
	{
		my ($type, $len) = unpack('aN', $head);
		my $body = $self->_read($len - 4);
		last unless defined $body;
		if ($type eq 'E')
		{
			my %f = map { (substr($_, 0, 1), substr($_, 1)) }
			  grep { length } split /\0/, $body;
			push @{ $self->{errors} }, "$f{C}: $f{M}";
		}
		elsif ($type eq 'D')
		{
			my ($n, $l) = unpack('nl>', $body);
			push @{ $self->{rows} }, $l < 0 ? undef : substr($body, 6, $l);
		}
		elsif ($type eq 'K') { $self->{pid} = unpack('N', $body); }
		elsif ($type eq 'G') { $self->send(d => "1\n", c => ''); }
		return $self if $type eq 'Z';
	}
	return $self;
}

sub errors { return join("\n", @{ $_[0]{errors} }) }

sub rows
{
	return join("\n", map { defined $_ ? $_ : 'NULL' } @{ $_[0]{rows} });
}

# Simple protocol: sends, or sends and waits.
sub start { my ($self, $sql) = @_; return $self->send(Q => "$sql\0"); }
sub query { my ($self, $sql) = @_; return $self->start($sql)->wait_ready; }

# The messages of the extended protocol. Types are oids, values text or undef.
sub msg_parse
{
	my ($name, $sql, @types) = @_;
	return (
		P => "$name\0$sql\0" . pack('n', scalar @types) . pack('N*', @types));
}

sub msg_bind
{
	my ($name, @values) = @_;
	return (
		B => "\0$name\0" . pack('nn', 0, scalar @values) . join(
			'',
			map {
				defined $_
				  ? pack('N', length $_) . $_
				  : pack('N', 0xffffffff)
			} @values)
		  . pack('n', 0));
}

sub msg_execute { return (E => "\0" . pack('N', 0)); }
sub msg_sync    { return (S => ''); }

# One statement with bound values, as a driver sends it.
sub params
{
	my ($self, $sql, @values) = @_;
	return $self->send(
		msg_parse('', $sql),
		msg_bind('', @values),
		msg_execute(), msg_sync())->wait_ready;
}

# A fast-path call with text arguments.
sub fastpath
{
	my ($self, $oid, @values) = @_;
	return $self->send(F => pack('Nnn', $oid, 0, scalar @values)
		  . join('', map { pack('N', length $_) . $_ } @values)
		  . pack('n', 0))->wait_ready;
}

sub close
{
	my ($self) = @_;
	$self->send(X => '');
	$self->{sock}->close;
	return;
}

1;
