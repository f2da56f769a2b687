#!/usr/bin/env bash
# doc/migrations.md: node-pg-migrate, with its own command.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir migrations
cp "$(block migration.js)" migrations/1_mogocred.js
createdb migrated
export DATABASE_URL="postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/migrated"
migrate() { "$NODE_MODULES/.bin/node-pg-migrate" -m "$dir/migrations" "$@"; }
check_that "up" migrate up
check_that "in its schema" is "$(state migrated)" "mogo 0"
check_that "up again: nothing to do" migrate up
check_that "down is refused" fails migrate down
check_that "and all is there" is "$(state migrated)" "mogo 0"
dropdb migrated
echo end
