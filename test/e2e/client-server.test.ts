/** The client's server API against the running system. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createServerClient,
  createUserClient,
  type ServerClient,
  verifyWebhook,
  type WebhookEvent,
} from "../../clients/typescript/src/index.ts";
import { apiUrl, pressCashier } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { PlatformBackend } from "../support/platform-backend.ts";
import { tokenOf } from "../support/tokens.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

let ovation: ServerClient;

beforeAll(async () => {
  const { key: apiKey } = await PlatformBackend.open();
  ovation = createServerClient({ baseUrl: apiUrl(), language: "en", apiKey });
});
afterAll(expectWholeBooksBalanced);

/** Ids of a platform: any text. */
const anId = (kind: string) => `${kind} 天使 ${randomUUID()}`;

test("the platform's users, their room and a gift between them, by the platform's own ids alone", async () => {
  const [fan, anchor, show] = [anId("fan"), anId("anchor"), anId("show")];
  const [{ userId: fanId }, { userId: anchorId }] = await Promise.all([
    ovation.api.users.upsert({ externalId: fan, nickName: "Mei" }),
    ovation.api.users.upsert({ externalId: anchor }),
  ]);
  expect(await ovation.api.users.get({ userId: fanId })).toMatchObject({ externalId: fan, nickName: "Mei" });
  const { roomId } = await ovation.api.rooms.open({ externalId: anchor, externalRoomId: show, type: 1 });
  const user = createUserClient({ baseUrl: apiUrl(), token: () => tokenOf(fanId) });
  const { payUrl } = await user.api.bank.payProduct({ productId: 6, paySource: 1, payChannel: 3 });
  await pressCashier(payUrl as string, "pay");
  await eventually("the coins", async () => (await user.api.bank.products({ type: 0 })).currentBalance === 300);

  const gift = { externalId: fan, receiverExternalId: anchor, externalRoomId: show, giftId: 22, count: 1 };
  const sent = await ovation.gifts.send(gift);
  if (sent.outcome !== "accepted") throw sent;
  expect(await ovation.gifts.send({ ...gift, requestId: sent.requestId })).toEqual(sent);
  expect(await ovation.gifts.outcomeOf(sent.orderId)).toMatchObject({
    ...{ status: "succeeded", senderExternalId: fan, receiverExternalId: anchor, externalRoomId: show, roomId },
  });
  expect(await user.gifts.outcomeOf(sent.orderId)).toMatchObject({ status: "succeeded", receiverId: anchorId });
  const refused = await ovation.gifts.send({ ...gift, count: 9_999 });
  expect(refused).toMatchObject({ outcome: "refused", name: "balanceShort" });
  expect(await ovation.gifts.send({ ...gift, externalId: anId("nobody") })).toMatchObject({ name: "userUnknown" });
});

test("a write that is called again with its idempotency key gets the first answer, with other content a conflict", async () => {
  const idempotencyKey = randomUUID();
  const user = { externalId: anId("user"), nickName: "one" };
  const first = await ovation.api.users.upsert(user, { idempotencyKey });
  expect(await ovation.api.users.upsert(user, { idempotencyKey })).toEqual(first);
  const other = ovation.api.users.upsert({ ...user, nickName: "two" }, { idempotencyKey });
  await expect(other).rejects.toMatchObject({ name: "idempotencyConflict", code: 10011, idempotencyKey });
});

test("a key without the scope, and no key, are refused by name", async () => {
  const { key: apiKey } = await PlatformBackend.open(["users:read"]);
  const reader = createServerClient({ baseUrl: apiUrl(), apiKey });
  const upsert = (client: ServerClient) => client.api.users.upsert({ externalId: anId("x") });
  await expect(upsert(reader)).rejects.toMatchObject({ name: "scopeMissing", status: 403 });
  const stranger = createServerClient({ baseUrl: apiUrl(), apiKey: "ovk_nobody" });
  await expect(upsert(stranger)).rejects.toMatchObject({ name: "notLoggedIn", status: 401 });
});

test("an event is posted to the webhook's URL and verified by its secret, also while that is rotated", async () => {
  const received: WebhookEvent[] = [];
  const refused: unknown[] = [];
  let secrets: string[] = [];
  const receiver = createServer(async (request, response) => {
    const rawBody = Buffer.concat(await request.toArray());
    try {
      received.push(await verifyWebhook({ secrets, headers: request.headers, rawBody }));
      response.end();
    } catch (error) {
      refused.push(error);
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const { webhookId, secret } = await ovation.api.webhooks.create({ url, events: ["room.opened"] });
  try {
    secrets = [secret];
    const open = async () => {
      const externalId = anId("anchor");
      await ovation.api.users.upsert({ externalId });
      const { roomId } = await ovation.api.rooms.open({ externalId, externalRoomId: externalId, type: 1 });
      const event = await eventually(
        "the event",
        () => received.find((one) => one.type === "room.opened" && one.data.roomId === roomId),
        20_000,
      );
      expect(event.data).toMatchObject({ anchorExternalId: externalId, externalRoomId: externalId });
    };
    await open();
    const rotated = await ovation.api.webhooks.rotate({ webhookId });
    await open();
    secrets = [rotated.secret];
    await open();
    expect(refused).toEqual([]);
  } finally {
    await ovation.api.webhooks.delete({ webhookId });
    receiver.close();
  }
}, 60_000);
