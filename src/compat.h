/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 15 and 20, in one place.
 *
 * Every macro says which version made it necessary, so that it can go when
 * that version goes. The Makefile has the list of the majors that are supported.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGO_COMPAT_H
#define MOGO_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "mogocred needs PostgreSQL 15 or later"
#endif

/* 18 asks whether a deferrable key will do as well. Ours is not deferrable. */
#if PG_VERSION_NUM >= 180000
#define mogo_primary_key(rel) RelationGetPrimaryKeyIndex(rel, false)
#else
#define mogo_primary_key(rel) RelationGetPrimaryKeyIndex(rel)
#endif

/* 17 put a transaction's local number into a struct. */
#if PG_VERSION_NUM >= 170000
#define mogo_my_lxid (MyProc->vxid.lxid)
#else
#define mogo_my_lxid (MyProc->lxid)
#endif

/* 18 lets EXPLAIN count an index's searches; 19 takes flags as systable_beginscan gives them. */
#if PG_VERSION_NUM >= 190000
#define mogo_index_beginscan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0, SO_NONE)
#elif PG_VERSION_NUM >= 180000
#define mogo_index_beginscan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0)
#else
#define mogo_index_beginscan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, nkeys, 0)
#endif

/* 19 takes flags as systable_beginscan gives them. */
#if PG_VERSION_NUM >= 190000
#define mogo_table_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL, SO_NONE)
#else
#define mogo_table_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL)
#endif

/* 18 took execute_once from ExecutorRun. */
#if PG_VERSION_NUM >= 180000
#define MOGO_EXECUTE_ONCE_DECL
#define MOGO_EXECUTE_ONCE
#else
#define MOGO_EXECUTE_ONCE_DECL , bool execute_once
#define MOGO_EXECUTE_ONCE , execute_once
#endif

/* 19 hands a hook the JumbleState to read only. */
#if PG_VERSION_NUM >= 190000
#define MOGO_JUMBLE_CONST const
#else
#define MOGO_JUMBLE_CONST
#endif

/* 19 knows no other literals than standard-conforming ones. */
#if PG_VERSION_NUM >= 190000
#define MOGO_BACKSLASHES false
#else
#define MOGO_BACKSLASHES (!standard_conforming_strings)
#endif

/* 16 has one function for all kinds of objects instead of one for each. */
#if PG_VERSION_NUM >= 160000
#define mogo_schema_aclcheck(schema, role, mode) \
	object_aclcheck(NamespaceRelationId, schema, role, mode)
#else
#define mogo_schema_aclcheck(schema, role, mode) \
	pg_namespace_aclcheck(schema, role, mode)
#endif

/* 18 can tell which version of a library is loaded (pg_get_loaded_modules). */
#if PG_VERSION_NUM >= 180000
#define MOGO_MODULE_MAGIC	PG_MODULE_MAGIC_EXT(.name = "mogocred", .version = MOGO_VERSION)
#else
#define MOGO_MODULE_MAGIC	PG_MODULE_MAGIC
#endif

/* 19 can end a background worker that DROP DATABASE would have to wait for. */
#if PG_VERSION_NUM >= 190000
#define MOGO_BGWORKER_INTERRUPTIBLE	BGWORKER_INTERRUPTIBLE
#else
#define MOGO_BGWORKER_INTERRUPTIBLE	0
#endif

/* 17 lets an index keep something from one row to the next. */
#if PG_VERSION_NUM >= 170000
#define mogo_index_insert_cleanup(target, i) \
	index_insert_cleanup((target)->ri_IndexRelationDescs[i], (target)->ri_IndexRelationInfo[i])
#else
#define mogo_index_insert_cleanup(target, i) ((void) 0)
#endif

#endif							/* MOGO_COMPAT_H */
