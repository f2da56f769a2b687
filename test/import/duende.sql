-- Duende IdentityServer: a sample made by make.mjs, which says how.
CREATE TABLE "Clients" (
	"Id" integer NOT NULL, "Enabled" boolean NOT NULL, "ClientId" varchar(200) NOT NULL,
	"ClientName" varchar(200));
CREATE TABLE "ClientSecrets" (
	"Id" integer NOT NULL, "ClientId" integer NOT NULL, "Description" varchar(2000),
	"Value" varchar(4000) NOT NULL, "Expiration" timestamp, "Type" varchar(250) NOT NULL,
	"Created" timestamp NOT NULL);
CREATE TABLE "ClientScopes" (
	"Id" integer NOT NULL, "Scope" varchar(200) NOT NULL, "ClientId" integer NOT NULL);
-- client client	PKQFWrmqNJEH5aJA8LslQSOfSqHi343Tnri0DUX6	native
-- client client	vBODVF9sAUCoC56tV7FvxVf5c6ageKMwgd4gvTuk	native
INSERT INTO "Clients" VALUES ('1', 'true', 'client', 'Client Credentials Client');
INSERT INTO "ClientSecrets" VALUES ('1', '1', NULL, 'rb7sFmSjHDejoYjyMCYBB9topRImZDqlLC2MWYAQK70=', '2100-01-01', 'SharedSecret', '2024-01-01');
INSERT INTO "ClientSecrets" VALUES ('2', '1', NULL, 'uQtssKcHVhG0qu5AuKcWNXytX0pTXpje8pqZVX+4A34=', '2020-01-01', 'SharedSecret', '2024-01-01');
INSERT INTO "ClientSecrets" VALUES ('3', '1', 'from June', 'MasIo4SuLnSRAcUFgB9BXSeEouIPMz96qK0C4s5mmMk=', NULL, 'SharedSecret', '2024-01-01');
-- client m2m.short	J8PJ2SxwAPVtMPxFnnRLGk1eMWEtvVlNrU1mNyL2	native
INSERT INTO "Clients" VALUES ('2', 'true', 'm2m.short', NULL);
INSERT INTO "ClientSecrets" VALUES ('4', '2', NULL, 'hACtDHTNpAUPTVmj5ZCuSlwq3NpKjiif74AKCo8inV0PdsnouigzjNTTjuEFCDf3Rtfg/JBNuAUH9IbgdXqrJw==', NULL, 'SharedSecret', '2024-01-01');
-- client interactive.confidential	rojxGBVegBlJDSu4n6aQUUT6pTpRJ3E15oJcljiD	native
INSERT INTO "Clients" VALUES ('3', 'true', 'interactive.confidential', 'Interactive');
INSERT INTO "ClientSecrets" VALUES ('5', '3', NULL, '+7VoxYDGOAP/15gHtqLMfe0PtbGJcCxzUmyxVRpnIUdUThvQ2FiphFxfF5MobcgsXR/qKtL5xG71CbvmStQQ0g==', NULL, 'SharedSecret', '2024-01-01');
INSERT INTO "ClientSecrets" VALUES ('6', '3', NULL, 'MIIDlzCCAn8CFDe5', NULL, 'X509CertificateBase64', '2024-01-01');
INSERT INTO "ClientScopes" VALUES ('1', 'api1', '1');
INSERT INTO "ClientScopes" VALUES ('2', 'api2', '1');
INSERT INTO "ClientScopes" VALUES ('3', 'api1', '2');
