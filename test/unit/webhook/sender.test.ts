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
    underWay: { bytes: 0 },
    signal: new AbortController().signal,
    tried: () => {},
    bounds: { inFlight: 4, heldRows: 50, tryMs: 1_000 },
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
