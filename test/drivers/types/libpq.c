/*
 * test/drivers/libpq.c
 *	  mogocred through libpq, PostgreSQL's own driver: parameters and results in
 *	  binary, so that a uuid is 16 bytes and a timestamp is a number.
 *
 * Prints "ok NAME" or "FAILED NAME: why" for each of the ten things that every
 * driver's test does (see ../README.md). Connects as the PG* variables say.
 */
#include <libpq-fe.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UUID_OID 2950
#define TEXT_OID 25
#define UUID_LEN 16

/* 2035-01-01 00:00:00 UTC, in microseconds since 2000-01-01 */
#define EXPIRY INT64_C(1104537600000000)

static PGconn *conn;

static void
report(const char *name, bool ok)
{
	if (ok)
		printf("ok %s\n", name);
	else
		printf("FAILED %s: %s\n", name, PQerrorMessage(conn));
}

/* Runs SQL with up to two parameters; a length of 0 means text. Answers in binary. */
static PGresult *
run(const char *sql, const char *p1, int len1, const char *p2)
{
	const Oid	types[] = {len1 ? UUID_OID : TEXT_OID, TEXT_OID};
	const char *values[] = {p1, p2};
	const int	lengths[] = {len1, 0};
	const int	formats[] = {len1 != 0, 0};
	int			n = strstr(sql, "$2") ? 2 : strstr(sql, "$1") ? 1 : 0;

	return PQexecParams(conn, sql, n, types, values, lengths, formats, 1);
}

/* Is the result one binary boolean of this value? */
static bool
is_bool(PGresult *res, int value)
{
	return PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 &&
		!PQgetisnull(res, 0, 0) && PQgetlength(res, 0, 0) == 1 && PQgetvalue(res, 0, 0)[0] == value;
}

/* Does the column of the first row hold these bytes? */
static bool
is_bytes(PGresult *res, int column, const void *bytes, int len)
{
	return PQntuples(res) == 1 && PQgetlength(res, 0, column) == len &&
		memcmp(PQgetvalue(res, 0, column), bytes, len) == 0;
}

static int32_t
int32_at(const char *p)
{
	uint32_t	value;

	memcpy(&value, p, sizeof(value));
	return (int32_t) ntohl(value);
}

/* Is it the row that mogo_authenticate should give? */
static bool
is_row(PGresult *res, const char *id, const char *secret_id)
{
	/* array: dimensions, null flag, element type, size, lower bound; then length and bytes */
	const char *scopes = PQntuples(res) == 1 ? PQgetvalue(res, 0, 2) : NULL;
	const char *expiry = scopes ? PQgetvalue(res, 0, 5) : NULL;

	return scopes && is_bytes(res, 0, id, UUID_LEN) && is_bytes(res, 1, "driver libpq", 12) &&
		int32_at(scopes) == 1 && int32_at(scopes + 12) == 2 &&
		int32_at(scopes + 20) == 4 && memcmp(scopes + 24, "read", 4) == 0 &&
		int32_at(scopes + 28) == 5 && memcmp(scopes + 32, "write", 5) == 0 &&
		is_bytes(res, 3, "\1{\"tier\": 1}", 12) && is_bytes(res, 4, secret_id, UUID_LEN) &&
		(((int64_t) int32_at(expiry) << 32) | (uint32_t) int32_at(expiry + 4)) == EXPIRY;
}

/* "Basic " and the id and the secret in base64. */
static const char *
basic(const char *id, const char *secret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char header[256] = "Basic ";
	char		pair[128] = "";
	char	   *out = header + 6;
	int			len = snprintf(pair, sizeof(pair), "%s:%s", id, secret);

	for (int i = 0; i < len; i += 3)
	{
		unsigned	bits = (unsigned char) pair[i] << 16 | (unsigned char) pair[i + 1] << 8 | (unsigned char) pair[i + 2];

		for (int k = 0; k < 4; k++)
			*out++ = i + k > len ? '=' : digits[bits >> (18 - 6 * k) & 63];
	}
	*out = '\0';
	return header;
}

/* Waits for a notice about this client for at most ten seconds. */
static bool
heard(const char *id)
{
	struct pollfd fd = {PQsocket(conn), POLLIN, 0};
	PGnotify   *notice;
	bool		found = false;

	while (!found)
	{
		while ((notice = PQnotifies(conn)) != NULL)
		{
			found |= strcmp(notice->relname, "mogocred") == 0 &&
				strstr(notice->extra, "\"client_disabled\"") && strstr(notice->extra, id);
			PQfreemem(notice);
		}
		if (!found && (poll(&fd, 1, 10000) != 1 || !PQconsumeInput(conn)))
			return false;
	}
	return true;
}

int
main(void)
{
	char		id[UUID_LEN], secret_id[UUID_LEN], secret[64] = "", id_text[64] = "", expected[256];
	PGresult   *res;
	bool		ok;

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		return 1;
	}
	printf("# %d.%d\n", PQlibVersion() / 10000, PQlibVersion() % 10000);

	res = run("SELECT client_id, client_secret, secret_id, client_id::text FROM"
			  " mogo_add_client($1, '2035-01-01 00:00:00+00', '{read,write}', '{\"tier\": 1}')",
			  "driver libpq", 0, NULL);
	ok = PQntuples(res) == 1 && PQgetlength(res, 0, 0) == UUID_LEN && PQgetlength(res, 0, 1) == 36;
	report("add", ok);
	if (!ok)
		return 1;
	memcpy(id, PQgetvalue(res, 0, 0), UUID_LEN);
	memcpy(secret, PQgetvalue(res, 0, 1), 36);
	memcpy(secret_id, PQgetvalue(res, 0, 2), UUID_LEN);
	memcpy(id_text, PQgetvalue(res, 0, 3), 36);

	res = run("SELECT mogo_credentials_json('driver libpq', $1, $2)", id, UUID_LEN, secret);
	snprintf(expected, sizeof(expected), "{\n  \"clientName\": \"driver libpq\",\n  \"clientId\": \"%s\",\n"
			 "  \"clientSecret\": \"%s\"\n}", id_text, secret);
	report("json", is_bytes(res, 0, expected, strlen(expected)));

	report("verify uuid", is_bool(run("SELECT mogo_verify($1, $2)", id, UUID_LEN, secret), 1) &&
		   is_bool(run("SELECT mogo_verify($1, $2)", id, UUID_LEN, "wrong"), 0));
	report("verify text", is_bool(run("SELECT mogo_verify($1, $2)", id_text, 0, secret), 1) &&
		   is_bool(run("SELECT mogo_verify($1, $2)", "no-uuid", 0, secret), 0));
	report("null", is_bool(run("SELECT mogo_verify($1, $2)", NULL, UUID_LEN, secret), 0) &&
		   is_bool(run("SELECT mogo_verify($1, $2)", id_text, 0, NULL), 0));

	ok = PQresultStatus(PQprepare(conn, "check", "SELECT mogo_verify($1, $2)", 0, NULL)) == PGRES_COMMAND_OK;
	for (int i = 0; i < 10; i++)
	{
		const char *values[] = {id_text, i % 2 ? secret : "wrong"};

		ok &= is_bool(PQexecPrepared(conn, "check", 2, values, NULL, NULL, 1), i % 2);
	}
	report("prepared", ok);

	res = run("SELECT * FROM mogo_authenticate($1, $2)", id, UUID_LEN, secret);
	report("authenticate", is_row(res, id, secret_id) &&
		   PQntuples(run("SELECT * FROM mogo_authenticate($1, $2)", id, UUID_LEN, "wrong")) == 0);
	res = run("SELECT * FROM mogo_authenticate_basic($1)", basic(id_text, secret), 0, NULL);
	report("basic", is_row(res, id, secret_id) &&
		   PQntuples(run("SELECT * FROM mogo_authenticate_basic($1)", basic(id_text, "wrong"), 0, NULL)) == 0);

	res = run("SELECT * FROM mogo_add_client($1)", "driver libpq", 0, NULL);
	ok = PQresultStatus(res) == PGRES_FATAL_ERROR && strcmp(PQresultErrorField(res, PG_DIAG_SQLSTATE), "23505") == 0;
	report("sqlstate", ok);

	run("LISTEN mogocred", NULL, 0, NULL);
	run("SELECT mogo_disable_client($1)", id, UUID_LEN, NULL);
	report("listen", heard(id_text));
	return 0;
}
