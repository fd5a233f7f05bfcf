import { fail } from "../../broker/failure.ts";
import type { DurableEvents } from "../../services/contracts.ts";
import { type Books, onEvent } from "../../services/durable-event.ts";
import { silentLog } from "../support/silent-log.ts";

/** Consumers of events that catch up from the books. */

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

type Event = DurableEvents["room.closed"];
const event = (roomId: number) => ({ roomId }) as Event;

let handled: number[];
let handler: (roomId: number) => Promise<void>;
let stop: AbortController;

let log: { info: jest.Mock; warn: jest.Mock; error: jest.Mock };
beforeEach(() => {
  [handled, handler, stop] = [[], async () => {}, new AbortController()];
  log = { ...silentLog, info: jest.fn(), warn: jest.fn(), error: jest.fn() };
});
afterEach(() => stop.abort());

function catchUp(fromBooks: (books: Books) => AsyncIterable<Event>): Promise<void> {
  const handle = async ({ data }: { data: Event }) => {
    handled.push(data.roomId);
    await handler(data.roomId);
  };
  const { missed } = onEvent("room.closed", handle, { fromBooks });
  return missed?.call(undefined, { since: new Date(), signal: stop.signal, log }) as Promise<void>;
}
async function* events() {
  for (const roomId of [1, 2, 3]) yield event(roomId);
}

test("an event that its handler refuses is logged and left out, and those beside it are handled once", async () => {
  handler = async (roomId) => {
    if (roomId === 2) throw fail("giftUnknown");
  };
  await catchUp(events);
  expect(handled).toEqual([1, 2, 3]);
  expect(log.error).toHaveBeenCalledWith(
    expect.objectContaining({ event: "room.closed", excerpt: '{"roomId":2}' }),
    expect.stringContaining("left out"),
  );
});

test("an event that meets an outage is repeated by itself until it is handled", async () => {
  let outages = 2;
  handler = async (roomId) => {
    if (roomId === 2 && outages-- > 0) throw fail("unavailable");
  };
  await catchUp(events);
  expect(handled).toEqual([1, 2, 2, 2, 3]);
  expect([log.warn, log.error].map(({ mock }) => mock.calls.length)).toEqual([2, 0]);
});

test("a page of the books that cannot be read is read again, and what stands before it is not handled again", async () => {
  let failures = 1;
  await catchUp(async function* ({ read }) {
    yield event(1);
    const page = await read(async () => {
      if (failures-- > 0) throw new Error("of the books");
      return [event(2), event(3)];
    });
    yield* page;
  });
  expect(handled).toEqual([1, 2, 3]);
  expect(log.error).toHaveBeenCalledTimes(1);
});

test.each([
  ["between two events", async () => {}],
  ["during an outage", () => Promise.reject(fail("unavailable"))],
])("a catch-up whose service stops %s ends at once and is not done", async (_when, work) => {
  handler = async () => {
    stop.abort();
    await work();
  };
  await expect(catchUp(events)).rejects.toThrow("aborted");
  expect(handled).toEqual([1]);
});
