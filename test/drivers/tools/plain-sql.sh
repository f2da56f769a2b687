#!/usr/bin/env bash
# doc/migrations.md: the SQL files that Flyway, Liquibase or psql run, with and without a
# superuser, twice each.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

as_app() { PGUSER=test_app sql "$@"; }
createdb plain
sql plain -c "CREATE ROLE test_app LOGIN PASSWORD '$PGPASSWORD'" \
	-c 'GRANT CREATE ON SCHEMA public TO test_app'
check_that "without a superuser and before them: refused" fails_with 'schema "mogo" does not exist' \
	as_app plain --single-transaction -f "$(block application.sql)"
sql plain -c 'CREATE SCHEMA mogo'
check_that "with the schema there, too" fails_with 'permission denied to create extension' \
	as_app plain --single-transaction -f "$(block application.sql)"
check_that "with a superuser" sql plain --single-transaction -f "$(block superuser.sql)"
check_that "again" sql plain --single-transaction -f "$(block superuser.sql)"
check_that "in its schema" is "$(state plain)" "mogo 0"
check_that "then without a superuser" as_app plain --single-transaction -f "$(block application.sql)"
check_that "CREATE SCHEMA IF NOT EXISTS asks for the right" fails_with "permission denied" \
	as_app plain -c 'CREATE SCHEMA IF NOT EXISTS mogo'
check_that "a client without a secret" sql plain -c 'SET ROLE my_admin' -f "$(block clients.sql)"
check_that "again" sql plain -c 'SET ROLE my_admin' -f "$(block clients.sql)"
check_that "once, and no secret" is "$(sql plain -c "SELECT client_name, live_secrets FROM mogo.mogo_clients")" "billing 0"
check_that "our tables cannot be dropped" fails_with "because extension mogocred requires it" \
	sql plain -c 'DROP TABLE mogo.mogo_client CASCADE'
dropdb plain
echo end
