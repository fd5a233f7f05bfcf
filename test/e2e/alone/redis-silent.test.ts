import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { redisOf } from "../../../mixins/redis/address.ts";
import { Person as People, requestId } from "../../support/client.ts";
import { crowd } from "../../support/crowd.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

const senders = 4;
/** A send that waits for Redis waits for one time-out of a command in each of gateway and gift service. */
const firstMs = 2 * limits.redis.commandTimeoutMs + 2_000;
const othersMs = limits.redis.commandTimeoutMs;

/**
 * A busy machine may take that long for a send too: a bound that is exceeded is a deadline that was missed, so the file
 * may run once more.
 */
function requireWithin(ms: number, what: string, sends: readonly { tookMs: number }[]): void {
  const longestMs = Math.max(...sends.map(({ tookMs }) => tookMs));
  if (longestMs >= ms) throw new Error(`not within ${ms} ms: ${what} (the longest took ${longestMs.toFixed(0)} ms)`);
}

afterAll(expectWholeBooksBalanced);

test("while the process of Redis is stopped gifts are accepted and settled, and only the first of them wait for it", async () => {
  const [anchor, people] = await Promise.all([People.login(), crowd(senders)]);
  const roomId = await anchor.openRoom("silent");
  const admin = redisOf(config().REDIS_URL);
  const pid = Number(/process_id:(\d+)/.exec(await admin.info("server"))?.[1]);
  const send = async (person: (typeof people)[0]) => {
    const startedAt = performance.now();
    const orderId = await person.sent(roomId, anchor.userId, { giftId: 24, count: 1, requestId: requestId() });
    return { orderId, tookMs: performance.now() - startedAt };
  };
  process.kill(pid, "SIGSTOP");
  try {
    const first = await Promise.all(people.map(send));
    const others: typeof first = [];
    for (let n = 0; n < 5; n++) others.push(...(await Promise.all(people.map(send))));
    requireWithin(firstMs, "each of the first sends", first);
    requireWithin(othersMs, "each of the later sends", others);
    const outcomes = await settledOrders([...first, ...others].map(({ orderId }) => orderId));
    expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
  } finally {
    process.kill(pid, "SIGCONT");
    admin.disconnect();
  }
  for (const person of people) expect(await person.balance()).toBe(1000 - 6);
  for (const person of [anchor, ...people]) person.leave();
});
