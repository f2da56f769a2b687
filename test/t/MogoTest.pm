# What the TAP tests share: a server with the extension in it, issuing, checking, waiting,
# and what must hold between the tables.
package MogoTest;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use IPC::Run;
use PostgreSQL::Test::Cluster;

our @EXPORT = qw(server issue verify sqlstate catch_up pgbench
  inconsistencies credentials catalog contents every_kind answers);

# Starts a server with the extension in it. $conf is for its postgresql.conf.
sub server
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', $conf) if $conf;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION mogocred CASCADE');
	return $node;
}

# Waits until a standby has replayed all that its primary has written.
sub catch_up
{
	my ($primary, $standby) = @_;
	return $primary->wait_for_catchup($standby, 'replay',
		$primary->lsn('insert'));
}

# Runs pgbench against a server. Returns whether it succeeded, its output and its errors.
sub pgbench
{
	my ($node, @options) = @_;
	my ($out, $err);
	my $ok = IPC::Run::run(
		[
			'pgbench', '-n', '-h', $node->host,
			'-p', $node->port, @options, 'postgres'
		],
		'>' => \$out,
		'2>' => \$err);
	return ($ok, $out, $err);
}

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
		$node->safe_psql(
			$dbname // 'postgres',
			"SELECT client_id, client_secret, secret_id FROM $call"));
}

# Asks a server: 't' or 'f'.
sub verify
{
	my ($node, $c, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres',
		"SELECT mogo_verify('$c->{id}', '$c->{secret}')");
}

# The SQLSTATE with which a statement fails; '' where it does not.
sub sqlstate
{
	my ($node, $sql, $dbname) = @_;
	my ($stdout, $stderr);
	$node->psql(
		$dbname // 'postgres', "\\set VERBOSITY sqlstate\n$sql",
		stdout => \$stdout,
		stderr => \$stderr);
	return $stderr =~ /(?:ERROR|FATAL):\s+(\w{5})\b/ ? $1 : $stderr;
}

# Lines that tell what is half there or contradicts itself; '' where nothing is.
# Holds only where nobody has purged or removed.
sub inconsistencies
{
	my ($node, $dbname) = @_;
	return $node->safe_psql(
		$dbname // 'postgres', q{
WITH live AS (
	SELECT c.client_id, l.* FROM mogo_client c, unnest(c.live) l),
issued AS (
	SELECT client_id, secret_id, count(*) AS n FROM mogo_audit_log
	WHERE action IN ('client_added', 'client_imported', 'secret_added', 'secret_rotated',
		'secret_imported', 'invitation_accepted')
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
	AND secret_id NOT IN (SELECT secret_id FROM mogo_secret WHERE revoked_at IS NOT NULL)}
	);
}


# All that the catalogs say about the extension's members, one thing a line: the same
# for two installations that are the same, whatever their oids. Types that PostgreSQL
# makes by itself, of arrays and of a table's rows, are left out: they are members only
# where the extension was created in 17 or later.
sub catalog
{
	my ($node, $dbname) = @_;
	return $node->safe_psql(
		$dbname // 'postgres', q{
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e
		ON d.refclassid = e.tableoid AND d.refobjid = e.oid
	WHERE e.extname = 'mogocred' AND d.deptype = 'e'
	AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid
		WHERE (t.oid, t.tableoid) = (d.objid, d.classid) AND (t.typcategory = 'A' OR r.relkind <> 'c'))),
rel AS (
	SELECT c.oid::regclass::text AS name, c.oid, c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity,
		c.reloptions, COALESCE(c.relacl, acldefault('r', c.relowner)) AS relacl FROM pg_class c
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
	OR c.oid IN (SELECT typrelid FROM pg_type t JOIN member ON t.oid = objid AND classid = 'pg_type'::regclass)
	OR c.oid IN (SELECT indexrelid FROM pg_index JOIN member ON indrelid = objid AND classid = 'pg_class'::regclass)),
line AS (
	SELECT 'member', pg_describe_object(classid, objid, 0), NULL::text, obj_description(objid, classid::regclass::text) FROM member
	UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), COALESCE(p.proacl, acldefault('f', p.proowner))::text
		FROM pg_proc p JOIN member ON p.oid = objid AND classid = 'pg_proc'::regclass
	UNION ALL SELECT 'relation', name, concat_ws(' ', relkind, relpersistence, relreplident, relrowsecurity, reloptions::text,
			CASE relkind WHEN 'i' THEN pg_get_indexdef(rel.oid) WHEN 'v' THEN pg_get_viewdef(rel.oid) END), relacl::text
		FROM rel
	UNION ALL SELECT 'column', name || '.' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod), attnotnull,
			attstorage, attcollation::regcollation, attidentity, attgenerated, col_description(attrelid, attnum)), attacl::text
		FROM rel JOIN pg_attribute ON attrelid = rel.oid AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT 'default', name || '.' || adnum, pg_get_expr(adbin, adrelid), NULL FROM rel JOIN pg_attrdef ON adrelid = rel.oid
	UNION ALL SELECT 'constraint', name || '.' || conname, pg_get_constraintdef(c.oid), NULL FROM rel JOIN pg_constraint c ON conrelid = rel.oid
	UNION ALL SELECT 'trigger', name || '.' || tgname, pg_get_triggerdef(t.oid), NULL FROM rel JOIN pg_trigger t ON tgrelid = rel.oid
	UNION ALL SELECT 'type', t.oid::regtype::text, concat_ws(' ', typtype, typcategory), COALESCE(typacl, acldefault('T', typowner))::text
		FROM pg_type t JOIN member ON t.oid = objid AND classid = 'pg_type'::regclass
	UNION ALL SELECT 'initial rights', pg_describe_object(i.classoid, i.objoid, i.objsubid), i.initprivs::text, NULL
		FROM pg_init_privs i JOIN member m ON (m.classid, m.objid) = (i.classoid, i.objoid)
	UNION ALL SELECT 'dumped', config::regclass::text, condition, NULL
		FROM pg_extension, unnest(extconfig, extcondition) AS u(config, condition) WHERE extname = 'mogocred')
SELECT regexp_replace(line::text, '\s+', ' ', 'g') FROM line ORDER BY line::text COLLATE "C"}
	);
}

# Every row of the tables; $schema is where they are.
sub contents
{
	my ($node, $dbname, $schema) = @_;
	$schema //= 'public';
	return $node->safe_psql(
		$dbname, qq{
		SET search_path = $schema;
		SELECT c FROM mogo_client c ORDER BY client_id; SELECT s FROM mogo_secret s ORDER BY secret_id;
		SELECT a FROM mogo_audit_log a ORDER BY at, a::text;
		SELECT i FROM mogo_invitation_code i ORDER BY invitation_id;
		SELECT u FROM mogo_secret_usage u ORDER BY 1; SELECT u FROM mogo_client_usage u ORDER BY 1}
	);
}

# Makes clients of every kind, two roles with rights and one without. Returns
# "question answer" pairs for answers().
sub every_kind
{
	my ($node, $dbname, $schema) = @_;
	$schema //= 'public';
	my $call = sub { return issue($node, undef, "$schema.$_[0]", $dbname) };
	my $run = sub {
		return $node->safe_psql($dbname, "SET search_path = $schema; $_[0]");
	};
	my @asked;
	my $ask = sub { push @asked, [@_] };
	my $status =
	  sub { return "mogo_verify_status('$_[0]->{id}', '$_[0]->{secret}')" };

	my $c = $call->(
		q{mogo_add_client('It''s "one"', now() + '1 day', '{a:b,c}', '{"k": [1, "é"]}')}
	);
	$ask->(
		"(SELECT client_name || scopes::text || metadata FROM mogo_authenticate('$c->{id}', '$c->{secret}'))",
		q{It's "one"{a:b,c}{"k": [1, "é"]}});
	my $d = $call->("mogo_rotate_secret('$c->{id}', '1 hour')");
	$ask->($status->($_), 'valid') foreach $c, $d;
	my $e = $call->("mogo_add_secret('$c->{id}')");
	$run->("SELECT mogo_revoke_secret('$e->{secret_id}')");
	$ask->($status->($e), 'revoked');
	my $f = $call->("mogo_add_client('short', now() + '1 second')");
	$ask->($status->($f), 'expired');
	my $g = $call->("mogo_add_client('off')");
	$run->("SELECT mogo_disable_client('$g->{id}')");
	$ask->($status->($g), 'disabled');
	my $h = $call->("mogo_add_client('at home')");
	$run->(
		"SELECT mogo_update_client('$h->{id}', allowed_cidrs => '{10.0.0.0/8,fd00::/8}')"
	);
	$ask->($status->($h), 'address_required');
	$ask->(
		"(SELECT client_name FROM mogo_authenticate('$h->{id}', '$h->{secret}', 'fd00::1'))",
		'at home');
	my ($used) = split /\|/,
	  $run->(
		"SELECT code FROM mogo_invite('$c->{id}', '1 day', label => 'taken up')"
	  );
	$ask->(
		$status->($call->("mogo_accept_invitation('$used', '192.0.2.1')")),
		'valid');
	$run->("SELECT mogo_invite('$g->{id}', '1 day', '1 hour')");
	$ask->(
		"(SELECT string_agg(client_name || ' ' || status || COALESCE(' ' || host(accepted_from), ''), ',' ORDER BY created_at) FROM mogo_invitations)",
		q{It's "one" accepted 192.0.2.1,off open});
	my $i = $call->("mogo_add_client('gone')");
	$run->("SELECT mogo_remove_client('$i->{id}')");
	$ask->($status->($i), 'invalid');
	$run->(
		"SELECT mogo_import_client('chosen', '00000000-0000-0000-0000-000000000001', 'plain', 'sixteen characters')"
	);
	$ask->(
		"mogo_verify('00000000-0000-0000-0000-000000000001', 'sixteen characters')::text",
		'true');
	$ask->(
		"mogo_verify('00000000-0000-0000-0000-000000000001', 'sixteen Characters')::text",
		'false');
	$ask->(
		"(SELECT string_agg(client_name || '=' || live_secrets, ',' ORDER BY client_name) FROM mogo_clients)",
		q{It's "one"=3,at home=1,chosen=1,off=1,short=0});
	my $exists = $node->safe_psql($dbname,
		"SELECT count(*) FROM pg_roles WHERE rolname = 'kind_nobody'");
	$run->(
		'CREATE ROLE kind_nobody; CREATE ROLE kind_checker; CREATE ROLE kind_admin'
	) if !$exists;
	$run->(
		"SELECT mogo_grant_verifier('kind_checker'); SELECT mogo_grant_admin('kind_admin'); SELECT pg_sleep(1)"
	);
	# as use counts would have been flushed
	$run->(
		'INSERT INTO mogo_secret_usage SELECT secret_id, 7, now() FROM mogo_secret'
	);
	$run->(
		'INSERT INTO mogo_client_usage SELECT client_id, 3 FROM mogo_client');
	return \@asked;
}

# Asks again elsewhere. Returns what is answered otherwise than it should be; ''
# where all is right.
sub answers
{
	my ($node, $dbname, $schema, $asked) = @_;
	my $values = join ",\n",
	  map { "(\$q\$$_->[0]\$q\$, ($_->[0]), \$q\$$_->[1]\$q\$)" } @$asked;
	my $wrong = $node->safe_psql(
		$dbname, "SET search_path = $schema;
		SELECT question, answer FROM (VALUES $values) AS v(question, answer, wanted) WHERE answer IS DISTINCT FROM wanted"
	);
	foreach my $right (
		[ 'kind_checker', 'mogo_verify(NULL::text, NULL)', '' ],
		[ 'kind_checker', "mogo_add_client('never')", '42501' ],
		[ 'kind_checker', '(SELECT count(*) FROM mogo_clients)', '42501' ],
		[ 'kind_admin', '(SELECT count(*) FROM mogo_clients)', '' ],
		[ 'kind_admin', '(SELECT count(*) FROM mogo_client)', '42501' ],
		[ 'kind_admin', "mogo_purge_audit('1 day')", '42501' ],
		[ 'kind_nobody', 'mogo_verify(NULL::text, NULL)', '42501' ])
	{
		my ($role, $call, $state) = @$right;
		my $got =
		  sqlstate($node,
			"SET ROLE $role; SET search_path = $schema; SELECT $call",
			$dbname);
		# without USAGE of the schema the name is not even found
		$got = '42501' if $got =~ /^42(883|P01)$/ && $schema ne 'public';
		$wrong .= "$role, $call: '$got', not '$state'\n" if $got ne $state;
	}
	return $wrong;
}

1;
