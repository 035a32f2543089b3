// Lambda's Runtime API in as few lines as it takes: the real client of Node's runtime does more, so this
// favours those who are measured with it.
import http from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const ask = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${path}` }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (more) => (text += more));
      answer.on("end", () => resolve({ headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });

/** Answers requests for as long as there are any. */
export async function run(handler) {
  for (;;) {
    const { headers, text } = await ask("GET", "invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    const answer = await handler(JSON.parse(text));
    await ask("POST", `invocation/${id}/response`, JSON.stringify(answer));
  }
}
