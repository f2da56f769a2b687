/*-------------------------------------------------------------------------
 *
 * secret_update.c
 *	  mogo_update_secret: moves a live secret's end, and changes its label.
 *
 * The end of a live secret stands in its client's row, its label in mogo_secret. We
 * write only the row that changes, under the lock of the client. lifetime.c says how
 * late the end may be.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* What mogo_update_secret can change, as it is now. */
typedef struct SecretState
{
	pg_uuid_t	client_id;
	TimestampTz created_at;
	TimestampTz expires_at;		/* DT_NOEND: never */
	bool		live;			/* it stands in its client's row */
	text	   *label;			/* NULL: none */
} SecretState;

/* What it has to change. */
typedef struct SecretUpdate
{
	bool		move;
	TimestampTz expires_at;
	bool		relabel;
	text	   *label;			/* NULL: none */
} SecretUpdate;

/*
 * Reads a secret as it is committed now. We compare with the latest version also under
 * the client's lock: a label can change without its client's row, and an older snapshot
 * must not make us believe that there is nothing to do. Raises 42704.
 */
static void
read_secret(const MogoChange *change, const pg_uuid_t *secret_id, SecretState *state)
{
	static MogoStatement read = {
		.sql = "SELECT s.client_id, s.created_at,"
		" COALESCE(l.expires_at, s.expires_at, 'infinity'::pg_catalog.timestamptz),"
		" l.secret_id IS NOT NULL, s.label"
		" FROM @extschema@.mogo_secret AS s"
		" JOIN @extschema@.mogo_client AS c ON c.client_id OPERATOR(pg_catalog.=) s.client_id"
		" LEFT JOIN LATERAL pg_catalog.unnest(c.live) AS l"
		" ON l.secret_id OPERATOR(pg_catalog.=) s.secret_id"
		" WHERE s.secret_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1,
		.argtypes = {UUIDOID}
	};
	Datum		values[1] = {UUIDPGetDatum(secret_id)};
	Datum		label;
	bool		none;

	if (mogo_read_latest(change, &read, values, NULL) == 0)
		mogo_no_such_secret(secret_id);
	state->client_id = *DatumGetUUIDP(mogo_result(1, UUIDOID, NULL));
	state->created_at = DatumGetTimestampTz(mogo_result(2, TIMESTAMPTZOID, NULL));
	state->expires_at = DatumGetTimestampTz(mogo_result(3, TIMESTAMPTZOID, NULL));
	state->live = DatumGetBool(mogo_result(4, BOOLOID, NULL));
	label = mogo_result(5, TEXTOID, &none);
	state->label = none ? NULL : DatumGetTextPCopy(label);
}

/* Reads mogo_update_secret's arguments. Raises 22023 for a label that cannot be. */
static void
read_args(FunctionCallInfo fcinfo, SecretUpdate *update)
{
	update->move = !PG_ARGISNULL(1);
	update->relabel = !PG_ARGISNULL(2);
	update->label = NULL;
	/* infinity takes the end away */
	update->expires_at = update->move ? PG_GETARG_TIMESTAMPTZ(1) : DT_NOEND;
	/* an empty label clears it */
	if (update->relabel && VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)) > 0)
	{
		update->label = PG_GETARG_TEXT_PP(2);
		mogo_check_label(update->label);
	}
}

/* Returns whether two labels are the same; NULL stands for none. */
static bool
same_label(const text *a, const text *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/*
 * Returns whether what the caller asks for changes anything, and leaves in update only
 * what does: a screen may pass all properties each time.
 */
static bool
find_changes(const SecretUpdate *asked, const SecretState *state, SecretUpdate *update)
{
	*update = *asked;
	update->move = asked->move && asked->expires_at != state->expires_at;
	update->relabel = asked->relabel && !same_label(asked->label, state->label);
	return update->move || update->relabel;
}

/*
 * Refuses to move the end of a secret that has ended (55000), to a moment that has
 * passed, or to one that is later than both its present end and the settings allow
 * (22023). An earlier end is always allowed, also for a secret from before the settings.
 */
static void
check_move(const SecretState *state, TimestampTz expires_at, const pg_uuid_t *secret_id,
		   TimestampTz now)
{
	if (!state->live || state->expires_at <= now)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("secret \"%s\" has ended", mogo_uuid_text(secret_id)),
				 errhint("Use mogo_add_secret or mogo_rotate_secret to give the client a new secret.")));
	if (expires_at <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry must be in the future"),
				 errhint("Use mogo_revoke_secret to end a secret at once.")));
	if (expires_at > state->expires_at)
		mogo_check_latest(expires_at, state->created_at);
}

/* Writes a live secret's new end to its locked client's row. */
static void
move_end(const MogoChange *change, const MogoLocked *client, const pg_uuid_t *secret_id,
		 TimestampTz expires_at)
{
	MogoLiveSecret secrets[MOGO_MAX_LIVE];
	int			n = mogo_end_secrets(change, client, false, NULL, DT_NOEND, secrets);
	MogoLiveSecret *secret = mogo_find_live(secrets, n, secret_id);

	if (secret != NULL)
		secret->expires_at = expires_at;
	mogo_save_live(change, client, secrets, n);
}

/* Writes a secret's new label. */
static void
write_label(const MogoChange *change, const pg_uuid_t *secret_id, const text *label)
{
	static MogoStatement write = {
		.sql = "UPDATE @extschema@.mogo_secret SET label = $2"
		" WHERE secret_id OPERATOR(pg_catalog.=) $1",
		.nargs = 2,
		.argtypes = {UUIDOID, TEXTOID}
	};
	Datum		values[2] = {UUIDPGetDatum(secret_id), PointerGetDatum(label)};
	bool		nulls[2] = {false, label == NULL};

	mogo_change_row(change, &write, values, nulls);
}

/* Returns the record's detail: the old and the new values of what changed. */
static const char *
changed_detail(const SecretState *old, const SecretUpdate *update)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"changed\": {");
	if (update->move)
	{
		appendStringInfoString(&detail, "\"expires_at\": {\"old\": ");
		mogo_append_time(&detail, old->expires_at);
		appendStringInfoString(&detail, ", \"new\": ");
		mogo_append_time(&detail, update->expires_at);
		appendStringInfoString(&detail, update->relabel ? "}, " : "}");
	}
	if (update->relabel)
	{
		appendStringInfoString(&detail, "\"label\": {\"old\": ");
		mogo_append_text(&detail, old->label);
		appendStringInfoString(&detail, ", \"new\": ");
		mogo_append_text(&detail, update->label);
		appendStringInfoChar(&detail, '}');
	}
	appendStringInfoString(&detail, "}}");
	return detail.data;
}

PG_FUNCTION_INFO_V1(mogo_update_secret);

/*
 * mogo_update_secret(secret_id uuid, expires_at timestamptz, label text) returns void:
 * moves a live secret's end, or changes the label of any secret. NULL leaves either as it
 * is; an infinite expiry takes the end away, and an empty label the label.
 */
Datum
mogo_update_secret(PG_FUNCTION_ARGS)
{
	MogoChange	change;
	MogoLocked	client;
	SecretState state;
	SecretUpdate asked;
	SecretUpdate update;
	pg_uuid_t  *secret_id;

	mogo_begin(&change, fcinfo, 3, "mogo_update_secret()");
	mogo_require(fcinfo, 0, "secret_id");
	secret_id = PG_GETARG_UUID_P(0);
	read_args(fcinfo, &asked);
	read_secret(&change, secret_id, &state);
	if (find_changes(&asked, &state, &update))
	{
		mogo_lock_client(&change, &state.client_id, &client);
		/* it may have changed while we waited for the lock */
		read_secret(&change, secret_id, &state);
		if (find_changes(&asked, &state, &update))
		{
			if (update.move)
			{
				check_move(&state, update.expires_at, secret_id, client.now);
				move_end(&change, &client, secret_id, update.expires_at);
			}
			if (update.relabel)
				write_label(&change, secret_id, update.label);
			mogo_record(&change, "secret_updated", &client.client_id, client.name, secret_id,
						changed_detail(&state, &update));
		}
	}
	mogo_end(&change);
	PG_RETURN_VOID();
}
