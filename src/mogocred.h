/*-------------------------------------------------------------------------
 *
 * mogocred.h
 *	  What the modules of mogocred offer each other.
 *
 * Each module's head says what it owns and which rules hold in it; here is
 * only the list. Everything that is not in this list is static.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGOCRED_H
#define MOGOCRED_H

#include "postgres.h"

#include <sys/socket.h>			/* utils/inet.h uses AF_INET */

#include "access/genam.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/inet.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"

/* Marks the records that we raise, whose details and hints hold no value. */
#undef TEXTDOMAIN
#define TEXTDOMAIN PG_TEXTDOMAIN("mogocred")

/* The extension's version (test/t/build_version.pl compares it with the others) */
#define MOGO_VERSION		"1.0"

/* A live secret is at most this long in UTF-8; longer ones are never right. */
#define MOGO_MAX_SECRET		1024

/* The most live secrets that mogocred.max_live_secrets can allow a client */
#define MOGO_MAX_LIVE		20

#define MOGO_SALT_LEN		16
#define MOGO_DIGEST_LEN		32

/* "sha256$" + salt in hex + "$" + hash in hex; see hash.c */
#define MOGO_HASH_TEXT_LEN	(7 + 2 * MOGO_SALT_LEN + 1 + 2 * MOGO_DIGEST_LEN)

/* "$2a$10$" + 22 characters of salt + 31 of hash; see bcrypt.c */
#define MOGO_BCRYPT_LEN		60

/* The longest secret that generate.c makes, with its terminating NUL */
#define MOGO_NEW_SECRET_SIZE	(16 + 1 + 43 + 6 + 1)

/* parse.c: text from outside, without a backend behind it */
extern bool mogo_parse_uuid(const char *text, size_t len, pg_uuid_t *uuid);
extern bool mogo_parse_sha256(const char *text, size_t len, uint8 *digest);
extern bool mogo_parse_bcrypt(const char *text, size_t len);
extern bool mogo_parse_basic(const char *header, size_t len, char *out,
							 size_t outsize, size_t *idlen, size_t *secretlen);

/* hash.c: SHA-256, the stored form, comparing, wiping */
extern bool mogo_sha256(const void *a, size_t alen, const void *b, size_t blen,
						uint8 *digest);
extern bool mogo_hash_text(const uint8 *salt, const uint8 *digest, char *text);
extern bool mogo_equal(const void *a, const void *b, size_t len);
extern void mogo_hash_failed(void);

/* generate.c: ids, salts, secrets */
typedef struct MogoNewSecret
{
	pg_uuid_t	id;
	uint8		salt[MOGO_SALT_LEN];	/* its client's */
	uint8		digest[MOGO_DIGEST_LEN];
	char		hash[MOGO_HASH_TEXT_LEN];	/* the stored form */
	union
	{
		text		datum;
		char		bytes[VARHDRSZ + MOGO_NEW_SECRET_SIZE];
	}			clear;			/* as a text value, so that no copy is needed */
} MogoNewSecret;

extern void mogo_generate_init(void);
extern void mogo_new_client_id(pg_uuid_t *client_id);
extern void mogo_new_salt_and_id(uint8 *salt, pg_uuid_t *secret_id);
extern void mogo_new_secret(MogoNewSecret *secret, const uint8 *salt);

/* bcrypt.c: secrets that people chose, through pgcrypto */
extern void mogo_bcrypt_init(void);
extern bool mogo_bcrypt_matches(const char *secret, size_t len, const char *hash);
extern void mogo_bcrypt_make(const char *secret, size_t len, char *hash);

/* validate.c: what an administrator passes */
extern bool mogo_to_utf8(const char *text, size_t len, char *out, size_t outsize,
						 size_t *outlen);
extern bool mogo_valid_utf8(const char *text, size_t len);
extern void mogo_check_name(text *name);
extern void mogo_check_scopes(ArrayType *scopes);
extern void mogo_check_metadata(Datum metadata);
extern void mogo_check_expiry(TimestampTz expires_at, TimestampTz now);
extern TimestampTz mogo_add_interval(const char *argname, Interval *span,
									 TimestampTz now, int sign);
extern void mogo_require(FunctionCallInfo fcinfo, int argno, const char *argname);

/* present.c: what a caller of a check has sent */
typedef struct MogoPresented
{
	bool		has_id;
	pg_uuid_t	id;
	const inet *address;		/* NULL: not given */
	bool		by_digest;		/* the digest was sent, not the secret */
	bool		has_secret;		/* false: can match nothing */
	size_t		secret_len;
	struct varlena *copy;		/* of an argument, to be wiped; or NULL */
	uint8		digest[MOGO_DIGEST_LEN];
	char		hash[MOGO_HASH_TEXT_LEN];
	char		secret[MOGO_MAX_SECRET];	/* UTF-8 */
} MogoPresented;

extern void mogo_present_nothing(MogoPresented *presented);
extern void mogo_present_uuid(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_text(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_secret(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_digest(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_basic(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_address(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_wipe(MogoPresented *presented);
extern void mogo_wipe_copy(struct varlena *value, Datum original);

/* lookup.c: reading the rows that a check needs */

/* Columns of mogo_client, in SQL's order; those of a check stand first */
#define CLIENT_ID			1
#define CLIENT_ENABLED		2
#define CLIENT_SALT			3
#define CLIENT_LIVE			4
#define CLIENT_CIDRS		5
#define CLIENT_NAME			6
#define CLIENT_SCOPES		7
#define CLIENT_METADATA		8
#define CLIENT_CREATED_AT	9
#define CLIENT_CREATED_BY	10
#define CLIENT_COLUMNS		10

typedef struct MogoLookup
{
	Relation	rel;
	LOCKMODE	lock;			/* to be given back; or NoLock */
	Relation	index;			/* its primary key, with */
	IndexScanDesc scan;
	Snapshot	snapshot;
	SysScanDesc whole;			/* or, where there is none, all of it */
	TupleTableSlot *slot;
	bool		copied;			/* the slot is a copy, and the scan has ended */
	bool		found;
	/* the rest is set where found, and lives until mogo_lookup_end */
	bool		enabled;
	const uint8 *salt;			/* MOGO_SALT_LEN bytes */
	ArrayType  *live;
	ArrayType  *allowed_cidrs;
} MogoLookup;

typedef struct MogoLiveSecret
{
	pg_uuid_t	secret_id;
	TimestampTz expires_at;		/* DT_NOEND: never */
	const char *hash;			/* not terminated */
	size_t		hash_len;
} MogoLiveSecret;

extern void mogo_lookup_init(void);
extern Oid	mogo_table(Oid function, const char *name);
extern void mogo_check_table(Relation rel, const char *name);
extern const uint8 *mogo_salt(Datum column);
extern void mogo_lookup_begin(MogoLookup *lookup, Oid function, const pg_uuid_t *id);
extern void mogo_lookup_copy(MogoLookup *lookup);
extern void mogo_lookup_end(MogoLookup *lookup);
extern Datum mogo_lookup_column(MogoLookup *lookup, int attno, bool *isnull);
extern int	mogo_live_secrets(ArrayType *live, MogoLiveSecret *secrets);
extern Datum mogo_one_live_secret(Oid function, const MogoLiveSecret *secret);
extern bool mogo_ended_secret(Oid function, const pg_uuid_t *id, const char *hash,
							  char *bcrypt, bool *revoked);

/* change.c: statements on our tables as their owner, and the record of changes */
typedef struct MogoStatement
{
	const char *sql;			/* "@extschema@" stands for our schema */
	int			nargs;
	Oid			argtypes[12];
	SPIPlanPtr	plan;			/* kept for the session once prepared */
	Oid			schema;			/* what the plan was made for */
	NameData	schema_name;
} MogoStatement;

extern void mogo_begin(FunctionCallInfo fcinfo, const char *command);
extern void mogo_begin_as_owner_of(Oid table);
extern Oid	mogo_owner(void);
extern void mogo_end(void);
extern uint64 mogo_execute(MogoStatement *statement, const Datum *values, const bool *nulls);
extern void mogo_insert(const char *table, int ncolumns, const Datum *values, const bool *nulls);
extern void mogo_change_row(MogoStatement *statement, const Datum *values, const bool *nulls);
extern void mogo_throw_taken(MemoryContext context, const pg_uuid_t *client_id,
							 const text *name, const char *hint);
extern Datum mogo_result(int column, Oid type, bool *isnull);
extern char *mogo_role_name(Oid role);
extern const char *mogo_actor(void);
extern void mogo_record(const char *action, const pg_uuid_t *client_id, Datum client_name,
						const pg_uuid_t *secret_id, Datum detail);

/* json.c: credentials as JSON */
extern void mogo_append_text(StringInfo out, const text *value);
extern void mogo_append_uuid(StringInfo out, const pg_uuid_t *uuid);

/* secret.c: a client's secrets */
typedef struct MogoLocked
{
	pg_uuid_t	client_id;
	text	   *name;
	bool		enabled;
	uint8		salt[MOGO_SALT_LEN];
	TimestampTz now;			/* when the lock was had: the moment of the change */
} MogoLocked;

extern void mogo_secret_init(void);
extern void mogo_lock_client(const pg_uuid_t *client_id, MogoLocked *client);
extern void mogo_insert_secret(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
							   TimestampTz created_at);
extern void mogo_check_credentials(TupleDesc desc);
extern Datum mogo_credentials(FunctionCallInfo fcinfo, text *name, const pg_uuid_t *client_id,
							  const MogoNewSecret *secret, TimestampTz issued_at,
							  TimestampTz expires_at);

/* usage.c: use counts */
extern void mogo_usage_init(void);
extern void mogo_count_use(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
						   TimestampTz at);
extern void mogo_count_failure(const pg_uuid_t *client_id);

/* usage_worker.c, usage_flush.c: what takes them to the tables */
extern void mogo_usage_worker_init(void);
extern PGDLLEXPORT void mogo_usage_launcher_main(Datum arg);
extern PGDLLEXPORT void mogo_usage_flush_main(Datum arg);

/* redact.c: secrets out of the log and the statistics */
extern void mogo_redact_init(void);

#endif							/* MOGOCRED_H */
