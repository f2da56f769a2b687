-- Unkey: a sample made by make.mjs, which says how.
CREATE SCHEMA unkey;
CREATE TABLE unkey.keys (
	id varchar(256) NOT NULL, hash varchar(256) NOT NULL, start varchar(256) NOT NULL,
	name varchar(256), meta text, expires timestamp, deleted_at_m bigint, enabled boolean NOT NULL);
-- client key_2cGKbMxRjIzhCxo1IdjH3arELti7	acme_lGl1oRkg7ilRfUHO5EN8fO	native
INSERT INTO unkey.keys VALUES ('key_2cGKbMxRjIzhCxo1IdjH3arELti7', '3PnLr8qMuNu2hWtznLRHyTKTrWl7heNYaOAfxIhIjTI=', 'acme_lGl', 'Turnstile', '{"site": "north"}', NULL, NULL, 'true');
-- client key_3dGKbMxRjIzhCxo1IdjH3arELti8	acme_VG5vbh6gti5kNINsOukNaj	native
INSERT INTO unkey.keys VALUES ('key_3dGKbMxRjIzhCxo1IdjH3arELti8', 'XW6upcfKqs2MlS3jIaRMrpoTuGxZd2IljwFOipyhHNE=', 'acme_VG5', 'Turnstile', NULL, '2100-01-01', NULL, 'true');
-- client key_4eGKbMxRjIzhCxo1IdjH3arELti9	acme_Sg5sirpUL4iNXnzbaTh6ZQ	native
INSERT INTO unkey.keys VALUES ('key_4eGKbMxRjIzhCxo1IdjH3arELti9', 'yc8UsD+oqtY67hS3LY9zZ70ZhEQIFVNolo3l6HFoNw8=', 'acme_Sg5', NULL, NULL, NULL, NULL, 'true');
INSERT INTO unkey.keys VALUES ('key_5fGKbMxRjIzhCxo1IdjH3arELti0', 'E0EDbHepV/X4mIZ3qo3MIKXSJJTxsOqX0O/mKacx9Hk=', 'acme_5sc', 'Gone', NULL, NULL, '1700000000000', 'true');
INSERT INTO unkey.keys VALUES ('key_6gGKbMxRjIzhCxo1IdjH3arELti1', 'SD6vR7wkHcU7Kv+/ecDfvK4hlrRBejPubg86G9S+/zQ=', 'acme_GQE', 'Past', NULL, '2020-01-01', NULL, 'true');
