package main

import (
	"database/sql"
	"errors"

	"github.com/lib/pq"
)

func main() {
	db, err := sql.Open("postgres", "sslmode=disable") // as PG* says
	if err != nil {
		panic(err)
	}
	converse(version, calls{
		authenticate: func(id, secret string) (*Client, error) { return authenticate(db, id, secret) },
		add:          func(name string, scopes []string) (Credentials, error) { return add(db, name, scopes) },
		revoke:       func(secretID string) error { return revoke(db, secretID) },
		sqlstate: func(err error) string {
			var fault *pq.Error
			errors.As(err, &fault)
			return string(fault.Code)
		},
		traps: func(id, secret string) map[string]bool {
			_, err := add(db, "without a slice", nil)
			var fault *pq.Error
			return map[string]bool{"pq.Array(nil) is NULL": errors.As(err, &fault) && fault.Code == "22004"}
		},
	})
}
