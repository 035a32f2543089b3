// The same session check as `functions/session`, as one writes it with the AWS SDK for JavaScript: the same
// row, the same rules, the same answer.
import { createHash } from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { run } from "./runtime.mjs";

const client = new DynamoDBClient({});
const TableName = process.env.SESSIONS_TABLE;
const IDLE = 43_200;

const hash = (...parts) => parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest("base64url");
const time = (seconds) => new Date(seconds * 1000).toISOString().replace(".000", "");
const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: JSON.stringify(body),
});

async function find(pk, sk) {
  const Key = { pk: { S: pk }, sk: { S: sk } };
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  return Item;
}

async function check(event) {
  const cookie = event.cookies?.find((cookie) => cookie.startsWith("__Host-lwa_session="));
  const token = cookie?.slice(cookie.indexOf("=") + 1) ?? "";
  const [tag, secret] = token.split(".");
  const row = secret && (await find(tag, hash(secret)));
  const now = Date.now() / 1000;
  if (!row || now >= Number(row.expires_at.N) || now - Number(row.last_seen.N) >= IDLE) {
    return answer(401, { signed_in: false });
  }
  return answer(200, {
    signed_in: true,
    account: { id: row.account_id.S, name: row.name?.S ?? null },
    session: {
      id: row.id.S,
      kind: row.kind.S,
      how: row.how.S,
      started_at: time(Number(row.started_at.N)),
      expires_at: time(Number(row.expires_at.N)),
    },
    csrf: hash("csrf\0", token),
  });
}

// As ours: the connection is open before anybody comes.
await find("-", "-").catch(() => {});
await run(check);
