-- Ory Hydra: a sample made by make.mjs, which says how.
CREATE TABLE hydra_client (
	id varchar(255) NOT NULL,
	client_name text NOT NULL,
	client_secret text NOT NULL,
	scope text NOT NULL,
	client_secret_expires_at integer NOT NULL DEFAULT 0,
	token_endpoint_auth_method varchar(25) NOT NULL DEFAULT '',
	metadata text NOT NULL DEFAULT '{}',
	rotated_secrets text NOT NULL DEFAULT ''
);
-- client billing-service	CREKsT1g538C1DJ9PuCF0dmJRK	native
-- client billing-service	GejlsJpkpjMrl2prvJve.J.xTL	native
INSERT INTO hydra_client VALUES ('billing-service', 'Billing', '$pbkdf2-sha256$i=25000,l=32$qT/+h0rny1t7ufMbcfdigQ$l4RenQZ+Xe0VigFifcsOORggfonDhS2dNSpsilONecM', 'read write', '0', 'client_secret_basic', '{"team": "billing"}', '["$pbkdf2-sha256$i=25000,l=32$+v29tetabfXPjBaFh0FTew$FFmxVSe1/C/FQHYXDEZEtMAbxhtBYvGjGG7RoZK+AKY"]');
-- client 9f0b2a5e-3c1d-4b7a-8e6f-2d1c0b9a8f7e	806~ow9XLydjyuQ-aEDuYDUAwi	native
INSERT INTO hydra_client VALUES ('9f0b2a5e-3c1d-4b7a-8e6f-2d1c0b9a8f7e', 'Warehouse', '$2b$10$G.YDu64ftQodDRLv.3ypoO/tOmCEk9ckYXS56jOFzFXxhIAjaa1RS', '', '2147483000', 'client_secret_post', '{}', '');
-- client https://client.example/mcp	gyg3cRfSS3pLNP08flRn3GYqyi	native
INSERT INTO hydra_client VALUES ('https://client.example/mcp', '', '$pbkdf2-sha512$i=10000,l=64$PXuUOa3ekLaFYfx6BZ7WDQ$mH02W+5Uhl/Zktl7lUElYqASSSCcakfMAMRZZVOsQJblNWwnDbgVTkV+8MPXcZeLMUE7WKyAIxxmtgL5zzQHpQ', 'read', '0', 'client_secret_basic', '{}', '');
INSERT INTO hydra_client VALUES ('browser-app', 'Browser', '', 'read', '0', 'none', '{}', '');
