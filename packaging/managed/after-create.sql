-- For providers whose customers own their databases and are not superusers: gives the
-- database's owner what the extension's owner could do, without the tables.
--
-- pgextwlist and supautils run this file as a superuser after CREATE EXTENSION (see
-- doc/managed.md); a superuser may run it by hand, and again. Neither program's
-- substitutions are used, so the file is the same for both.
--
-- The owner becomes an administrator. Of each function that is the extension's owner's
-- alone, mogo_grant_admin for one, there will be a twin, mogo_owner_grant_admin, that the
-- database's owner may call and that runs with the superuser's rights. The twins are
-- members of the extension: they go with it, and pg_dump leaves them to this file.
--
-- The schema may belong to the customer, who may have put anything beside us and then have
-- a superuser run this. So every name and operator is qualified, the types of arguments
-- are exact, and a twin's body is bound to our function when it is made, not when it is
-- called.
DO $managed$
DECLARE
	schema pg_catalog.text;
	original pg_catalog.record;
	twin pg_catalog.text;
BEGIN
	SELECT pg_catalog.quote_ident(n.nspname) INTO STRICT schema
	FROM pg_catalog.pg_extension AS e
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
	WHERE e.extname OPERATOR(pg_catalog.=) 'mogocred'::pg_catalog.name;

	-- This predefined role's only member is always the owner of the current database.
	EXECUTE pg_catalog.format('SELECT %s.mogo_grant_admin(''pg_database_owner''::pg_catalog.regrole)', schema);

	FOR original IN
		SELECT p.proname, pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
			pg_catalog.pg_get_function_identity_arguments(p.oid) AS signature,
			pg_catalog.pg_get_function_result(p.oid) AS result
		FROM pg_catalog.pg_proc AS p
			JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) p.oid
				AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
				AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
				AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
			JOIN pg_catalog.pg_extension AS e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
		WHERE e.extname OPERATOR(pg_catalog.=) 'mogocred'::pg_catalog.name
			AND p.pronargs OPERATOR(pg_catalog.=) 1::pg_catalog.int2
			AND (pg_catalog.starts_with(p.proname::pg_catalog.text, 'mogo_grant_')
				OR p.proname OPERATOR(pg_catalog.=) 'mogo_revoke_access'::pg_catalog.name
				OR p.proname OPERATOR(pg_catalog.=) 'mogo_purge_audit'::pg_catalog.name)
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc AS t
				WHERE t.pronamespace OPERATOR(pg_catalog.=) e.extnamespace
					AND t.proname OPERATOR(pg_catalog.=)
						pg_catalog.replace(p.proname::pg_catalog.text, 'mogo_', 'mogo_owner_')::pg_catalog.name
					AND EXISTS (SELECT FROM pg_catalog.pg_depend AS m
						WHERE m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
							AND m.objid OPERATOR(pg_catalog.=) t.oid
							AND m.refobjid OPERATOR(pg_catalog.=) e.oid
							AND m.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"))
	LOOP
		twin := pg_catalog.format('%s.%I', schema,
			pg_catalog.replace(original.proname::pg_catalog.text, 'mogo_', 'mogo_owner_'));
		-- No OR REPLACE: what the customer may have put there is an error, not adopted.
		EXECUTE pg_catalog.format('CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE sql SECURITY DEFINER'
			' SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT %s.%I($1); END',
			twin, original.arguments, original.result, schema, original.proname);
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s(%s) FROM PUBLIC', twin, original.signature);
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s(%s) TO pg_database_owner', twin, original.signature);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s(%s) IS %L', twin, original.signature,
			pg_catalog.format('%s, for the owner of this database', original.proname));
		EXECUTE pg_catalog.format('ALTER EXTENSION mogocred ADD FUNCTION %s(%s)', twin, original.signature);
	END LOOP;
END
$managed$;
