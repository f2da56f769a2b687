-- Keycloak: a sample made by make.mjs, which says how.
CREATE TABLE realm (id varchar(36) NOT NULL, name varchar(255));
CREATE TABLE client (
	id varchar(36) NOT NULL,
	enabled boolean DEFAULT false NOT NULL,
	client_id varchar(255),
	public_client boolean DEFAULT false NOT NULL,
	secret varchar(255),
	bearer_only boolean DEFAULT false NOT NULL,
	realm_id varchar(36),
	name varchar(255),
	client_authenticator_type varchar(255)
);
CREATE TABLE client_attributes (client_id varchar(36) NOT NULL, name varchar(255) NOT NULL, value text);
CREATE TABLE client_scope (id varchar(36) NOT NULL, name varchar(255), realm_id varchar(36));
CREATE TABLE client_scope_client (
	client_id varchar(255) NOT NULL, scope_id varchar(255) NOT NULL, default_scope boolean NOT NULL);
INSERT INTO realm VALUES ('r1', 'my-realm'), ('r2', 'master');
INSERT INTO client_scope VALUES ('s1', 'read', 'r1'), ('s2', 'write', 'r1'), ('s3', 'offline_access', 'r1');
-- client orders	EQOAWcAqkzM9W1f81cD6M01XyprRRUKM	native
-- client orders	qe3LLWrrB3a7YsIVZd9W1fJyKOlfICe3	native
INSERT INTO client VALUES ('k1', 'true', 'orders', 'false', 'EQOAWcAqkzM9W1f81cD6M01XyprRRUKM', 'false', 'r1', 'Orders', 'client-secret');
-- client stock	z3ChaHATGxJKbf7VTHcVLuIgozzFvsaN	native
INSERT INTO client VALUES ('k2', 'true', 'stock', 'false', 'z3ChaHATGxJKbf7VTHcVLuIgozzFvsaN', 'false', 'r1', '', 'client-secret');
-- client 0e1c2a3b-4d5e-4f60-8172-93a4b5c6d7e8	lAJPzfLrbG1dyZflzjWLXJTzMz40yMaZ	native
INSERT INTO client VALUES ('k3', 'true', '0e1c2a3b-4d5e-4f60-8172-93a4b5c6d7e8', 'false', 'lAJPzfLrbG1dyZflzjWLXJTzMz40yMaZ', 'false', 'r1', 'Partner', 'client-secret');
INSERT INTO client VALUES ('k4', 'true', 'account', 'true', NULL, 'false', 'r1', 'Account', 'client-secret');
INSERT INTO client VALUES ('k5', 'false', 'off', 'false', 'TXXN7DU5QVlmsmLRnfvjC25ZwDiReCXi', 'false', 'r1', 'Off', 'client-secret');
INSERT INTO client VALUES ('k6', 'true', 'elsewhere', 'false', 'RYeRHqEsOBBLApYcGdrS6eh2BUr6RmjJ', 'false', 'r2', 'Elsewhere', 'client-secret');
INSERT INTO client_attributes VALUES ('k1', 'client.secret.rotated', 'qe3LLWrrB3a7YsIVZd9W1fJyKOlfICe3');
INSERT INTO client_attributes VALUES ('k1', 'client.secret.rotated.expiration.time', '4102444800');
INSERT INTO client_attributes VALUES ('k1', 'client.secret.creation.time', '1700000000');
INSERT INTO client_scope_client VALUES ('k1', 's1', 'true');
INSERT INTO client_scope_client VALUES ('k1', 's2', 'true');
INSERT INTO client_scope_client VALUES ('k1', 's3', 'false');
