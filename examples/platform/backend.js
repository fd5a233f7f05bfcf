/**
 * The backend of a platform that uses Ovation: it signs JWTs for its users, opens rooms, credits coins that it sold,
 * sends gifts and receives webhooks. It has no users, sessions and shop: its routes believe whoever calls them, so it
 * listens on 127.0.0.1 alone. "Yours" marks the places for your own code. README.md has the settings.
 */
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServerClient, OvationError, verifyWebhook, WebhookError } from "@ovation/client";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";

const { env } = process;
const needed = (name) => env[name] || console.error(`${name} is not set`) || process.exit(1);
const secrets = needed("OVATION_WEBHOOK_SECRET").split(","); // two while the secret is rotated
const client = { baseUrl: needed("OVATION_URL"), apiKey: needed("OVATION_API_KEY"), language: "en" };
const ovation = createServerClient(client);
const iss = env.JWT_ISSUER || "https://platform.example";
const aud = env.JWT_AUDIENCE || "ovation";
const folder = env.DATA_DIR || "platform-data";
await mkdir(folder, { recursive: true });

// --- JWTs: the private key stays here, Ovation reads the public one at /jwks ---------------------------------------
async function signingKey() {
  const file = `${folder}/signing-key.json`;
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) return JSON.parse(text);
  const jwk = await exportJWK((await generateKeyPair("ES256", { extractable: true })).privateKey);
  const made = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" };
  await writeFile(file, JSON.stringify(made), { mode: 0o600, flag: "wx" });
  return made;
}
const { d, ...publicJwk } = await signingKey();
const privateKey = await importJWK({ ...publicJwk, d }, "ES256");

/** Ovation knows the user by `sub`, for ever: an id that never changes and is never given to somebody else. */
function jwtOf(user, name) {
  const jwt = new SignJWT({ iss, aud, sub: user, name }).setIssuedAt().setExpirationTime("1h");
  return jwt.setProtectedHeader({ alg: "ES256", kid: publicJwk.kid }).sign(privateKey);
}

// --- Webhooks: on disk before they are answered. In a database: a table with the unique key webhook-id -------------
const journal = await open(`${folder}/events.jsonl`, "a+");
const stored = new Map(); // the id of an event -> a promise: it is on disk
const gifts = new Map(); // the id of an order -> the gift, settled: an order may also come in two events

/** What the platform does with an event. Yours: whatever takes long belongs in a job of its own, after the answer. */
function handle({ type, data }) {
  if (type === "gift.settled") for (const gift of data.gifts) gifts.set(gift.orderId, gift);
}

async function write(event) {
  await journal.appendFile(`\n${JSON.stringify(event)}`);
  await journal.datasync();
  console.log(`event ${event.type} ${event.id}`);
  handle(event);
}

/** Stores an event once, however often it is delivered. Where that fails, the answer is 500 and it comes again. */
async function store(event) {
  if (!stored.has(event.id)) stored.set(event.id, write(event));
  try {
    await stored.get(event.id);
  } catch (error) {
    stored.delete(event.id);
    throw error;
  }
}

for (const line of (await journal.readFile("utf8")).split("\n").filter(Boolean)) {
  try {
    const event = JSON.parse(line);
    stored.set(event.id, Promise.resolve());
    handle(event);
  } catch {
    console.error("a crash cut off an event. It was not answered, so it comes again.");
  }
}

// --- The platform's own API ----------------------------------------------------------------------------------------
const asked = (answer) => (rawBody) => answer(JSON.parse(rawBody));
const routes = {
  "GET /jwks": () => ({ keys: [publicJwk] }),
  "POST /webhook": async (rawBody, headers) => store(await verifyWebhook({ secrets, headers, rawBody })),
  // Yours: look who it is, by password or session.
  "POST /login": asked(async ({ user, name }) => ({ token: await jwtOf(user, name) })),
  "POST /rooms": asked(async ({ anchor, name, room }) => {
    await ovation.api.users.upsert({ externalId: anchor, nickName: name });
    return ovation.api.rooms.open({ externalId: anchor, externalRoomId: room, type: 1 });
  }),
  // Yours: call it once `order` is paid. The order's id makes it one credit, however often it is called.
  "POST /coins": asked(async ({ user, coins, order }) => {
    await ovation.api.users.upsert({ externalId: user });
    return ovation.api.wallet.credit({ externalId: user, coins, externalOrderId: order });
  }),
  // `order`, 8 to 64 of [A-Za-z0-9_-], makes it one gift. Yours: store it first, and send it again after "unsure".
  "POST /gifts": asked(async ({ user, anchor, room, gift: giftId, count, order }) => {
    const ids = { externalId: user, receiverExternalId: anchor, externalRoomId: room };
    const { error, ...result } = await ovation.gifts.send({ ...ids, giftId, count, requestId: order });
    return result;
  }),
  "GET /gifts": () => [...gifts.values()],
};

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 1_000_000) throw new SyntaxError("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answerOf(request) {
  try {
    const route = routes[`${request.method} ${request.url}`];
    if (!route) return [404, { error: "no such route" }];
    return [200, (await route(await bodyOf(request), request.headers)) ?? {}];
  } catch (error) {
    if (error instanceof WebhookError || error instanceof SyntaxError) return [400, { error: error.message }];
    if (error instanceof OvationError) return [502, { error: error.name, message: error.message }];
    console.error(error);
    return [500, { error: "a fault" }];
  }
}

const port = Number(env.PORT || 4000);
createServer(async (request, response) => {
  const [status, body] = await answerOf(request);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}).listen(port, "127.0.0.1", () => console.log(`the platform's backend is at http://127.0.0.1:${port}`));
