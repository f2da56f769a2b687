// Makes the samples in this folder, each in the tables and in the hash form of the system
// that it is named after. They are committed, because every run makes other ones:
//
//	npm install bcryptjs@3.0.3 && node make.mjs	(django.sql: python3 make_django.py)
//
// bcrypt comes from bcryptjs, PBKDF2, SHA-256 and SHA-512 from node's crypto (v20). The
// tables have the columns that doc/import.md reads, under their names and of their types
// there. The lines "-- client" say what the test has to find: the id, the secret, and
// whether the secret has a native hash once it has been rehashed.

import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import bcrypt from 'bcryptjs'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const random = (length, from = alphabet) =>
  Array.from(randomBytes(length), byte => from[byte % from.length]).join('')
const quote = value => value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`
const base64 = bytes => bytes.toString('base64').replaceAll('=', '')
const digest = (name, secret) => createHash(name).update(secret).digest('base64')
const epoch = '4102444800' // 2100-01-01

function phc(name, secret, iterations, length) {
  const salt = randomBytes(16)
  const hash = pbkdf2Sync(secret, salt, iterations, length, name)
  return `$pbkdf2-${name}$i=${iterations},l=${length}$${base64(salt)}$${base64(hash)}`
}

class Sample {
  constructor(system, tables) {
    this.system = system
    this.text = `-- ${system}: a sample made by make.mjs, which says how.\n${tables.trim()}\n`
  }
  client(id, secret, after) {
    this.text += `-- client ${id}\t${secret}\t${after}\n`
  }
  row(table, ...values) {
    this.text += `INSERT INTO ${table} VALUES (${values.map(quote).join(', ')});\n`
  }
  write(file) {
    writeFileSync(file, this.text)
  }
}

// --- Ory Hydra: PBKDF2 in PHC form, bcrypt before; rotated secrets in a JSON array
{
  const s = new Sample('Ory Hydra', `
CREATE TABLE hydra_client (
	id varchar(255) NOT NULL,
	client_name text NOT NULL,
	client_secret text NOT NULL,
	scope text NOT NULL,
	client_secret_expires_at integer NOT NULL DEFAULT 0,
	token_endpoint_auth_method varchar(25) NOT NULL DEFAULT '',
	metadata text NOT NULL DEFAULT '{}',
	rotated_secrets text NOT NULL DEFAULT ''
);`)
  const chars = alphabet + '-._~'
  const secret = () => random(26, chars)
  const [a, b, c, old] = [secret(), secret(), secret(), secret()]
  s.client('billing-service', a, 'native')
  s.client('billing-service', old, 'native')
  s.row('hydra_client', 'billing-service', 'Billing', phc('sha256', a, 25000, 32), 'read write', 0,
    'client_secret_basic', '{"team": "billing"}', JSON.stringify([phc('sha256', old, 25000, 32)]))
  s.client('9f0b2a5e-3c1d-4b7a-8e6f-2d1c0b9a8f7e', b, 'native')
  s.row('hydra_client', '9f0b2a5e-3c1d-4b7a-8e6f-2d1c0b9a8f7e', 'Warehouse',
    bcrypt.hashSync(b, 10), '', 2147483000, 'client_secret_post',
    '{}', '')
  s.client('https://client.example/mcp', c, 'native')
  s.row('hydra_client', 'https://client.example/mcp', '', phc('sha512', c, 10000, 64), 'read', 0,
    'client_secret_basic', '{}', '')
  s.row('hydra_client', 'browser-app', 'Browser', '', 'read', 0, 'none', '{}', '')
  s.write('hydra.sql')
}

// --- Keycloak: in clear, 32 characters; a rotated one among the attributes
{
  const s = new Sample('Keycloak', `
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
INSERT INTO client_scope VALUES ('s1', 'read', 'r1'), ('s2', 'write', 'r1'), ('s3', 'offline_access', 'r1');`)
  const [a, b, c, old] = [random(32), random(32), random(32), random(32)]
  const client = (id, name, clientId, secret, enabled = true, realm = 'r1') =>
    s.row('client', id, enabled, clientId, secret === null, secret, false, realm, name, 'client-secret')
  s.client('orders', a, 'native')
  s.client('orders', old, 'native')
  client('k1', 'Orders', 'orders', a)
  s.client('stock', b, 'native')
  client('k2', '', 'stock', b)
  s.client('0e1c2a3b-4d5e-4f60-8172-93a4b5c6d7e8', c, 'native')
  client('k3', 'Partner', '0e1c2a3b-4d5e-4f60-8172-93a4b5c6d7e8', c)
  client('k4', 'Account', 'account', null)
  client('k5', 'Off', 'off', random(32), false)
  client('k6', 'Elsewhere', 'elsewhere', random(32), true, 'r2')
  s.row('client_attributes', 'k1', 'client.secret.rotated', old)
  s.row('client_attributes', 'k1', 'client.secret.rotated.expiration.time', epoch)
  s.row('client_attributes', 'k1', 'client.secret.creation.time', '1700000000')
  s.row('client_scope_client', 'k1', 's1', true)
  s.row('client_scope_client', 'k1', 's2', true)
  s.row('client_scope_client', 'k1', 's3', false)
  s.write('keycloak.sql')
}

// --- Duende IdentityServer: SHA-256 or SHA-512 in base64, several secrets a client
{
  const s = new Sample('Duende IdentityServer', `
CREATE TABLE "Clients" (
	"Id" integer NOT NULL, "Enabled" boolean NOT NULL, "ClientId" varchar(200) NOT NULL,
	"ClientName" varchar(200));
CREATE TABLE "ClientSecrets" (
	"Id" integer NOT NULL, "ClientId" integer NOT NULL, "Description" varchar(2000),
	"Value" varchar(4000) NOT NULL, "Expiration" timestamp, "Type" varchar(250) NOT NULL,
	"Created" timestamp NOT NULL);
CREATE TABLE "ClientScopes" (
	"Id" integer NOT NULL, "Scope" varchar(200) NOT NULL, "ClientId" integer NOT NULL);`)
  const [a, b, c, next, past] = Array.from({ length: 5 }, () => random(40))
  const secret = (id, client, value, expiration = null, description = null, type = 'SharedSecret') =>
    s.row('"ClientSecrets"', id, client, description, value, expiration, type, '2024-01-01')
  s.client('client', a, 'native')
  s.client('client', next, 'native')
  s.row('"Clients"', 1, true, 'client', 'Client Credentials Client')
  secret(1, 1, digest('sha256', a), '2100-01-01')
  secret(2, 1, digest('sha256', past), '2020-01-01')
  secret(3, 1, digest('sha256', next), null, 'from June')
  s.client('m2m.short', b, 'native')
  s.row('"Clients"', 2, true, 'm2m.short', null)
  secret(4, 2, digest('sha512', b))
  s.client('interactive.confidential', c, 'native')
  s.row('"Clients"', 3, true, 'interactive.confidential', 'Interactive')
  secret(5, 3, digest('sha512', c))
  secret(6, 3, 'MIIDlzCCAn8CFDe5', null, null, 'X509CertificateBase64')
  s.row('"ClientScopes"', 1, 'api1', 1)
  s.row('"ClientScopes"', 2, 'api2', 1)
  s.row('"ClientScopes"', 3, 'api1', 2)
  s.write('duende.sql')
}

// --- Spring Authorization Server: an encoder's name in braces before its form
{
  const s = new Sample('Spring Authorization Server', `
CREATE TABLE oauth2_registered_client (
	id varchar(100) NOT NULL,
	client_id varchar(100) NOT NULL,
	client_secret varchar(200),
	client_secret_expires_at timestamp,
	client_name varchar(200) NOT NULL,
	authorization_grant_types varchar(1000) NOT NULL,
	scopes varchar(1000) NOT NULL
);`)
  const [a, b, c] = [random(32), random(32), random(32)]
  const client = (id, clientId, secret, name, scopes, grants = 'client_credentials') =>
    s.row('oauth2_registered_client', id, clientId, secret, null, name, grants, scopes)
  s.client('messaging-client', a, 'native')
  client('1', 'messaging-client', `{bcrypt}${bcrypt.hashSync(a, 10)}`, 'Messaging',
    'message.read,message.write', 'refresh_token,client_credentials,authorization_code')
  s.client('device-client', b, 'native')
  client('2', 'device-client', `{noop}${b}`, 'device-client', 'message.read')
  s.client('reports', c, 'native')
  client('3', 'reports', `{bcrypt}${bcrypt.hashSync(c, 12)}`, 'Reports', '')
  client('4', 'argon', '{argon2@SpringSecurity_v5_8}$argon2id$v=19$m=16384,t=2,p=1$c2FsdA$aGFzaA',
    'Argon', '')
  client('5', 'login-only', `{noop}${random(32)}`, 'Login', 'openid', 'authorization_code')
  s.write('spring.sql')
}

// --- Unkey: SHA-256 of the key in base64
{
  const s = new Sample('Unkey', `
CREATE SCHEMA unkey;
CREATE TABLE unkey.keys (
	id varchar(256) NOT NULL, hash varchar(256) NOT NULL, start varchar(256) NOT NULL,
	name varchar(256), meta text, expires timestamp, deleted_at_m bigint, enabled boolean NOT NULL);`)
  const key = (id, name, meta, expires, deleted, after = 'native') => {
    const secret = `acme_${random(22)}`
    if (after) s.client(id, secret, after)
    s.row('unkey.keys', id, digest('sha256', secret), secret.slice(0, 8), name, meta, expires,
      deleted, true)
  }
  key('key_2cGKbMxRjIzhCxo1IdjH3arELti7', 'Turnstile', '{"site": "north"}', null, null)
  key('key_3dGKbMxRjIzhCxo1IdjH3arELti8', 'Turnstile', null, '2100-01-01', null)
  key('key_4eGKbMxRjIzhCxo1IdjH3arELti9', null, null, null, null)
  key('key_5fGKbMxRjIzhCxo1IdjH3arELti0', 'Gone', null, null, 1700000000000, null)
  key('key_6gGKbMxRjIzhCxo1IdjH3arELti1', 'Past', null, '2020-01-01', null, null)
  s.write('unkey.sql')
}
