import type { StreamInfo } from "nats";
import { limits } from "../../../config/limits.ts";
import { checkConsumerRequest } from "../../../services/provisioner/consumer-request.ts";
import { EventMirror, mirrorConfig, needOf } from "../../../services/provisioner/event-mirror.ts";

/** When the mirror of EVENTS is made again, and which consumers other systems may ask for. */

describe("the mirror of EVENTS", () => {
  const created = "2026-11-26T16:00:00Z";
  const wanted = mirrorConfig({ created });
  const info = (last_seq: number, change: object = {}) =>
    ({ created, config: { ...wanted, ...change }, state: { last_seq } }) as StreamInfo;
  const late = limits.jetstream.mirrorStandsMs;

  test.each([
    ["that is missing", info(5), undefined, 0, "missing"],
    ["that has every event", info(5), info(5), late, "none"],
    ["that is about to get the others", info(5), info(4), late - 1, "none"],
    ["that stands still", info(5), info(4), late, "stands still"],
    [
      "of a stream that was made again",
      info(5),
      info(5, { description: "mirror of EVENTS of then" }),
      0,
      "other stream",
    ],
    ["that is ahead of a stream which has lost messages", info(4), info(5), 0, "ahead"],
    ["with another bound", info(5), info(5, { max_bytes: 1 }), 0, "change"],
  ] as const)("%s", (_what, source, mirror, stillForMs, need) => {
    expect(needOf(source, mirror, wanted, stillForMs)).toBe(need);
  });
});

test("a consumer comes back at its position, once the mirror that was made again has the events up to it", async () => {
  const created = "2026-11-26T16:00:00Z";
  const config = mirrorConfig({ created });
  const info = (last_seq: number) => ({ created, config, state: { last_seq } }) as StreamInfo;
  const system = { name: "system", config: { durable_name: "system" }, ack_floor: { stream_seq: 2 } };
  let mirror: StreamInfo | undefined = info(5);
  let consumers = [system];
  const made: unknown[] = [];
  const missing = Object.assign(new Error("stream not found"), { api_error: { code: 404, err_code: 10059 } });
  const manager = {
    streams: {
      async info() {
        if (!mirror) throw missing;
        return mirror;
      },
      async add() {
        mirror = info(0);
      },
    },
    consumers: {
      list: () => consumers,
      async add(_stream: string, wanted: object) {
        made.push(wanted);
      },
    },
  } as never;
  const source = { streams: { info: async () => info(5) } } as never;
  const keeper = new EventMirror(source, manager, { info() {}, warn() {}, error() {} } as never);
  await keeper.look();
  [mirror, consumers] = [undefined, []];
  await keeper.look();
  expect([keeper.state.consumers, made]).toEqual([1, []]);
  mirror = info(1);
  await keeper.look();
  expect([keeper.state.consumers, made]).toEqual([1, []]);
  mirror = info(2);
  await keeper.look();
  await keeper.look();
  expect(made).toEqual([{ durable_name: "system", deliver_policy: "by_start_sequence", opt_start_seq: 3 }]);
});

describe("a request for a consumer", () => {
  const allowed = { stream: "EVENTS", deliverSubjects: ["_INBOX.>", "deliver.>"] };
  const check = (change: object, top: object = {}) =>
    checkConsumerRequest(JSON.stringify({ stream_name: "EVENTS", config: change, ...top }), allowed);

  test("is passed on as it was checked", () => {
    const config = { durable_name: "d", deliver_subject: "_INBOX.a.b", ack_policy: "explicit", ack_wait: 5e9 };
    expect(check(config, { action: "create" })).toEqual({
      body: JSON.stringify({ stream_name: "EVENTS", config, action: "create" }),
    });
  });

  // Go reads names of fields in any case, and the last of two with one name.
  test.each([
    [{ deliver_subject: "$JS.API.STREAM.DELETE.EVENTS" }],
    [{ deliver_subject: "_INBOX" }],
    [{ deliver_subject: "_INBOX.*" }],
    [{ deliver_subject: "_INBOX.>" }],
    [{ deliver_subject: "_INBOX.a\r\nPUB x" }],
    [{ deliver_subject: "_INBOX..a" }],
    [{ deliver_subject: "_INBOXES.a" }],
    [{ deliver_subject: 5 }],
    [{ DELIVER_SUBJECT: "copy.EVENTS" }],
    [{ direct: true }],
    [{ ack_wait: 0.5 }],
    [{ durable_name: "a.b" }],
  ])("is refused with %j", (config) => {
    expect(check(config)).toHaveProperty("refused");
  });

  test("is refused for another stream, with a further field, and as what is no request", () => {
    expect(check({}, { stream_name: "PAY" })).toHaveProperty("refused");
    expect(check({}, { Config: {} })).toHaveProperty("refused");
    for (const body of ["", "null", "[]", "{", '{"stream_name":"EVENTS"}'])
      expect([body, checkConsumerRequest(body, allowed)]).toEqual([body, { refused: expect.any(String) }]);
  });

  test("of two fields of one name passes on the one that was checked", () => {
    const twice = '{"stream_name":"EVENTS","config":{"deliver_subject":"copy.x","deliver_subject":"_INBOX.a"}}';
    expect(checkConsumerRequest(twice, allowed)).toEqual({
      body: '{"stream_name":"EVENTS","config":{"deliver_subject":"_INBOX.a"}}',
    });
  });
});
