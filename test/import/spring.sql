-- Spring Authorization Server: a sample made by make.mjs, which says how.
CREATE TABLE oauth2_registered_client (
	id varchar(100) NOT NULL,
	client_id varchar(100) NOT NULL,
	client_secret varchar(200),
	client_secret_expires_at timestamp,
	client_name varchar(200) NOT NULL,
	authorization_grant_types varchar(1000) NOT NULL,
	scopes varchar(1000) NOT NULL
);
-- client messaging-client	xBmvHZv9pWzKbonCiZBANkGjsfcvr66F	native
INSERT INTO oauth2_registered_client VALUES ('1', 'messaging-client', '{bcrypt}$2b$10$nmEyoLblWPMtF4bcN5l7OOxkGdtMXqGOSqIDAFqoaTcs47r2Yx3c2', NULL, 'Messaging', 'refresh_token,client_credentials,authorization_code', 'message.read,message.write');
-- client device-client	zA4ils1GbGQhDgdqcTRCxIDtFLrBtW08	native
INSERT INTO oauth2_registered_client VALUES ('2', 'device-client', '{noop}zA4ils1GbGQhDgdqcTRCxIDtFLrBtW08', NULL, 'device-client', 'client_credentials', 'message.read');
-- client reports	9hQcmTnhhWzYkkIBaOPTWxnVLKTHVC2o	native
INSERT INTO oauth2_registered_client VALUES ('3', 'reports', '{bcrypt}$2b$12$Lg9/5Tr2CgkjdTSn4SImx.Cb322px9C3JM5983G1nRNrHqhKb/6Re', NULL, 'Reports', 'client_credentials', '');
INSERT INTO oauth2_registered_client VALUES ('4', 'argon', '{argon2@SpringSecurity_v5_8}$argon2id$v=19$m=16384,t=2,p=1$c2FsdA$aGFzaA', NULL, 'Argon', 'client_credentials', '');
INSERT INTO oauth2_registered_client VALUES ('5', 'login-only', '{noop}S63otAvZ6LBS17CcKaQBpLUdP5iugC6O', NULL, 'Login', 'authorization_code', 'openid');
