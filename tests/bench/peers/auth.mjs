// Auth.js with its DynamoDB adapter, answering its own session check.
import { Auth } from "@auth/core";
import { DynamoDBAdapter } from "@auth/dynamodb-adapter";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { run } from "./runtime.mjs";

const client = DynamoDBDocument.from(new DynamoDB({}), {
  marshallOptions: { convertEmptyValues: true, removeUndefinedValues: true, convertClassInstanceToMap: true },
});
const adapter = DynamoDBAdapter(client);
const config = { adapter, basePath: "/auth", providers: [], secret: "not-a-secret", session: { strategy: "database" }, trustHost: true };

async function answer(event) {
  const headers = new Headers(event.headers);
  headers.set("cookie", (event.cookies ?? []).join("; "));
  const response = await Auth(new Request(`https://shop.example${event.rawPath}`, { headers }), config);
  const told = await response.text();
  // What says nothing is nobody's session.
  const statusCode = told === "null" ? 401 : response.status;
  return { statusCode, headers: Object.fromEntries(response.headers), body: told };
}

// As ours: the connection is open before anybody comes.
await adapter.getUser("-").catch(() => {});
await run(answer);
