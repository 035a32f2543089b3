// `POST /lwa-accounts`: what a site answers about its accounts. With node:http, PostgreSQL and bcrypt.
//
// 1. Whoever asks has signed the body with a secret that both know (Standard Webhooks), a moment ago.
// 2. No message counts twice.
// 3. `type` says what is asked. A wrong password is an answer; a database that does not answer is a 500.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import bcrypt from "bcrypt";
import pg from "pg";

const LIMIT = 64 * 1024;
// The cost of the hashes that the site writes.
const ROUNDS = 10;

// One secret; or several, while one takes the place of another.
const secrets = (process.env.ACCOUNTS_WEBHOOK_SECRET ?? "")
  .split(/\s+/)
  .filter((secret) => secret)
  .map((secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
if (!secrets.length || secrets.some((secret) => secret.length < 24)) {
  throw new Error("ACCOUNTS_WEBHOOK_SECRET is whsec_ and base64, of 24 bytes or more");
}

const database = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  // The answer has to be there within three seconds.
  connectionTimeoutMillis: 2000,
});
// A connection that breaks while nobody uses it is replaced.
database.on("error", (error) => console.error("the database:", error.code));

/** What is answered with another status than 200. */
class Refused extends Error {
  constructor(status) {
    super();
    this.status = status;
  }
}

async function reply(request) {
  if (request.url !== "/lwa-accounts") throw new Refused(404);
  if (request.method !== "POST") throw new Refused(405);
  const body = await read(request);
  if (!isSigned(request.headers, body)) throw new Refused(401);
  if (!(await isNew(request.headers["webhook-id"]))) throw new Refused(409);
  const question = parse(body);
  if (typeof question?.type !== "string") throw new Refused(400);
  if (!Object.hasOwn(answers, question.type)) return { outcome: "unsupported" };
  return answers[question.type](question);
}

/** The body's bytes as they came, all of them, so that even who sends too many reads the answer. */
async function read(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LIMIT) chunks.push(chunk);
  }
  if (length > LIMIT) throw new Refused(413);
  return Buffer.concat(chunks);
}

function isSigned(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const signatures = headers["webhook-signature"] ?? "";
  // A dot in the id would let a part of it pass for the time.
  if (!/^[^.\s]{1,256}$/.test(id) || !/^[0-9]{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > 5 * 60) return false;
  const right = secrets.map((secret) => {
    const mac = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body);
    return `v1,${mac.digest("base64")}`;
  });
  return signatures.split(" ").some((one) => right.some((another) => isEqual(one, another)));
}

/** Remembers the message for longer than its signature is good. */
async function isNew(id) {
  const rows = await query(
    `with old as (delete from webhook_messages where received_at < now() - interval '15 minutes')
    insert into webhook_messages (id) values ($1) on conflict do nothing returning id`,
    [id],
  );
  return rows.length > 0;
}

function parse(body) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Refused(400);
  }
}

const answers = {
  async find_by_email({ email }) {
    // citext, or lower() alone, takes more letters for equal.
    return find(`lower(email collate "C") = lower($1 collate "C")`, text(email));
  },

  async find_by_id({ account_id }) {
    return find("id = $1", text(account_id));
  },

  async verify_password({ account_id, password, code = "" }) {
    return { verdict: await compare(text(account_id), text(password), text(code)) };
  },

  async create({ key, email, name, postal_code, fields, consents }) {
    // The account that the key has opened is the answer, whatever else is said this time.
    const [known] = await openedBy(text(key));
    if (known) return { outcome: "created", account: describe(known) };
    const { phone } = object(fields);
    // What the site's own form refuses is refused here; a field that it insists on would be "missing".
    if (optional(phone) && !/^\+[0-9]{7,15}$/.test(phone)) {
      return { outcome: "invalid", fields: { phone: "invalid" } };
    }
    // The unique indexes decide, over the key and over the address.
    const opened = await query(
      `insert into accounts (created_key, email, name, postal_code, phone, consents)
      values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning *`,
      [text(key), text(email), optional(name), optional(postal_code), phone, object(consents)],
    );
    const [row] = opened.length ? opened : await openedBy(key);
    return row ? { outcome: "created", account: describe(row) } : { outcome: "email_taken" };
  },

  async update({ account_id, set }) {
    const { name, postal_code, ...others } = object(set);
    if (Object.keys(others).length || (name ?? postal_code) === undefined) throw new Refused(400);
    const changed = await query(
      `update accounts set name = coalesce($2, name), postal_code = coalesce($3, postal_code)
      where id = $1 returning id`,
      [text(account_id), optional(name), optional(postal_code)],
    );
    if (!changed.length) throw new Refused(404);
    return { outcome: "updated" };
  },

  async notify({ notice }) {
    const { id, type, account_id, at, undo_url } = object(notice);
    await query(
      `insert into notices (id, type, account_id, at, undo_url) values ($1, $2, $3, $4, $5)
      on conflict do nothing`,
      [text(id), text(type), text(account_id), text(at), optional(undo_url)],
    );
    return { outcome: "taken" };
  },
};

async function openedBy(key) {
  return query("select * from accounts where created_key = $1", [key]);
}

async function find(condition, value) {
  const rows = await query(`select * from accounts where ${condition}`, [value]);
  return { accounts: rows.map(describe) };
}

function describe({ id, email, name, postal_code, status, password }) {
  return { id, email, name, postal_code, status, has_password: password !== null };
}

async function compare(account, password, code) {
  const [row] = await query("select * from accounts where id = $1", [account]);
  if (!row) {
    await bcrypt.hash(password, ROUNDS); // It takes as long as comparing.
    return "mismatch";
  }
  if (row.status !== "active") return row.status;
  if (row.password === null) return "no_password";
  // Counted before it is compared, so that many at once get no more tries than one after the other.
  const tries = await query(
    `update accounts set tried_at = now(),
      tries = case when tried_at < now() - interval '15 minutes' then 1 else tries + 1 end
    where id = $1 and (tries < 10 or tried_at < now() - interval '15 minutes') returning tries`,
    [account],
  );
  if (!tries.length) return "locked";
  // To bcrypt a password is the same as twice that password with U+0000 between.
  if (password.includes("\0") || !(await bcrypt.compare(password, row.password))) return "mismatch";
  if (row.totp_secret) {
    // A code opens once: whoever looked over the owner's shoulder is too late.
    const fresh = "update accounts set totp_step = $2 where id = $1 and totp_step < $2 returning id";
    if (!(await query(fresh, [account, totpStep(row.totp_secret, code)])).length) return "mfa_required";
  }
  await query("update accounts set tries = 0 where id = $1", [account]);
  return "match";
}

/** The half minute whose code this is, of the last, this and the next one (RFC 6238); or 0. */
function totpStep(secret, code) {
  const now = Math.floor(Date.now() / 30_000);
  for (const step of [now - 1, now, now + 1]) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const digest = createHmac("sha1", secret).update(counter).digest();
    const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
    if (isEqual(code, String(number % 1e6).padStart(6, "0"))) return step;
  }
  return 0;
}

function isEqual(one, another) {
  const [left, right] = [Buffer.from(one), Buffer.from(another)];
  return left.length === right.length && timingSafeEqual(left, right);
}

async function query(sql, values) {
  return (await database.query(sql, values)).rows;
}

// The members of a question, or it is not understood.

function text(value) {
  // Half a surrogate pair is no text.
  if (typeof value !== "string" || !value.isWellFormed()) throw new Refused(400);
  return value;
}

function optional(value) {
  return value === undefined ? undefined : text(value);
}

function object(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refused(400);
  return value;
}

const server = createServer(async (request, response) => {
  let status = 200;
  let answer = {};
  try {
    answer = await reply(request);
  } catch (error) {
    status = statusOf(error);
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
});

function statusOf(error) {
  if (error instanceof Refused) return error.status;
  // A time that is none, or a character that PostgreSQL has no place for: U+0000.
  if (error.code?.startsWith("22")) return 400;
  // Not what the database says of its error: that may be an address.
  console.error(error instanceof pg.DatabaseError ? `the database: ${error.code}` : error);
  return 500;
}

server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
