
// Stands in for Amazon's script: a sign-in with PKCE that a page does by itself.
const button = document.querySelector("#amazon");
const here = location.origin + "/app";
const answer = new URLSearchParams(location.search);

const asText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => asText(crypto.getRandomValues(new Uint8Array(32)));

async function goToAmazon() {
  const kept = { state: random(), verifier: random() };
  sessionStorage.setItem("amazon", JSON.stringify(kept));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(kept.verifier));
  location.assign(button.dataset.authorize + "?" + new URLSearchParams({
    client_id: button.dataset.client,
    scope: "profile",
    response_type: "code",
    redirect_uri: here,
    state: kept.state,
    code_challenge: asText(hash),
    code_challenge_method: "S256",
  }));
}

// What Amazon gave goes to the shop's own server, which asks Amazon who it is.
async function handOver() {
  const kept = JSON.parse(sessionStorage.getItem("amazon") ?? "{}");
  sessionStorage.removeItem("amazon");
  history.replaceState(null, "", "/app");
  if (!kept.state || answer.get("state") !== kept.state) return "Nobody began this here.";
  if (!answer.has("code")) return "You did not sign in with Amazon, and nothing was changed.";
  const reply = await fetch("/auth/amazon/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      code: answer.get("code"),
      code_verifier: kept.verifier,
      redirect_uri: here,
      client_id: button.dataset.client,
      mode: "browser",
    }),
  });
  const told = await reply.json();
  const next = {
    signed_in: "/account",
    link_required: "/auth/amazon/link",
    registration_required: "/auth/amazon/register",
  }[told.status];
  if (next) location.assign(next);
  return next ? "" : told.detail;
}

button.hidden = false;
button.addEventListener("click", goToAmazon);
if (answer.has("state")) {
  handOver().then((said) => { document.querySelector("#said").textContent = said; });
}
