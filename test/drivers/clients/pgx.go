package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

func main() {
	ctx := context.Background()
	db, err := pgxpool.Connect(ctx, "sslmode=disable") // as PG* says
	if err != nil {
		panic(err)
	}
	converse(version, calls{
		authenticate: func(id, secret string) (*Client, error) { return authenticate(ctx, db, id, secret) },
		add:          func(name string, scopes []string) (Credentials, error) { return add(ctx, db, name, scopes) },
		revoke:       func(secretID string) error { return revoke(ctx, db, secretID) },
		sqlstate: func(err error) string {
			var fault *pgconn.PgError
			errors.As(err, &fault)
			return fault.Code
		},
		traps: func(id, secret string) map[string]bool {
			_, err := add(ctx, db, "without a slice", nil)
			var fault *pgconn.PgError
			return map[string]bool{
				"a nil slice is NULL":      errors.As(err, &fault) && fault.Code == "22004",
				"a logger gets the secret": logged(ctx, id, secret),
			}
		},
	})
}

// A logger that keeps what it got.
type keeper struct{ all string }

func (k *keeper) Log(_ context.Context, _ pgx.LogLevel, _ string, data map[string]interface{}) {
	k.all += fmt.Sprint(data)
}

func logged(ctx context.Context, id, secret string) bool {
	var kept keeper
	config, _ := pgxpool.ParseConfig("sslmode=disable")
	config.ConnConfig.Logger = &kept
	db, err := pgxpool.ConnectConfig(ctx, config)
	if err != nil {
		return false
	}
	defer db.Close()
	_, _ = authenticate(ctx, db, id, secret)
	return strings.Contains(kept.all, secret)
}
