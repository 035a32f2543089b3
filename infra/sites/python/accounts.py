"""`POST /lwa-accounts`: what a site answers about its accounts. With Flask, PostgreSQL and Django's passwords.

1. Whoever asks has signed the body with a secret that both know (Standard Webhooks), a moment ago.
2. No message counts twice.
3. `type` says what is asked. A wrong password is an answer; a database that does not answer is a 500.
"""

import base64
import hmac
import json
import os
import re
import sys
import time

import psycopg
from django.conf import settings
from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from flask import Flask, abort, g, request
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from werkzeug.serving import make_server

QUESTIONS = {"find_by_email", "find_by_id", "verify_password", "create", "update", "notify"}

# One secret; or several, while one takes the place of another.
SECRETS = [
    base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    for secret in os.environ["ACCOUNTS_WEBHOOK_SECRET"].split()
]
if not SECRETS or min(map(len, SECRETS)) < 24:
    sys.exit("ACCOUNTS_WEBHOOK_SECRET is whsec_ and base64, of 24 bytes or more")

settings.configure()  # A Django site has settings of its own.
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024


@app.post("/lwa-accounts")
def accounts():
    body = request.get_data()
    if not is_signed(request.headers, body):
        abort(401)
    if not is_new(request.headers["webhook-id"]):
        abort(409)
    try:
        question = json.loads(body.decode())
        json.dumps(question, ensure_ascii=False).encode()  # Half a surrogate pair is no text.
    except (ValueError, RecursionError):
        abort(400)
    return answer(question)


def is_signed(headers, body):
    message, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    # A dot in the id would let a part of it pass for the time.
    if not re.fullmatch(r"[^.\s]{1,256}", message) or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(int(time.time()) - int(timestamp)) > 5 * 60:
        return False
    signed = f"{message}.{timestamp}.".encode() + body
    right = [b"v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")) for secret in SECRETS]
    presented = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(one, another) for one in presented for another in right)


def is_new(message):
    """Remembers the message for longer than its signature is good."""
    return query(
        """with old as (delete from webhook_messages where received_at < now() - interval '15 minutes')
        insert into webhook_messages (id) values (%s) on conflict do nothing returning id""",
        message,
    )


def answer(question):
    match question:
        case {"type": "find_by_email", "email": str(email)}:
            # Django's iexact, citext and the like take more letters for equal.
            return find('lower(email collate "C") = lower(%s collate "C")', email)
        case {"type": "find_by_id", "account_id": str(account)}:
            return find("id = %s", account)
        case {"type": "verify_password", "account_id": str(account), "password": str(password)}:
            return {"verdict": verify_password(account, password, text(question, "code"))}
        case {"type": "create", "key": str(), "email": str(), "fields": dict(), "consents": dict()}:
            return create(question)
        case {"type": "update", "account_id": str(account), "set": dict(fields)} if fields:
            return update(account, fields)
        case {
            "type": "notify",
            "notice": {"id": str(), "type": str(), "account_id": str(), "at": str()} as notice,
        }:
            return notify(notice)
        case {"type": str(other)} if other not in QUESTIONS:
            return {"outcome": "unsupported"}
        case _:
            abort(400)


def find(condition, value):
    rows = query(f"select * from accounts where {condition}", value)
    return {"accounts": [describe(row) for row in rows]}


def describe(row):
    told = {name: row[name] for name in ("id", "email", "name", "postal_code", "status")}
    return told | {"has_password": is_password_usable(row["password"])}


def verify_password(account, password, code):
    rows = query("select * from accounts where id = %s", account)
    if not rows:
        make_password(password)  # It takes as long as comparing.
        return "mismatch"
    row = rows[0]
    if row["status"] != "active":
        return row["status"]
    if not is_password_usable(row["password"]):
        return "no_password"
    # Counted before it is compared, so that many at once get no more tries than one after the other.
    tries = query(
        """update accounts set tried_at = now(),
            tries = case when tried_at < now() - interval '15 minutes' then 1 else tries + 1 end
        where id = %s and (tries < 10 or tried_at < now() - interval '15 minutes') returning tries""",
        account,
    )
    if not tries:
        return "locked"
    # PBKDF2 does not see zeros at the end of a password.
    if "\0" in password or not check_password(password, row["password"]):
        return "mismatch"
    if row["totp_secret"]:
        step = totp_step(row["totp_secret"], code or "")
        # A code opens once: whoever looked over the owner's shoulder is too late.
        fresh = "update accounts set totp_step = %s where id = %s and totp_step < %s returning id"
        if not query(fresh, step, account, step):
            return "mfa_required"
    query("update accounts set tries = 0 where id = %s returning id", account)
    return "match"


def totp_step(secret, code):
    """The half minute whose code this is, of the last, this and the next one (RFC 6238); or 0."""
    now = int(time.time()) // 30
    for step in (now - 1, now, now + 1):
        digest = hmac.digest(secret, step.to_bytes(8), "sha1")
        start = digest[-1] & 15
        number = int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF
        if hmac.compare_digest(f"{number % 10**6:06}".encode(), code.encode()):
            return step
    return 0


def create(question):
    # The account that the key has opened is the answer, whatever else is said this time.
    rows = opened_by(question["key"])
    if rows:
        return {"outcome": "created", "account": describe(rows[0])}
    phone = text(question["fields"], "phone")
    # What the site's own form refuses is refused here; a field that it insists on would be "missing".
    if phone and not re.fullmatch(r"\+[0-9]{7,15}", phone):
        return {"outcome": "invalid", "fields": {"phone": "invalid"}}
    # The unique indexes decide, over the key and over the address. Without a password Django writes
    # an unusable one.
    rows = query(
        """insert into accounts (created_key, email, name, postal_code, phone, consents, password)
        values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning *""",
        question["key"],
        question["email"],
        text(question, "name"),
        text(question, "postal_code"),
        phone,
        Jsonb(question["consents"]),
        make_password(None),
    ) or opened_by(question["key"])
    if not rows:
        return {"outcome": "email_taken"}
    return {"outcome": "created", "account": describe(rows[0])}


def opened_by(key):
    return query("select * from accounts where created_key = %s", key)


def update(account, fields):
    if not fields.keys() <= {"name", "postal_code"}:
        abort(400)
    changed = query(
        """update accounts set name = coalesce(%s, name), postal_code = coalesce(%s, postal_code)
        where id = %s returning id""",
        text(fields, "name"),
        text(fields, "postal_code"),
        account,
    )
    return {"outcome": "updated"} if changed else abort(404)


def notify(notice):
    query(
        """insert into notices (id, type, account_id, at, undo_url) values (%s, %s, %s, %s, %s)
        on conflict do nothing returning id""",
        notice["id"],
        notice["type"],
        notice["account_id"],
        notice["at"],
        text(notice, "undo_url"),
    )
    return {"outcome": "taken"}


def text(members, name):
    """A member that may be absent."""
    value = members.get(name, "")
    if not isinstance(value, str):
        abort(400)
    return members.get(name)


def query(sql, *values):
    # One connection for each request, as Django has it.
    if "database" not in g:
        url = os.environ["DATABASE_URL"]
        g.database = psycopg.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=2)
    return g.database.execute(sql, values).fetchall()


@app.teardown_appcontext
def disconnect(_):
    if "database" in g:
        g.database.close()


@app.errorhandler(psycopg.DataError)
def not_understood(_):
    """A time that is none, or a character that PostgreSQL has no place for: U+0000."""
    return "", 400


@app.errorhandler(psycopg.Error)
def unavailable(error):
    # Not what the error says: that may be an address.
    app.logger.error("the database: %s %s", type(error).__name__, error.sqlstate or "")
    return "", 500


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
