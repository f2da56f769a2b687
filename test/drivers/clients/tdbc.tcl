# The client's side of a conversation with judge.py (see ../README.md).
package require tdbc::postgres
source [file join [file dirname [info script]] snippet.tcl]

set db [tdbc::postgres::connection new -host $env(PGHOST) -port $env(PGPORT) -database $env(PGDATABASE) \
    -user $env(PGUSER) -password $env(PGPASSWORD)]

proc trap {what there} { puts "trap\t[expr {$there ? "yes" : "no"}]\t$what" }

proc answer {db call args} {
    switch $call {
        authenticate {
            set row [authenticate $db {*}$args]
            if {$row eq ""} { return none }
            return "row\t[dict get $row client_name]\t[string map {[ "" ] "" \" ""} [dict get $row scopes]]"
        }
        add {
            set row [add $db [lindex $args 0] "\[\"[join [split [lindex $args 1] ,] {","}]\"\]"]
            return "added\t[dict get $row client_id]\t[dict get $row client_secret]\t[dict get $row secret_id]"
        }
        revoke {
            revoke $db {*}$args
            return done
        }
        traps {
            lassign $args id secret
            set rows [$db allrows -as lists {SELECT mogo.mogo_verify(:id, 'wrong'), (:nothing)::text IS NULL}]
            trap "a boolean is one for expr" [expr {!([lindex $rows 0 0])}]
            trap "an unset variable is NULL" [lindex $rows 0 1]
            return end
        }
    }
}

puts "# [package present tdbc::postgres]"
flush stdout
while {[gets stdin line] >= 0} {
    if {[catch {answer $db {*}[split $line \t]} said how]} {
        set state [lindex [dict get $how -errorcode] 2]
        set said "error\t$state\t$said"
    }
    puts [string map {\n " "} $said]
    flush stdout
}
