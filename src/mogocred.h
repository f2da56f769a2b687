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

/* The most scopes, and the most networks, of a client; the longest scope, in bytes */
#define MOGO_MAX_LIST		256
#define MOGO_MAX_SCOPE		255

/* The most characters of a client's external id, which are all ASCII */
#define MOGO_MAX_EXTERNAL_ID	255

#define MOGO_SALT_LEN		16
#define MOGO_DIGEST_LEN		32

/* "sha256$" + salt in hex + "$" + hash in hex; see hash.c */
#define MOGO_HASH_TEXT_LEN	(7 + 2 * MOGO_SALT_LEN + 1 + 2 * MOGO_DIGEST_LEN)

/* A SHA-512 hash's bytes, and the most bytes of salt and of hash that PBKDF2 has here */
#define MOGO_DIGEST_512_LEN	64
#define MOGO_PBKDF2_BYTES	64
#define MOGO_PBKDF2_ITERATIONS	2000000

/* No stored form is longer; the longest is PBKDF2's. */
#define MOGO_MAX_HASH_TEXT	255

/* The most live secrets with a slow hash (bcrypt, PBKDF2) that a client can have */
#define MOGO_MAX_SLOW		2

/* "$2a$10$" + 22 characters of salt + 31 of hash; see bcrypt.c */
#define MOGO_BCRYPT_LEN		60

/* The longest secret that generate.c makes, with its terminating NUL */
#define MOGO_NEW_SECRET_SIZE	(16 + 1 + 43 + 6 + 1)

/* An invitation's code: a token with this prefix */
#define MOGO_CODE_PREFIX	"mogoinvite"
#define MOGO_CODE_LEN		(10 + 1 + 43 + 6)

/* parse.c: text from outside, without a backend behind it */
typedef struct MogoPbkdf2
{
	bool		sha512;			/* HMAC-SHA-512, else HMAC-SHA-256 */
	uint32		iterations;
	size_t		salt_len;
	size_t		hash_len;
	uint8		salt[MOGO_PBKDF2_BYTES + 2];	/* a base64 group is 3 bytes */
	uint8		hash[MOGO_PBKDF2_BYTES + 2];
} MogoPbkdf2;

extern bool mogo_parse_uuid(const char *str, size_t len, pg_uuid_t *uuid);
extern bool mogo_parse_external_id(const char *str, size_t len);
extern bool mogo_parse_digest(const char *str, size_t len, uint8 *digest, size_t digest_len);
extern bool mogo_parse_pbkdf2(const char *str, size_t len, MogoPbkdf2 *pbkdf2);
extern void mogo_strip_bcrypt(const char **str, size_t *len);
extern bool mogo_parse_bcrypt(const char *str, size_t len);
extern bool mogo_parse_stored_form(const char *str, size_t len);
extern const char *mogo_parse_presentable(const char *str, size_t len);
extern bool mogo_parse_address(const char *str, size_t len, uint8 *bytes, int *nbytes);
extern bool mogo_parse_basic(const char *header, size_t len, char *out,
							 size_t outsize, size_t *idlen, size_t *secretlen);

/* hash.c: SHA-256, the stored form, comparing, wiping */
typedef enum MogoHashKind
{
	MOGO_HASH_NATIVE,
	MOGO_HASH_SHA512,
	MOGO_HASH_BCRYPT,			/* from here on slow */
	MOGO_HASH_PBKDF2
} MogoHashKind;

extern bool mogo_sha256(const void *a, size_t alen, const void *b, size_t blen,
						uint8 *digest);
extern bool mogo_sha512(const void *bytes, size_t len, uint8 *digest);
extern bool mogo_hash_text(const uint8 *salt, const uint8 *digest, char *out);
extern bool mogo_hash_text_512(const uint8 *salt, const uint8 *digest, char *out);
extern MogoHashKind mogo_hash_kind(const char *hash, size_t len);
extern bool mogo_is_slow(const char *hash, size_t len);
extern bool mogo_is_native(const char *hash, size_t len);
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

typedef struct MogoNewCode
{
	pg_uuid_t	id;
	uint8		digest[MOGO_DIGEST_LEN];	/* what is stored */
	union
	{
		text		datum;
		char		bytes[VARHDRSZ + MOGO_CODE_LEN + 1];
	}			clear;
} MogoNewCode;

extern void mogo_generate_init(void);
extern void mogo_new_client_id(pg_uuid_t *client_id);
extern void mogo_new_salt_and_id(uint8 *salt, pg_uuid_t *secret_id);
extern void mogo_new_secret(MogoNewSecret *secret, const uint8 *salt);
extern void mogo_new_code(MogoNewCode *code);

/* bcrypt.c: secrets that people chose, through pgcrypto */
extern void mogo_bcrypt_init(void);
extern bool mogo_bcrypt_matches(const char *secret, size_t len, const char *hash);
extern void mogo_bcrypt_make(const char *secret, size_t len, char *hash);

/* pbkdf2.c: PBKDF2 hashes from other systems */
extern bool mogo_pbkdf2_matches(const char *secret, size_t len, const char *hash,
								size_t hash_len);

/* text.c: encodings, JSON strings, wiping */
extern bool mogo_to_utf8(const char *str, size_t len, char *out, size_t outsize,
						 size_t *outlen);
extern bool mogo_valid_utf8(const char *str, size_t len);
extern void mogo_append_text(StringInfo out, const text *value);
extern void mogo_append_uuid(StringInfo out, const pg_uuid_t *uuid);
extern void mogo_append_time(StringInfo out, TimestampTz at);
extern char *mogo_uuid_text(const pg_uuid_t *uuid);
extern void mogo_wipe_copy(struct varlena *value, Datum original);

/* validate.c: what an administrator passes */
extern void mogo_require(FunctionCallInfo fcinfo, int argno, const char *argname);
extern void mogo_check_name(const text *name);
extern void mogo_check_label(const text *label);
extern void mogo_check_external_id(const text *external_id);
extern void mogo_check_scopes(ArrayType *scopes);
extern const char *mogo_metadata_text(Datum metadata);
extern void mogo_check_metadata(Datum metadata);
extern void mogo_check_cidrs(ArrayType *cidrs);
extern void mogo_check_finite(TimestampTz expires_at);
extern void mogo_check_expiry(TimestampTz expires_at, TimestampTz now);
extern TimestampTz mogo_add_interval(const char *argname, Interval *span,
									 TimestampTz now, int sign);

/* present.c: what a caller of a check has sent */
typedef struct MogoPresented
{
	bool		has_id;			/* false: can be nobody's */
	const text *external_id;	/* it is one; NULL: a client id, */
	pg_uuid_t	id;				/* this one */
	bool		has_address;	/* it was given; */
	const inet *address;		/* NULL: it is not one, and in no network */
	bool		by_digest;		/* the digest was sent, not the secret */
	bool		has_secret;		/* false: can match nothing */
	size_t		secret_len;
	struct varlena *copy;		/* of an argument, to be wiped; or NULL */
	bool		has_hash_512;	/* hash_512 was needed */
	uint8		digest[MOGO_DIGEST_LEN];
	char		hash[MOGO_HASH_TEXT_LEN];	/* native, for its client's salt */
	char		hash_512[MOGO_HASH_TEXT_LEN];
	char		secret[MOGO_MAX_SECRET];	/* UTF-8 */
} MogoPresented;

/* What takes over one argument; see there. */
typedef void (*MogoReadArgument) (FunctionCallInfo fcinfo, int argno, MogoPresented *presented);

extern void mogo_present_nothing(MogoPresented *presented);
extern void mogo_present_uuid(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_id(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_secret(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_digest(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_basic(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_address(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_present_inet(FunctionCallInfo fcinfo, int argno, MogoPresented *presented);
extern void mogo_wipe(MogoPresented *presented);

/* network.c: addresses inside a client's networks */
extern bool mogo_address_allowed(ArrayType *cidrs, const inet *addr);

/* tables.c: the shape of our tables and of what stands in a client's row */
typedef enum MogoTable
{
	MOGO_CLIENT,
	MOGO_SECRET,
	MOGO_AUDIT_LOG,
	MOGO_INVITATION_CODE,
	MOGO_SECRET_USAGE,
	MOGO_CLIENT_USAGE
} MogoTable;

#define MOGO_TABLES		(MOGO_CLIENT_USAGE + 1)

/* Columns in the script's order; those that a check reads stand first. */
#define Anum_mogo_client_client_id		1
#define Anum_mogo_client_enabled		2
#define Anum_mogo_client_salt			3
#define Anum_mogo_client_live			4
#define Anum_mogo_client_allowed_cidrs	5
#define Anum_mogo_client_client_name	6
#define Anum_mogo_client_scopes			7
#define Anum_mogo_client_metadata		8
#define Anum_mogo_client_created_at		9
#define Anum_mogo_client_created_by		10
#define Anum_mogo_client_external_id	11
#define Natts_mogo_client				11

#define Anum_mogo_secret_secret_id		1
#define Anum_mogo_secret_client_id		2
#define Anum_mogo_secret_created_at		3
#define Anum_mogo_secret_created_by		4
#define Anum_mogo_secret_expires_at		5
#define Anum_mogo_secret_revoked_at		6
#define Anum_mogo_secret_hash			7
#define Anum_mogo_secret_label			8
#define Natts_mogo_secret				8

#define Anum_mogo_audit_log_at			1
#define Anum_mogo_audit_log_actor		2
#define Anum_mogo_audit_log_acting_as	3
#define Anum_mogo_audit_log_action		4
#define Anum_mogo_audit_log_client_id	5
#define Anum_mogo_audit_log_client_name	6
#define Anum_mogo_audit_log_secret_id	7
#define Anum_mogo_audit_log_client_addr	8
#define Anum_mogo_audit_log_application_name	9
#define Anum_mogo_audit_log_detail		10
#define Natts_mogo_audit_log			10

#define Anum_mogo_invitation_code_invitation_id		1
#define Anum_mogo_invitation_code_client_id			2
#define Anum_mogo_invitation_code_code_hash			3
#define Anum_mogo_invitation_code_created_at		4
#define Anum_mogo_invitation_code_created_by		5
#define Anum_mogo_invitation_code_expires_at		6
#define Anum_mogo_invitation_code_overlap			7
#define Anum_mogo_invitation_code_secret_expires_at 8
#define Anum_mogo_invitation_code_secret_label		9
#define Anum_mogo_invitation_code_accepted_at		10
#define Anum_mogo_invitation_code_accepted_from		11
#define Anum_mogo_invitation_code_revoked_at		12
#define Natts_mogo_invitation_code					12

/* Tells whether two ids, of clients or of secrets, are the same. */
#define mogo_same_id(a, b)	(memcmp(a, b, sizeof(pg_uuid_t)) == 0)

typedef struct MogoLiveSecret
{
	pg_uuid_t	secret_id;
	TimestampTz expires_at;		/* DT_NOEND: never */
	bool		generated;		/* a program made it: its hash may become
								 * native */
	const char *hash;			/* not terminated */
	size_t		hash_len;
} MogoLiveSecret;

extern void mogo_tables_init(void);
extern const char *mogo_table_name(MogoTable table);
extern int	mogo_table_columns(MogoTable table);
extern Oid	mogo_table_in(Oid schema, MogoTable table);
extern Oid	mogo_table(Oid function, MogoTable table);
extern void mogo_check_row_type(TupleDesc desc, const char *name, const Oid *types,
								int ncolumns);
extern void mogo_check_live_type(Oid type);
extern Oid	mogo_live_type(Oid schema);
extern void mogo_check_table(Relation rel, MogoTable table);
extern Oid	mogo_usable_index(Oid index, Relation rel, int nkeys, const AttrNumber *keys);
extern const uint8 *mogo_salt(Datum column);
extern int	mogo_live_secrets(ArrayType *live, MogoLiveSecret *secrets);
extern MogoLiveSecret *mogo_find_live(MogoLiveSecret *secrets, int n,
									  const pg_uuid_t *secret_id);
extern Datum mogo_live_array(Oid schema, const MogoLiveSecret *secrets, int n);

/* lookup.c: reading the rows that a check needs */
typedef struct MogoLookup
{
	Relation	rel;
	LOCKMODE	lock;			/* to be given back; or NoLock */
	Relation	index;			/* the one on the id that was sent, with */
	IndexScanDesc scan;
	Snapshot	snapshot;
	SysScanDesc whole;			/* or, without one, all of it */
	TupleTableSlot *slot;
	bool		copied;			/* the slot is a copy, and the scan has ended */
	bool		found;
	/* the rest is set if found, and lives until mogo_lookup_end */
	pg_uuid_t	client_id;
	bool		enabled;
	const uint8 *salt;			/* MOGO_SALT_LEN bytes */
	ArrayType  *live;
} MogoLookup;

typedef struct MogoEndedSecret
{
	TimestampTz ended_at;
	bool		revoked;		/* else expired */
	size_t		hash_len;
	char		hash[MOGO_MAX_HASH_TEXT];
} MogoEndedSecret;

extern void mogo_lookup_init(void);
extern void mogo_lookup_begin(MogoLookup *lookup, Oid function,
							  const MogoPresented *presented);
extern void mogo_lookup_copy(MogoLookup *lookup);
extern void mogo_lookup_end(MogoLookup *lookup);
extern Datum mogo_lookup_column(MogoLookup *lookup, int attno, bool *isnull);
extern bool mogo_ended_secret(Oid function, const pg_uuid_t *id, const char *hash,
							  bool *revoked);
extern int	mogo_ended_slow_secrets(Oid function, const pg_uuid_t *id,
									MogoEndedSecret *secrets);

/* check.c: a pair that is right, for functions that change something for it */
typedef struct MogoProofForm
{
	bool		id_is_text;		/* argument 0; else it is a uuid */
	bool		address_is_inet;	/* else it is text */
	int			address_arg;	/* -1: the function has none */
} MogoProofForm;

typedef struct MogoProof
{
	pg_uuid_t	client_id;
	pg_uuid_t	secret_id;		/* of the secret that was sent */
	bool		can_rehash;		/* it may get this hash: */
	char		native[MOGO_HASH_TEXT_LEN];
} MogoProof;

extern bool mogo_prove(FunctionCallInfo fcinfo, const MogoProofForm *form, MogoProof *proof);

/* change.c: statements on our tables as their owner, and the record of changes */
typedef struct MogoChange
{
	Oid			schema;			/* where our tables are */
	Oid			owner;			/* whose they are */
	const text *client_name;	/* for an error's CONTEXT, if known; else */
	const pg_uuid_t *client_id; /* this one, if known */
	ErrorContextCallback context;
} MogoChange;

typedef struct MogoStatement
{
	const char *sql;			/* "@extschema@" stands for our schema */
	int			nargs;
	Oid			argtypes[8];
	SPIPlanPtr	plan;			/* kept for the session once prepared */
	Oid			schema;			/* what the plan was made for */
	NameData	schema_name;
} MogoStatement;

extern void mogo_begin(MogoChange *change, FunctionCallInfo fcinfo, int nargs,
					   const char *command);
extern void mogo_begin_as_owner_of(MogoChange *change, Oid table);
extern void mogo_end(MogoChange *change);
extern uint64 mogo_execute(const MogoChange *change, MogoStatement *statement,
						   const Datum *values, const bool *nulls);
extern uint64 mogo_read_latest(const MogoChange *change, MogoStatement *statement,
							   const Datum *values, const bool *nulls);
extern void mogo_change_row(const MogoChange *change, MogoStatement *statement,
							const Datum *values, const bool *nulls);
extern void mogo_insert(const MogoChange *change, MogoTable table,
						const Datum *values, const bool *nulls);
extern void mogo_stale_snapshot(void);
extern void mogo_throw_taken(MemoryContext context, const pg_uuid_t *client_id,
							 const text *name, const text *external_id,
							 const char *hint);
extern Datum mogo_result(int column, Oid type, bool *isnull);

/* row.c: functions that return one row or none */
typedef Datum (*MogoMakeRow) (FunctionCallInfo fcinfo, const void *arg);

extern Datum mogo_one_row(FunctionCallInfo fcinfo, MogoMakeRow make, const void *arg);
extern TupleDesc mogo_row_type(FunctionCallInfo fcinfo, int ncolumns);

/* record.c: the audit and the notification of every change */
extern void mogo_record_init(void);
extern char *mogo_role_name(Oid role);
extern const char *mogo_actor(void);
extern void mogo_record(const MogoChange *change, const char *action,
						const pg_uuid_t *client_id, const text *client_name,
						const pg_uuid_t *secret_id, const char *detail);

/* detail.c: what the audit says about clients and secrets */
extern void mogo_append_list(StringInfo out, Datum list);
extern void mogo_append_metadata(StringInfo out, Datum metadata);
extern void mogo_append_properties(StringInfo out, const text *external_id, Datum scopes,
								   Datum metadata, Datum allowed_cidrs);
extern void mogo_append_secret(StringInfo out, TimestampTz expires_at, const text *label);

/* credentials.c: the type mogo_credentials, and credentials as JSON */
extern void mogo_one_call(FunctionCallInfo fcinfo, const pg_uuid_t *client_id);
extern Datum mogo_credentials(FunctionCallInfo fcinfo, const text *name,
							  const pg_uuid_t *client_id, const text *external_id,
							  const MogoNewSecret *secret, TimestampTz issued_at,
							  TimestampTz expires_at);

/* secret.c: a client's secrets */
typedef struct MogoLocked
{
	pg_uuid_t	client_id;
	text	   *name;
	text	   *external_id;	/* NULL: none */
	bool		enabled;
	uint8		salt[MOGO_SALT_LEN];
	ArrayType  *live;
	TimestampTz now;			/* when the lock was had: the moment of the
								 * change */
} MogoLocked;

extern void mogo_secret_init(void);
extern void mogo_no_such_client(const pg_uuid_t *client_id);
extern void mogo_no_such_secret(const pg_uuid_t *secret_id);
extern bool mogo_try_lock_client(MogoChange *change, const pg_uuid_t *client_id,
								 MogoLocked *client);
extern void mogo_lock_client(MogoChange *change, const pg_uuid_t *client_id,
							 MogoLocked *client);
extern void mogo_insert_secret(const MogoChange *change, const pg_uuid_t *client_id,
							   const pg_uuid_t *secret_id, TimestampTz created_at,
							   const text *label);
extern int	mogo_end_secrets(const MogoChange *change, const MogoLocked *client,
							 bool revoke_all, const pg_uuid_t *revoke,
							 TimestampTz cutoff, MogoLiveSecret *secrets);
extern void mogo_save_live(const MogoChange *change, const MogoLocked *client,
						   const MogoLiveSecret *secrets, int n);
extern const text *mogo_label_arg(FunctionCallInfo fcinfo, int argno);
extern void mogo_add_live(const MogoChange *change, const MogoLocked *client,
						  const MogoLiveSecret *secrets, int n, const text *label,
						  const char *action, const char *members);
extern Datum mogo_issue_secret(FunctionCallInfo fcinfo, MogoChange *change,
							   const MogoLocked *client, MogoLiveSecret *secrets, int n,
							   TimestampTz expires_at, const text *label,
							   const char *action, const char *detail);
extern void mogo_check_room(const MogoLocked *client, int n);

/* lifetime.c: when secrets end */
extern void mogo_lifetime_init(void);
extern TimestampTz mogo_expiry_arg(FunctionCallInfo fcinfo, int argno);
extern TimestampTz mogo_secret_expiry(TimestampTz asked, TimestampTz now);
extern TimestampTz mogo_latest_expiry(TimestampTz created_at);
extern void mogo_check_latest(TimestampTz expires_at, TimestampTz created_at);

/* issue.c: new clients */
typedef struct MogoNewClient
{
	pg_uuid_t	client_id;
	text	   *name;
	text	   *external_id;	/* NULL: none */
	Datum		scopes;			/* text[] */
	Datum		metadata;		/* jsonb */
	Datum		allowed_cidrs;	/* cidr[]; 0: none */
	TimestampTz now;
	uint8		salt[MOGO_SALT_LEN];
	const text *label;			/* of its first secret; NULL: none */
} MogoNewClient;

extern void mogo_insert_client(const MogoChange *change, const MogoNewClient *client,
							   const MogoLiveSecret *secret, const char *algorithm);

extern Datum mogo_issue_client(FunctionCallInfo fcinfo, const MogoChange *change,
							   MogoNewClient *client, bool with_secret,
							   TimestampTz expires_at);

/* client.c: a client's properties, by number; number 0 is its id */
#define PROPERTY_NAME			1
#define PROPERTY_SCOPES			2
#define PROPERTY_METADATA		3
#define PROPERTY_CIDRS			4
#define PROPERTY_EXTERNAL_ID	5
#define MOGO_PROPERTIES			5

extern void mogo_check_properties(const Datum *values, const bool *nulls);
extern bool mogo_set_properties(MogoChange *change, const Datum *values, const bool *nulls,
								bool keep_name);

/* usage.c: use counts */
extern void mogo_usage_init(void);
extern void mogo_count_use(const pg_uuid_t *client_id, const pg_uuid_t *secret_id,
						   TimestampTz at);
extern void mogo_count_failure(const pg_uuid_t *client_id);

/* usage_worker.c, usage_flush.c: what takes them to the tables */
extern void mogo_usage_worker_init(void);
extern PGDLLEXPORT void mogo_usage_launcher_main(Datum arg);
extern PGDLLEXPORT void mogo_usage_flush_main(Datum arg);

/* redact_scan.c: one pass over the quotes of a text of SQL, without a backend behind it */
#define MOGO_MASK	"***"
#define MOGO_MASK_LEN	3

/* Room for a redacted copy of so many bytes: '' becomes '***' at worst. */
#define MOGO_ROOM(len)	(3 * (size_t) (len) + 2 * MOGO_MASK_LEN)

typedef struct MogoScan
{
	const char *p;
	const char *end;
	bool		backslashes;	/* standard_conforming_strings is off */
	bool		wrapped;		/* SQL is in "...", CSV or JSON: " is no quote */
	bool		escapes;		/* behind a literal with backslashes */
	int			after_do;		/* 1: a DO block's body may follow; 2: a name */
	size_t		body_len;		/* of the tag of the DO block at open; 0: none */
	const char *open;			/* what the text ended in the middle of */
} MogoScan;

extern bool mogo_mentions(const char *sql, size_t len);
extern bool mogo_calls(MogoScan s, bool (*prepared) (const char *name, size_t len, bool quoted));
extern char *mogo_redact(char *out, MogoScan s);
extern bool mogo_hide(char *part, MogoScan s);

/* redact.c: secrets out of the log and the statistics */
extern void mogo_redact_init(void);

#endif							/* MOGOCRED_H */
