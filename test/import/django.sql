-- django-oauth-toolkit: a sample made by make_django.py, which says how.
CREATE TABLE oauth2_provider_application (
	id bigint NOT NULL,
	client_id varchar(100) NOT NULL,
	client_type varchar(32) NOT NULL,
	authorization_grant_type varchar(32) NOT NULL,
	client_secret varchar(255) NOT NULL,
	name varchar(255) NOT NULL,
	hash_client_secret boolean NOT NULL
);
-- client DCa6xq3bSjTzLiguyvJJ2n50BH7CdVlrB5P7ZOAS	evxWB73aUUu79NosIUGTcAIzVNxaScNSldgFFuvuAxEdpTA2NytfC8O6ZVMYNEVk1IsCoezujhN3DtyoASz8UvudjcI6Sgw70gLQksAxgUnCzu53nWL6aOk79XjrM2OM	native
INSERT INTO oauth2_provider_application VALUES (1, 'DCa6xq3bSjTzLiguyvJJ2n50BH7CdVlrB5P7ZOAS', 'confidential', 'client-credentials', 'pbkdf2_sha256$870000$9FPZFeiYaebCPa5mJP1RFW$ktY6ZKgdWYF3PioIs9niIpRXcZHd/4BqBh/3zhCuAeU=', 'Payments', True);
-- client HSIKlQoHrbJs9lV94jsZPkegz1rwzlmHcQ59q3PO	zpaYUsFBSLSpAPLsWd1WLm9ayueikrkp2a8w0lIs4ASetgV2gQrsSprd5n1fJF3w7JTnXTa1yUL1FXZuXWC4dehMv6NqCEA1hmdwNkSARtuU28OV0NK7sxr9uWaQfOAq	native
INSERT INTO oauth2_provider_application VALUES (2, 'HSIKlQoHrbJs9lV94jsZPkegz1rwzlmHcQ59q3PO', 'confidential', 'client-credentials', 'pbkdf2_sha256$870000$f6HANCpncyb9BRLMts4A2Y$P331p9xqi0QPGrEqtvPPrkQUBe3XLsXTdCf5pqj5qRE=', '', True);
-- client rcqLNBZRPP0mhkQwe2viyC8UslWGNrQHJo1G0dRf	Fh95KCq9TcvMKjbSF1GDpff9waRNBiaH1vvMb2WUAGN8oNtH9DDqIxGt9qjkuWAJiw2WFEFmE4RowEhARcNnNlr82UR0eGvcyXAJOXOU3Dbsz4b7jBhGxiG5xeUhPgqh	native
INSERT INTO oauth2_provider_application VALUES (3, 'rcqLNBZRPP0mhkQwe2viyC8UslWGNrQHJo1G0dRf', 'confidential', 'client-credentials', 'Fh95KCq9TcvMKjbSF1GDpff9waRNBiaH1vvMb2WUAGN8oNtH9DDqIxGt9qjkuWAJiw2WFEFmE4RowEhARcNnNlr82UR0eGvcyXAJOXOU3Dbsz4b7jBhGxiG5xeUhPgqh', 'In clear', False);
-- client cMOUFqqPwtbYDzsV7IGYyMjaAF3fDYSMCd4bHurW	mjQfFTHrjNSRA2mwWbgR9RetfqTlp5rclWhGvCpFF17plIhfNHgMU22Az9d8ZfehVAI3apI5GUyBELCFaNPZj8x2jnS4Y5jS0buA246GByaPKgDZL1jbMo0y8SThQfH8	bcrypt
INSERT INTO oauth2_provider_application VALUES (4, 'cMOUFqqPwtbYDzsV7IGYyMjaAF3fDYSMCd4bHurW', 'confidential', 'client-credentials', 'bcrypt$$2b$10$6Zsq5aM8mbbjdvoUgVa3uuxY0GqXda3sSNGtzPPah0SWbD/Jm9PWu', 'By bcrypt', True);
INSERT INTO oauth2_provider_application VALUES (5, 'jzzcf2I2h2zK9qPSyObKCnQHQeleQ6wQfZ9pSs7I', 'confidential', 'authorization-code', 'pbkdf2_sha256$870000$ZKzdo21GqUQ8PConjRgq6K$bwXy3L7Gt/O6YwpZGxoAi7D2Cf7cRlKS9dV5WYPrmb8=', 'Login', True);
INSERT INTO oauth2_provider_application VALUES (6, 'H6Jp20pC00FZibzROk3iVSzmwA5S7u2NEtAelvl4', 'public', 'client-credentials', 'pbkdf2_sha256$870000$O7PVLjJ6MvMozP1BpalZ7N$hhuSqloVnx8H71Qfgc5MyLmEVqKslF9TQV2svkfp3Ug=', 'Public', True);
