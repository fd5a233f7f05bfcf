/** The package as `npm pack` makes it, in a folder of its own: it runs and compiles without this repository. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../../config/root.ts";

jest.setTimeout(120_000);

const client = join(projectRoot(), "clients/typescript");
const folder = mkdtempSync(join(tmpdir(), "ovation-client-"));
const installed = join(folder, "node_modules/@ovation/client");
const run = (command: string, args: string[], cwd: string) =>
  promisify(execFile)(command, args, { cwd, env: { PATH: process.env.PATH } });

beforeAll(async () => {
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  await run(program, [...first, "pack", "--pack-destination", folder], client);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  await run("tar", ["xzf", join(folder, tarball as string), "--strip-components", "1", "-C", installed], folder);
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(Object.keys(dependencies)).toEqual(["openapi-fetch"]);
  for (const name of ["openapi-fetch", "openapi-typescript-helpers"])
    cpSync(join(projectRoot(), "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("it has what it needs to run, and nothing else", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const others = files.filter(({ parentPath }) => !parentPath.startsWith(join(installed, "dist")));
  expect(others.map(({ name }) => name).sort()).toEqual(["README.md", "package.json"]);
  const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));
  expect(texts.filter((text) => / from "(\.[^"]*\.ts|\.\.\/\.\.)/.test(text))).toEqual([]);
});

test("it runs in plain Node", async () => {
  const server = createServer((request, response) => {
    const data = { path: request.url, key: request.headers["idempotency-key"] };
    response.end(JSON.stringify({ code: 200, msg: "", data }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    join(folder, "run.js"),
    `import { createServerClient, createUserClient, roomConnection, verifyWebhook } from "@ovation/client";
     const baseUrl = "http://127.0.0.1:${port}";
     const user = await createUserClient({ baseUrl }).api.gift.listGift();
     const options = { idempotencyKey: "key-00000001" };
     const server = await createServerClient({ baseUrl, apiKey: "k" }).api.users.upsert({ externalId: "x" }, options);
     console.log(JSON.stringify([user, server, typeof roomConnection, typeof verifyWebhook]));`,
  );
  try {
    const { stdout } = await run(process.execPath, ["run.js"], folder);
    expect(JSON.parse(stdout)).toEqual([
      { path: "/live/api/gift/listGift" },
      { path: "/live/server/v1/users/upsert", key: "key-00000001" },
      "function",
      "function",
    ]);
  } finally {
    server.close();
  }
});

/** What a platform's engineer writes; each line after `@ts-expect-error` must not compile. */
const written = `
import { createServerClient, createUserClient, OvationError, verifyWebhook } from "@ovation/client";

const user = createUserClient({ baseUrl: "http://x", token: () => "t" });
const server = createServerClient({ baseUrl: "http://x", apiKey: "k" });

export async function all(signal: AbortSignal): Promise<void> {
  const gift = await user.gifts.send({ giftId: 1, roomId: 2, receiverId: "3" }, { signal });
  if (gift.outcome === "accepted") { const id: string = gift.orderId; console.log(id); }
  if (gift.outcome === "refused" && gift.name === "balanceShort") console.log(gift.code);
  const { list } = await user.api.living.list({ type: 1, page: 1, pageSize: 10 });
  const name: string | undefined = list[0]?.roomName;
  const { income }: { income: number } = await user.api.bank.income();
  // @ts-expect-error the param is missing
  await user.api.gift.order({});
  // @ts-expect-error no such field in the answer
  const { nothing } = await user.api.bank.income();
  // @ts-expect-error no such operation
  await user.api.gift.steal();
  // @ts-expect-error an amount is a number
  await user.gifts.send({ giftId: "1", roomId: 2, receiverId: "3" });
  const { userId }: { userId: string } = await server.api.users.upsert({ externalId: "x" }, { idempotencyKey: "key-00000001", signal });
  // @ts-expect-error nobody is named
  await server.api.users.get();
  // @ts-expect-error nobody is named
  await server.api.users.get({});
  await server.gifts.send({ externalId: "x", receiverExternalId: "y", roomId: 1, giftId: 2, count: 3 });
  // @ts-expect-error the receiver is missing
  await server.gifts.send({ externalId: "x", roomId: 1, giftId: 2, count: 3 });
  await server.api.webhooks.replay({ webhookId: "1", deliveryId: "2" });
  // @ts-expect-error neither a delivery nor a span of time
  await server.api.webhooks.replay({ webhookId: "1", from: "2026-01-01T00:00:00Z" });
  const event = await verifyWebhook({ secrets: "whsec_", headers: new Headers(), rawBody: new Uint8Array() });
  if (event.type === "gift.settled") for (const { orderId, senderExternalId } of event.data.gifts) console.log(orderId, senderExternalId);
  // @ts-expect-error gifts are in gift.settled alone
  if (event.type === "room.opened") console.log(event.data.gifts);
  const error: unknown = name ?? income ?? nothing ?? userId;
  // @ts-expect-error no such failure
  if (error instanceof OvationError && error.name === "balanceShorty") throw error;
  user.enterRoom(1).on("chat", ({ senderId, content }) => console.log(senderId.length, content.length));
}
`;

test.each(["typescript", "../clients/typescript/node_modules/typescript"])(
  "it is typed, also in %s",
  async (compiler) => {
    writeFileSync(join(folder, "written.ts"), written);
    const tsc = join(projectRoot(), "node_modules", compiler, "bin/tsc");
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom"];
    const compiled = run(process.execPath, [tsc, ...flags, "written.ts"], folder);
    const problems = await compiled.then(
      () => "",
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(problems).toBe("");
  },
);
