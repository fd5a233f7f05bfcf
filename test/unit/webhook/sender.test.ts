import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { DueDelivery } from "../../../services/webhook/delivery-reads-store.ts";
import { Sender, type SenderParts } from "../../../services/webhook/sender.ts";
import type { Webhook } from "../../../services/webhook/webhook-store.ts";
import { silentLog } from "../../support/silent-log.ts";

const webhook = { id: "1", url: "https://x.example/", secrets: ["sealed"], failingSince: null } as unknown as Webhook;
const due = (count: number): DueDelivery[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ id: String(n), webhookId: "1", message: String(n), orderKey: "", tries: 0 },
  }));
/** What was begun, and whatever follows from it at once, has run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

let clock = 0;
beforeEach(() => {
  clock = 0;
  jest.spyOn(performance, "now").mockImplementation(() => clock);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A subscription whose receiver answers 200 at once, unless `parts` says something else. */
function open(parts: Partial<SenderParts> = {}): { sender: Sender; made: string[] } {
  const made: string[] = [];
  const sender = new Sender(webhook, {
    http: {
      post: async () => ({ status: 200, body: "", ending: "complete", headers: {}, durationMs: 1 }),
    },
    body: async (message) => ({ messageId: `msg_${message}`, body: "{}" }),
    openSecret: () => `whsec_${Buffer.alloc(24).toString("base64")}`,
    write: async ({ id }) => {
      made.push(id);
    },
    holds: () => true,
    hungry: () => {},
    underWay: { calls: 0, bytes: 0 },
    signal: new AbortController().signal,
    tried: () => {},
    bounds: { inFlight: limits.webhook.inFlight, heldRows: 50, tryMs: 1_000 },
    log: silentLog,
    ...parts,
  });
  return { sender, made };
}

test("after a failed read of bodies the deliveries that wait go on with the next look, however many they are", async () => {
  let isAway = true;
  const { sender, made } = open({
    body: async (message) => {
      if (isAway) throw fail("unavailable");
      return { messageId: `msg_${message}`, body: "{}" };
    },
  });
  sender.offer(due(50));
  await settled();
  expect([made, sender.isBusy]).toEqual([[], false]);
  isAway = false;
  clock += limits.webhook.lookEveryMs;
  // There is no room for more: nothing is offered.
  expect(sender.look()).toBe(0);
  while (sender.isBusy) await settled();
  expect(made).toEqual(
    due(50)
      .slice(4)
      .map(({ id }) => id),
  );
});

test("after a lapsed lease the deliveries that wait go on with the next look", async () => {
  let holds = false;
  const { sender, made } = open({ holds: () => holds });
  sender.offer(due(50));
  sender.look();
  await settled();
  expect(made).toEqual([]);
  holds = true;
  sender.look();
  while (sender.isBusy) await settled();
  expect(made).toHaveLength(50);
});

test("four calls are under way until the first success, 32 afterwards, and four again while the node is busy", async () => {
  const answers: (() => void)[] = [];
  const underWay = { calls: 0, bytes: 0 };
  const http: SenderParts["http"] = {
    post: () =>
      new Promise((resolve) => {
        answers.push(() => resolve({ status: 200, body: "", ending: "complete", headers: {}, durationMs: 1 }));
      }),
  };
  const { sender } = open({ http, underWay, bounds: { inFlight: 32, heldRows: 500, tryMs: 1_000 } });
  const answer = async (count: number) => {
    for (const one of answers.splice(0, count)) one();
    for (let n = 0; n < 5; n++) await settled();
  };
  sender.offer(due(300));
  await answer(0);
  expect(answers).toHaveLength(4);
  await answer(1);
  expect(answers).toHaveLength(32);
  underWay.calls += limits.webhook.inFlightOfNode;
  await answer(32);
  expect(answers).toHaveLength(4);
  underWay.calls -= limits.webhook.inFlightOfNode;
  await answer(1);
  expect(answers).toHaveLength(32);
});

test("the next delivery of a room or user is made without a look, unless so many wait that earlier ones may be due", async () => {
  let holds = true;
  const { sender, made } = open({ holds: () => holds });
  const [first, ...others] = due(60);
  sender.offerNext([first as DueDelivery]);
  while (sender.isBusy) await settled();
  expect(made).toEqual(["0"]);
  holds = false;
  sender.offer(others.slice(0, 13));
  sender.offerNext(others.slice(13, 14));
  holds = true;
  sender.look();
  while (sender.isBusy) await settled();
  expect(made).toHaveLength(14);
});
