# The client's side of a conversation with judge.py (see ../README.md).
use strict;
use warnings FATAL => 'all';
use DBI;
use FindBin;
require "$FindBin::Bin/snippet.pl";

sub session
{
	return DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, PrintError => 0, AutoCommit => 1, @_ });
}

my $db = session();    # as PG* says
my %answer = (
	authenticate => sub {
		my $row = authenticate($db, @_) or return 'none';
		return 'row', $row->{client_name}, join ',', @{ $row->{scopes} };
	},
	add => sub {
		my $row = add($db, $_[0], [ split /,/, $_[1] ]);
		return 'added', @$row{qw(client_id client_secret secret_id)};
	},
	revoke => sub { revoke($db, @_); return 'done' },
	traps => sub {
		my ($id, $secret, $secret_id) = @_;
		my @wrong = ('SELECT mogo.mogo_verify(?, ?)', undef, $id, 'wrong');
		my $text = session(pg_bool_tf => 1)->selectrow_array(@wrong);
		trap("pg_bool_tf: a wrong secret is 'f'", $text eq 'f');
		trap("and 'f' is true", $text);
		trap('a boolean is 0', $db->selectrow_array(@wrong) eq '0');
		trap('a text ends at a zero byte', authenticate($db, $id, "$secret\0x"));
		my $other = session(AutoCommit => 0);
		revoke($other, $secret_id);
		$other->disconnect;
		trap('revoked without commit: good for ever', authenticate($db, $id, $secret));
		my $noisy = session(ShowErrorStatement => 1);
		trap('ShowErrorStatement prints the secret',
			!eval { $noisy->do('SELECT 1/0, ?::text', undef, $secret) } && $@ =~ /\Q$secret/);
		return 'end';
	});

sub trap { print "trap\t", ($_[1] ? 'yes' : 'no'), "\t$_[0]\n"; return }

$| = 1;
print "# $DBD::Pg::VERSION\n";
while (my $line = <STDIN>)
{
	chomp $line;
	my ($call, @args) = split /\t/, $line, -1;
	my @answer = eval { $answer{$call}->(@args) };
	@answer = ('error', $db->state, $@) if $@;
	print join("\t", @answer) =~ tr/\n/ /r, "\n";
}
