# What the TAP tests of deployment (040 to 049) share: issuing, checking, and what
# must hold between the three tables.
package MogoTest;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(issue verify sqlstate inconsistencies credentials);

# Reads a line "client_id|client_secret|secret_id" into a hash.
sub credentials
{
	my %c;
	@c{qw(id secret secret_id)} = split /\|/, shift;
	return \%c;
}

# Adds a client, or with $call makes another call that returns mogo_credentials.
sub issue
{
	my ($node, $name, $call, $dbname) = @_;
	$call //= "mogo_add_client('$name')";
	return credentials(
		$node->safe_psql($dbname // 'postgres', "SELECT client_id, client_secret, secret_id FROM $call"));
}

# Asks a server: 't' or 'f'.
sub verify
{
	my ($node, $c, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres', "SELECT mogo_verify('$c->{id}', '$c->{secret}')");
}

# The SQLSTATE with which a statement fails; '' where it does not.
sub sqlstate
{
	my ($node, $sql, $dbname) = @_;
	my ($stdout, $stderr);
	$node->psql($dbname // 'postgres', "\\set VERBOSITY sqlstate\n$sql",
		stdout => \$stdout, stderr => \$stderr);
	return $stderr =~ /(?:ERROR|FATAL):\s+(\w{5})\b/ ? $1 : $stderr;
}

# Lines that tell what is half there or contradicts itself; '' where nothing is.
# Holds only where nobody has purged or removed.
sub inconsistencies
{
	my ($node, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres', q{
WITH live AS (
	SELECT c.client_id, l.* FROM mogo_client c, unnest(c.live) l),
issued AS (
	SELECT client_id, secret_id, count(*) AS n FROM mogo_audit_log
	WHERE action IN ('client_added', 'client_imported', 'secret_added', 'secret_rotated')
	GROUP BY 1, 2)
SELECT 'live secret without its row', secret_id FROM live l
	WHERE NOT EXISTS (SELECT FROM mogo_secret s WHERE (s.secret_id, s.client_id) = (l.secret_id, l.client_id))
UNION ALL SELECT 'live secret that has ended', secret_id FROM live JOIN mogo_secret s USING (secret_id)
	WHERE s.hash IS NOT NULL OR s.revoked_at IS NOT NULL
UNION ALL SELECT 'ended secret without its hash', secret_id FROM mogo_secret s
	WHERE hash IS NULL AND secret_id NOT IN (SELECT secret_id FROM live)
UNION ALL SELECT 'secret without its client', secret_id FROM mogo_secret s
	WHERE NOT EXISTS (SELECT FROM mogo_client c WHERE c.client_id = s.client_id)
UNION ALL SELECT 'client without a record', client_id FROM mogo_client
	WHERE client_id NOT IN (SELECT client_id FROM issued)
UNION ALL SELECT 'secret without exactly one record', secret_id FROM mogo_secret s LEFT JOIN issued i USING (secret_id)
	WHERE i.n IS DISTINCT FROM 1 OR i.client_id <> s.client_id
UNION ALL SELECT 'record without its secret', secret_id FROM issued
	WHERE secret_id NOT IN (SELECT secret_id FROM mogo_secret)
UNION ALL SELECT 'revoked without a record', secret_id FROM mogo_secret s WHERE revoked_at IS NOT NULL
	AND NOT EXISTS (SELECT FROM mogo_audit_log a WHERE a.client_id = s.client_id
		AND a.action IN ('secret_revoked', 'secret_rotated') AND a.at >= s.revoked_at)
UNION ALL SELECT 'record of a revocation that was not', secret_id FROM mogo_audit_log
	WHERE action = 'secret_revoked'
	AND secret_id NOT IN (SELECT secret_id FROM mogo_secret WHERE revoked_at IS NOT NULL)});
}

1;
