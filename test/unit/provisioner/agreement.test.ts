import type { Service } from "moleculer";
import type { JetStreamManager, StreamInfo } from "nats";
import { natsPrefix, readConfigAgain } from "../../../config/config.ts";
import type { HealthState } from "../../../mixins/health.mixin.ts";
import { keepAgreed } from "../../../services/provisioner/agreement.ts";
import { EventMirror } from "../../../services/provisioner/event-mirror.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

/** Replicated streams on which the servers have not agreed. */

const setReplicas = (replicas: string | undefined) => {
  if (replicas === undefined) delete process.env.JETSTREAM_REPLICAS;
  else process.env.JETSTREAM_REPLICAS = replicas;
  readConfigAgain();
};
const former = process.env.JETSTREAM_REPLICAS;
beforeAll(() => setReplicas("3"));
afterAll(() => setReplicas(former));

function service() {
  const state = { logger: silentLog, healthChecks: new Map() } as unknown as Service & HealthState;
  const health = () =>
    Promise.resolve(state.healthChecks?.get("agreement")?.check()).then(
      () => "ok",
      (error: Error) => error.message,
    );
  return { state, health };
}

test("a provisioner sees to every stream, and its health is degraded while the servers may not agree on one", async () => {
  const { state, health } = service();
  let isBehind = true;
  const agree = jest.fn(async (stream: string) => {
    if (isBehind && stream.endsWith("GIFTS-2")) throw new Error("it is behind on n2");
  });
  const loop = keepAgreed(state, { agree }, () => true);
  await eventually("it is told", async () => {
    return (await health()) === "servers of NATS may not agree on stream GIFTS-2: it is behind on n2";
  });
  expect(agree.mock.calls.map(([stream]) => stream)).toEqual(
    expect.arrayContaining(["EVENTS", "PAY", "GIFTS-0", "DEAD"].map((name) => natsPrefix() + name)),
  );
  isBehind = false;
  loop?.wake();
  await eventually("it is well", async () => (await health()) === "ok", 10_000);
  await loop?.stop();
});

test("a provisioner of an earlier release leaves it to the later one", async () => {
  const { state } = service();
  const agree = jest.fn(async () => undefined);
  const looks = jest.fn(() => false);
  const loop = keepAgreed(state, { agree }, looks);
  await eventually("it has looked", () => looks.mock.calls.length > 0);
  await loop?.stop();
  expect(agree).not.toHaveBeenCalled();
});

test("without replicas there is nothing to agree on", () => {
  setReplicas("1");
  expect(keepAgreed(service().state, { agree: async () => undefined }, () => true)).toBeUndefined();
  setReplicas("3");
});

test("the servers agree on a mirror that is made, at the next look if they did not at once", async () => {
  const down = jest.fn(async () => ({ json: () => ({}) }));
  down.mockRejectedValueOnce(new Error("the connection is closed"));
  let mirror: StreamInfo | undefined;
  const info = (config: object) =>
    ({ config, created: "t1", state: { last_seq: 0 }, cluster: { replicas: [] } }) as unknown as StreamInfo;
  const missing = Object.assign(new Error("stream not found"), { api_error: { code: 404, err_code: 10059 } });
  const streams = {
    async info() {
      if (!mirror) throw missing;
      return mirror;
    },
    async add(config: object) {
      mirror = info(config);
    },
    update: jest.fn(async () => undefined),
  };
  const manager = { streams, consumers: { list: () => [] } } as unknown as JetStreamManager;
  const source = { streams: { info: async () => info({}) } } as unknown as JetStreamManager;
  const keeper = new EventMirror(source, manager, silentLog, { nats: { request: down } as never });
  await expect(keeper.look()).rejects.toThrow("the connection is closed");
  await keeper.look();
  await keeper.look();
  expect([down.mock.calls.length, streams.update.mock.calls.length]).toEqual([2, 2]);
});
