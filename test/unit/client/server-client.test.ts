import { createServerClient, type ServerClientOptions } from "../../../clients/typescript/src/index.ts";
import { atOnce, away, FakeGateway, lost, type Planned, success } from "./fake-gateway.ts";

function clientOf(plan: Planned[], options: Partial<ServerClientOptions> = {}) {
  const gateway = new FakeGateway(...plan);
  const given = { baseUrl: "http://gateway.test", fetch: gateway.fetch, repeats: atOnce, apiKey: "ovk_key" };
  const keys = () => gateway.sent.map(({ headers }) => headers.get("idempotency-key"));
  return { gateway, keys, client: createServerClient({ ...given, ...options }) };
}

const user = { externalId: "fan-7", nickName: "Mei" };

test("a call has the API key, which may be a function that is asked each time", async () => {
  const { gateway, client } = clientOf([success({ userId: "1" })]);
  expect(await client.api.users.get({ externalId: "fan-7" })).toEqual({ userId: "1" });
  expect(gateway.sent[0]).toMatchObject({ path: "/live/server/v1/users/get", body: { externalId: "fan-7" } });
  expect(gateway.sent[0]!.headers.get("authorization")).toBe("Bearer ovk_key");
  const keys = ["first", "second"];
  const rotated = clientOf([success({}), success({})], { apiKey: async () => keys.shift() as string });
  for (const externalId of ["a", "b"]) await rotated.client.api.users.get({ externalId });
  const sent = rotated.gateway.sent.map(({ headers }) => headers.get("authorization"));
  expect(sent).toEqual(["Bearer first", "Bearer second"]);
});

test("every write has an idempotency key, the same in its repeats; a read has none", async () => {
  const { keys, client } = clientOf([away(), lost(), success({ userId: "1" }), success({ userId: "1" }), success({})]);
  await client.api.users.upsert(user);
  await client.api.users.upsert(user);
  await client.api.users.get({ externalId: "fan-7" });
  const [first, second, third, fourth, read] = keys();
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect([second, third]).toEqual([first, first]);
  expect(fourth).toMatch(/^[0-9a-f]{32}$/);
  expect(fourth).not.toBe(first);
  expect(read).toBeNull();
});

test("a given key is used, and an error has the key, so that the call can be made again", async () => {
  const { keys, client } = clientOf([lost(), lost(), success({ userId: "1" })], {
    repeats: { ...atOnce, attempts: 1 },
  });
  await expect(client.api.users.upsert(user, { idempotencyKey: "mine-0001" })).rejects.toMatchObject({
    idempotencyKey: "mine-0001",
  });
  const failed = await client.api.users.upsert(user).catch((error: { idempotencyKey: string }) => error);
  await client.api.users.upsert(user, failed as { idempotencyKey: string });
  expect(keys()[0]).toBe("mine-0001");
  expect(keys()[2]).toBe(keys()[1]);
});

test("a write that its signal ends has its idempotency key in the error", async () => {
  const ending = new AbortController();
  const { gateway, keys, client } = clientOf(["hang"]);
  const writing = client.api.users.upsert(user, { signal: ending.signal }).catch((error: unknown) => error);
  while (gateway.sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
  ending.abort();
  expect(await writing).toMatchObject({ name: "aborted", answered: false, idempotencyKey: keys()[0] });
  const pausing = new AbortController();
  const random = () => {
    queueMicrotask(() => pausing.abort());
    return 0;
  };
  const paused = clientOf([away({ ordered: true }, 10)], { repeats: { random } });
  const failed = await paused.client.api.users
    .upsert(user, { signal: pausing.signal })
    .catch((error: unknown) => error);
  expect(failed).toMatchObject({ name: "aborted", idempotencyKey: paused.keys()[0], data: { ordered: true } });
});

test("an idempotency key of another form is a fault of the caller: nothing is sent", async () => {
  const { gateway, client } = clientOf([]);
  for (const idempotencyKey of ["short", "with a space", "x".repeat(65), "a-key\r\nX: y"])
    await expect(client.api.users.upsert(user, { idempotencyKey })).rejects.toThrow(TypeError);
  expect(gateway.sent).toHaveLength(0);
});

test("a gift of `api` is not repeated after no answer: only `gifts.send` knows what that leaves open", async () => {
  const { gateway, client } = clientOf([lost()]);
  const gift = { externalId: "fan-7", receiverExternalId: "anchor-1", roomId: 1, giftId: 22, count: 1 };
  await expect(client.api.gifts.send({ ...gift, requestId: "mine-0001" })).rejects.toMatchObject({ name: "network" });
  expect(gateway.sent).toHaveLength(1);
});

test("a missing scope and a missing key are errors by name, and are not repeated", async () => {
  const { gateway, client } = clientOf([
    { status: 403, code: 100003 },
    { status: 401, code: 100002 },
  ]);
  await expect(client.api.users.upsert(user)).rejects.toMatchObject({ name: "scopeMissing", status: 403 });
  await expect(client.api.users.upsert(user)).rejects.toMatchObject({ name: "notLoggedIn", status: 401 });
  expect(gateway.sent).toHaveLength(2);
});

test("a gift has one request id and one idempotency key in its repeats, and another key when it is sent again", async () => {
  const gift = { externalId: "fan-7", receiverExternalId: "anchor-1", externalRoomId: "r", giftId: 22, count: 1 };
  const unknown: Planned = { code: 501 };
  const { gateway, keys, client } = clientOf([
    ...[away({ orderId: "o" }), unknown, lost(), unknown, { code: 10010 }, unknown],
    success({ orderId: "o" }),
  ]);
  const unsure = await client.gifts.send(gift);
  expect(unsure).toMatchObject({ outcome: "unsure", orderId: "o", error: { name: "balanceShort" } });
  const again = await client.gifts.send({ ...gift, requestId: unsure.requestId });
  expect(again).toEqual({ outcome: "accepted", orderId: "o", requestId: unsure.requestId });
  const sends = gateway.sent.map(({ body }, at) => ({ ...body, key: keys()[at] })).filter((body) => "giftId" in body);
  expect(new Set(sends.map((body) => (body as never as { requestId: string }).requestId)).size).toBe(1);
  expect(new Set(sends.map(({ key }) => key)).size).toBe(2);
});
