#!/usr/bin/env bash
# doc/migrations.md: drizzle-kit push, with the extension in its own schema and in public.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
ln -s "$NODE_MODULES" node_modules
cat >schema.mjs <<-'JS'
	import { integer, pgTable } from 'drizzle-orm/pg-core'
	export const thing = pgTable('thing', { id: integer().primaryKey() })
JS
cp "$(block drizzle.config.mjs)" filtered.mjs
grep -v tablesFilter filtered.mjs >plain.mjs
push() { DATABASE_URL="postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/$1?sslmode=disable" timeout 60 node_modules/.bin/drizzle-kit push --force --config "$2"; }
says() { grep -qF -- "$1" <<<"$2" || { echo "$2"; return 1; }; }
check_that "in a schema of its own: no change" says "No changes detected" "$(push own plain.mjs 2>&1)"
check_that "in public: it tries to drop, and PostgreSQL refuses" says "You can drop extension mogocred instead" "$(push in_public plain.mjs 2>&1)"
check_that "in public, with the filter: no change" says "No changes detected" "$(push in_public filtered.mjs 2>&1)"
echo end
