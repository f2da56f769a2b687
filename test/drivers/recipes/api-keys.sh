#!/usr/bin/env bash
# doc/recipes.md: API keys in one string.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

# Checks the key $1 as the page does, with the key as a parameter.
check_key() {
	{
		printf 'PREPARE check_key(text) AS '
		cat "$(block check-key.sql)"
		printf "EXECUTE check_key(%s);\n" "${1:-NULL}"
	} | sql recipes -f - | cut -d' ' -f2
}

key=$(sql recipes -f "$(block new-key.sql)")
id=${key%.*} secret=${key##*.}
check_that "the right key" is "$(check_key "'$key'")" billing
sql recipes -o /dev/null -c "SELECT mogo.mogo_update_client('$id', external_id => 'corp.example.billing')"
check_that "an external id with dots in it" is "$(check_key "'corp.example.billing.$secret'")" billing
check_that "a wrong secret" is "$(check_key "'$id.wrong'")" ""
check_that "no dot" is "$(check_key "'$id$secret'")" ""
check_that "a secret alone" is "$(check_key "'.$secret'")" ""
check_that "an id alone" is "$(check_key "'$id.'")" ""
check_that "a dot" is "$(check_key "'.'")" ""
check_that "an empty text" is "$(check_key "''")" ""
check_that "NULL" is "$(check_key '')" ""
check_that "one dot more" is "$(check_key "'$id.$secret.'")" ""
token=$(sql recipes -c "SET mogocred.secret_format = token" \
	-c "SELECT client_id || '.' || client_secret FROM mogo.mogo_add_client('token')")
check_that "a secret in token format" is "$(check_key "'$token'")" token
echo end
