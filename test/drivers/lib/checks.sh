# shellcheck shell=bash
#
# test/drivers/lib/checks.sh
#	What the shell programs of tools/ and recipes/ share: they print "ok NAME" or
#	"FAILED NAME: why" for each check, and "end". Sourced. $BLOCKS is where the page's
#	blocks are, $PGUSER a superuser.

# $1 the check's name, $2... a command that has to succeed.
check_that() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then echo "ok $name"; else echo "FAILED $name: ${said//$'\n'/ }"; fi
}

fails() { ! "$@"; }

# Whether a command fails and says $1.
fails_with() {
	local words=$1 said
	shift
	if said=$("$@" 2>&1); then echo "no error" && return 1; fi
	grep -qF -- "$words" <<<"$said" || { echo "$said"; return 1; }
}

# A block of the page.
block() { echo "$BLOCKS/$1/snippet.${1##*.}"; }

# Runs SQL and prints what it gives. $1 the database.
sql() {
	local database=$1
	shift
	psql -XAtq -F ' ' -d "$database" -v ON_ERROR_STOP=1 "$@"
}

# The schema of the extension in database $1, and the number of its clients.
state() { sql "$1" -c "SELECT extnamespace::regnamespace, (SELECT count(*) FROM mogo.mogo_clients) FROM pg_extension WHERE extname = 'mogocred'"; }

is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }
