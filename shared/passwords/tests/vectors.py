"""Writes vectors.json: passwords hashed by the libraries that real sites use, as cheaply as those allow.

    pip install argon2-cffi bcrypt django passlib werkzeug && python vectors.py > vectors.json

Salts are fixed, so that the same libraries write the same file. `wordpress.php` beside it
does the same for WordPress, and `password-hashes.json` holds hashes of full cost, as real
tables do.
"""

import base64
import hashlib
import json
import struct
import sys

import bcrypt
from argon2.low_level import Type, hash_secret
from django.conf import settings
from passlib.hash import (
    django_salted_sha1,
    hex_md5,
    hex_sha256,
    hex_sha512,
    pbkdf2_sha1,
    pbkdf2_sha256,
    pbkdf2_sha512,
    phpass,
    scrypt,
    sha256_crypt,
    sha512_crypt,
)
from werkzeug import security

settings.configure()
from django.contrib.auth import hashers  # noqa: E402  (reads the settings)

SALT = b"sixteen bytes ok"
TEXT_SALT = "Salt0123456789abcdefgh"


def argon2(password, kind, version):
    stored = hash_secret(password, SALT, 2, 64, 2, 32 if version == 19 else 16, kind, version)
    return stored.decode()


def argon2_before_versions(password):
    return argon2(password, Type.I, 16).replace("v=16$", "")


def phc_pbkdf2(password, digest, length=None):
    def b64(data):
        return base64.b64encode(data).decode().rstrip("=")

    key = hashlib.pbkdf2_hmac(digest, password, SALT, 20, length)
    costs = "i=20" if length is None else f"i=20,l={length}"
    return f"$pbkdf2-{digest}${costs}${b64(SALT)}${b64(key)}"


def passlib_pbkdf2(password, handler):
    return handler.using(salt=SALT, rounds=20).hash(password)


def bcrypt_as(password, prefix):
    return bcrypt.hashpw(password, prefix + b"04$abcdefghijklmnopqrstuu").decode()


def django(password, hasher, **costs):
    for name, value in costs.items():
        setattr(hasher, name, value)
    return hasher.encode(password.decode(), hasher.salt() if hasher.algorithm.startswith("bcrypt") else TEXT_SALT)


class DjangoBcrypt(hashers.BCryptPasswordHasher):
    def salt(self):
        return b"$2b$04$abcdefghijklmnopqrstuu"


class DjangoBcryptSha256(hashers.BCryptSHA256PasswordHasher):
    def salt(self):
        return b"$2b$04$abcdefghijklmnopqrstuu"


def aspnet(password, prf=None, iterations=20):
    """By the layout in PasswordHasher.cs, as there is no .NET here."""
    if prf is None:
        head, digest, iterations = b"\0", "sha1", 1000
    else:
        head = b"\1" + struct.pack(">III", prf, iterations, len(SALT))
        digest = ["sha1", "sha256", "sha512"][prf]
    return base64.b64encode(head + SALT + hashlib.pbkdf2_hmac(digest, password, SALT, iterations, 32)).decode()


def werkzeug(password, method):
    security.gen_salt = lambda length: TEXT_SALT[:length]
    return security.generate_password_hash(password.decode(), method)


EVERY_BYTE = {
    "aspnet": [aspnet, *(lambda p, prf=prf: aspnet(p, prf) for prf in range(3))],
    "argon2": [
        lambda p: argon2(p, Type.ID, 19),
        lambda p: argon2(p, Type.I, 19),
        lambda p: argon2(p, Type.I, 16),
        argon2_before_versions,
    ],
    "pbkdf2": [
        lambda p: phc_pbkdf2(p, "sha1"),
        lambda p: phc_pbkdf2(p, "sha256"),
        lambda p: phc_pbkdf2(p, "sha512"),
        lambda p: phc_pbkdf2(p, "sha256", 32),
        lambda p: phc_pbkdf2(p, "sha512", 32),
        lambda p: passlib_pbkdf2(p, pbkdf2_sha1),
        lambda p: passlib_pbkdf2(p, pbkdf2_sha256),
        lambda p: passlib_pbkdf2(p, pbkdf2_sha512),
    ],
    "phpass": [
        lambda p, ident=ident: phpass.using(ident=ident, salt="Salt.0/z", rounds=7).hash(p) for ident in ("P", "H")
    ],
    "sha_crypt": [
        lambda p, handler=handler, rounds=rounds, salt=salt: handler.using(salt=salt, rounds=rounds).hash(p)
        for handler in (sha256_crypt, sha512_crypt)
        for rounds, salt in ((1000, "sixteen.letters/"), (5000, "8letters"))
    ],
    "scrypt": [lambda p: scrypt.using(salt=SALT, rounds=4).hash(p)],
    "django": [
        lambda p: django(p, hashers.PBKDF2PasswordHasher(), iterations=20),
        lambda p: django(p, hashers.PBKDF2SHA1PasswordHasher(), iterations=20),
        lambda p: django(p, hashers.Argon2PasswordHasher(), time_cost=1, memory_cost=64),
        lambda p: django(p, hashers.ScryptPasswordHasher(), work_factor=16),
        lambda p: django(p, DjangoBcryptSha256()),
    ],
    "werkzeug": [
        lambda p: werkzeug(p, "scrypt:128:8:1"),
        lambda p: werkzeug(p, "pbkdf2:sha1:20"),
        lambda p: werkzeug(p, "pbkdf2:sha256:20"),
        lambda p: werkzeug(p, "pbkdf2:sha512:20"),
    ],
}
UP_TO_72_BYTES = {
    "bcrypt": [lambda p, prefix=prefix: bcrypt_as(p, prefix) for prefix in (b"$2a$", b"$2b$")],
    "django": [lambda p: django(p, DjangoBcrypt())],
}


def hexadecimal(digest, *parts):
    return hashlib.new(digest, b"".join(parts)).hexdigest()


def double_md5(password):
    return hexadecimal("md5", hexadecimal("md5", password).encode(), b"7=c")


# What no library is left to write is written as its own source did.
DESCRIBED = {
    "hex = md5(password)": hex_md5.hash,
    "hex = sha256(password)": hex_sha256.hash,
    "hex = sha512(password)": hex_sha512.hash,
    "md5$salt$hex = md5(salt+password)": lambda p: django(p, hashers.MD5PasswordHasher()),
    "sha1$salt$hex = sha1(salt+password)": django_salted_sha1.using(salt="Salt").hash,
    "hex:salt = md5(salt+password)": lambda p: hexadecimal("md5", b"7c", p) + ":7c",  # osCommerce
    "hex:salt = md5(password+salt)": lambda p: hexadecimal("md5", p, b"Sa:t") + ":Sa:t",  # Joomla 1.5
    "hex:salt:1 = sha256(salt+password)": lambda p: hexadecimal("sha256", b"Salt", p) + ":Salt:1",  # Magento 2
    "salt:hex = md5(md5(password)+salt)": lambda p: "7=c:" + double_md5(p),  # vBulletin
    "saltbase64 = sha1(salt+password+salt)": lambda p: "Salt"
    + base64.b64encode(hashlib.sha1(b"Salt" + p + b"Salt").digest()).decode(),
}
PASSWORDS = [
    "correct horse battery staplé",
    "  Spaces around  ",
    "combining e\u0301",
    "emoji \U0001f98a\U0001f3fd",
    "x",
    "72 bytes".ljust(72, "."),
]
LONG_PASSWORDS = ["73 bytes".ljust(73, "."), "1024 bytes".ljust(1024, ".")]

vectors = [
    {"format": name, "password": password, "stored": make(password.encode())}
    for makers, passwords in (
        (EVERY_BYTE, PASSWORDS + LONG_PASSWORDS),
        (UP_TO_72_BYTES, PASSWORDS),
    )
    for name, makes in makers.items()
    for make in makes
    for password in passwords
]
vectors += [
    {"format": "digest", "description": description, "password": password, "stored": make(password.encode())}
    for description, make in DESCRIBED.items()
    for password in PASSWORDS + LONG_PASSWORDS
]
json.dump(vectors, sys.stdout, indent=1)
print()
