# Makes django.sql: a sample of django-oauth-toolkit's table, with Django's own hashers.
# What stands in make.mjs holds here too. Debian: python3-django python3-bcrypt.

import secrets
import string

from django.conf import settings

settings.configure()
from django.contrib.auth.hashers import BCryptPasswordHasher, PBKDF2PasswordHasher

ALPHABET = string.ascii_letters + string.digits


def random(length):
    return ''.join(secrets.choice(ALPHABET) for _ in range(length))


def pbkdf2(secret):
    # the iterations of Django 5.1 and 5.2
    return PBKDF2PasswordHasher().encode(secret, random(22), iterations=870000)


def bcrypt(secret):
    hasher = BCryptPasswordHasher()
    hasher.rounds = 10
    return hasher.encode(secret, hasher.salt())


out = ['''-- django-oauth-toolkit: a sample made by make_django.py, which says how.
CREATE TABLE oauth2_provider_application (
	id bigint NOT NULL,
	client_id varchar(100) NOT NULL,
	client_type varchar(32) NOT NULL,
	authorization_grant_type varchar(32) NOT NULL,
	client_secret varchar(255) NOT NULL,
	name varchar(255) NOT NULL,
	hash_client_secret boolean NOT NULL
);''']


def client(number, name, make, after, grant='client-credentials', kind='confidential', length=128):
    client_id = random(40)
    secret = random(length)
    if after:
        out.append(f'-- client {client_id}\t{secret}\t{after}')
    stored = make(secret) if make else secret
    out.append('INSERT INTO oauth2_provider_application VALUES '
               f"({number}, '{client_id}', '{kind}', '{grant}', '{stored}', '{name}', {bool(make)});")


client(1, 'Payments', pbkdf2, 'native')
client(2, '', pbkdf2, 'native')
client(3, 'In clear', None, 'native')
client(4, 'By bcrypt', bcrypt, 'bcrypt')
client(5, 'Login', pbkdf2, None, grant='authorization-code')
client(6, 'Public', pbkdf2, None, kind='public')
with open('django.sql', 'w') as file:
    file.write('\n'.join(out) + '\n')
