#!/usr/bin/env bash
# doc/recipes.md: tenants. globex_admin attacks acme's clients.
# shellcheck source=test/drivers/lib/checks.sh
. "${0%/*}/../lib/checks.sh"

as() {
	local user=$1
	shift
	PGUSER=$user sql recipes "$@"
}

sql recipes -f "$(block tenants.sql)"
sql recipes -f "$(block new-tenant.sql)"
sed 's/acme/globex/g' "$(block new-tenant.sql)" | sql recipes -f -
for role in acme_admin globex_admin; do sql recipes -c "ALTER ROLE $role PASSWORD '$PGPASSWORD'"; done
sql recipes -c "CREATE ROLE nobodys_admin LOGIN PASSWORD '$PGPASSWORD' IN ROLE tenant_admin" \
	-c "CREATE ROLE stranger LOGIN PASSWORD '$PGPASSWORD'"

read -r id secret <<<"$(as acme_admin -c "SELECT * FROM tenants.add_client('billing')")"
check_that "a tenant adds a client, and its secret is good" is \
	"$(sql recipes -c "SELECT client_name FROM mogo.mogo_authenticate('$id', '$secret')")" acme/billing
check_that "the tenant sees it, without the prefix" is "$(as acme_admin -c 'SELECT client_name FROM tenants.clients')" billing
check_that "with every column of the view" is "$(as acme_admin -c 'SELECT count(c) FROM tenants.clients AS c')" 1
check_that "another tenant does not" is "$(as globex_admin -c 'SELECT count(*) FROM tenants.clients')" 0
check_that "nor by a function that looks into rows" is "$(as globex_admin -c "CREATE FUNCTION pg_temp.peek(text)
	RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS \$\$ BEGIN RAISE WARNING '%', \$1; RETURN true; END \$\$" \
	-c 'SELECT client_name FROM tenants.clients WHERE pg_temp.peek(client_name)' 2>&1)" ""
check_that "the same name in another tenant" is "$(as globex_admin -c "SELECT count(*) FROM tenants.add_client('billing')")" 1
check_that "another tenant cannot remove it" fails_with "does not exist" as globex_admin -c "SELECT tenants.remove_client('$id')"
check_that "a name that climbs out stays inside" is "$(as globex_admin -c "SELECT count(*) FROM tenants.add_client('../acme/x')" \
	-c "RESET ALL" && as acme_admin -c 'SELECT count(*) FROM tenants.clients')" $'1\n1'
check_that "nothing of mogocred's is theirs" fails_with "permission denied" as acme_admin -c "SELECT mogo.mogo_remove_client('$id')"
check_that "nor its views" fails_with "permission denied" as acme_admin -c 'SELECT * FROM mogo.mogo_clients'
check_that "nor the list of members" fails_with "permission denied" as acme_admin -c "UPDATE tenants.member SET tenant = 'globex'"
check_that "SET ROLE makes no other tenant" fails_with "permission denied to set role" as globex_admin -c 'SET ROLE acme_admin'
check_that "a member of no tenant sees nothing" is "$(as nobodys_admin -c 'SELECT count(*) FROM tenants.clients')" 0
check_that "and adds nothing" fails as nobodys_admin -c "SELECT tenants.add_client('x')"
check_that "a stranger may not call" fails_with "permission denied" as stranger -c "SELECT tenants.add_client('x')"
check_that "the audit names both" is "$(sql recipes -c "SELECT actor, acting_as FROM mogo.mogo_audit
	WHERE client_name = 'acme/billing'")" "acme_admin my_admin"
check_that "the tenant removes it" as acme_admin -c "SELECT tenants.remove_client('$id')"
check_that "and it is gone" is "$(sql recipes -c "SELECT count(*) FROM mogo.mogo_authenticate('$id', '$secret')")" 0
echo end
