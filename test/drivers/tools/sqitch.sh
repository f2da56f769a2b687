#!/usr/bin/env bash
# doc/migrations.md: sqitch, with its own commands.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
export SQITCH_FULLNAME=test SQITCH_EMAIL=test@localhost
createdb sqitched
target="db:pg://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/sqitched"
{
	sqitch init app --engine pg
	sqitch add mogocred -n 'API clients'
	for what in deploy verify revert; do cp "$(block $what.sql)" "$what/mogocred.sql"; done
} >log 2>&1
check_that "deploy" sqitch deploy --verify "$target"
check_that "in its schema" is "$(state sqitched)" "mogo 0"
check_that "deploy again: nothing to do" sqitch deploy --verify "$target"
check_that "verify" sqitch verify "$target"
check_that "revert is refused" fails_with "DROP EXTENSION mogocred by hand" sqitch revert -y "$target"
check_that "and all is there" is "$(state sqitched)" "mogo 0"
dropdb sqitched
echo end
