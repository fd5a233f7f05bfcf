import fc from "fast-check";
import { jsonBytes } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { businessFrame, isUnkept, numberedFrame, unkeptEpoch, unnumberedFrame } from "../../../services/im-frames.ts";
import { NodeCalls } from "../../../services/im-router/node-calls.ts";
import { eventually } from "../../support/eventually.ts";

const message = { msgId: "m", userId: "7", bizCode: 5555, data: { content: 'say "hi"' } };

test("the frame of a notification is the business frame of the contract", () => {
  expect(JSON.parse(businessFrame(message))).toEqual({
    code: 1003,
    body: { msgId: "m", appId: 10001, userId: "7", bizCode: 5555, data: { content: 'say "hi"' } },
  });
});

test("a room frame carries room, number and epoch of the room, whatever is in its data", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const spoofed = { ...data, roomId: 9, seq: 9, epoch: "no" };
      const text = numberedFrame(unnumberedFrame(5, { ...message, data: spoofed }), 12, "e1");
      const plain = JSON.parse(JSON.stringify({ ...data, roomId: 5, seq: 12, epoch: "e1" }));
      expect(JSON.parse(text)).toEqual({
        code: 1003,
        body: { msgId: "m", appId: 10001, userId: "7", bizCode: 5555, data: plain },
      });
    }),
  );
});

test("an unkept epoch is not mistaken for one of Redis", () => {
  expect(isUnkept(unkeptEpoch("abc"))).toBe(true);
  expect(isUnkept("00ffab12cd34")).toBe(false);
});

test("rooms spread over all buckets, always the same way", () => {
  const hits = new Map<number, number>();
  for (let room = 1; room <= 6_400; room++) {
    const bucket = routerBucketOf(room, 64);
    hits.set(bucket, (hits.get(bucket) ?? 0) + 1);
  }
  expect(hits.size).toBe(64);
  expect(Math.max(...hits.values())).toBeLessThan(200);
  expect(routerBucketOf(17)).toBe(routerBucketOf(17));
});

test("calls to a node are bounded in bytes, escapes included, and keep the order of the frames", async () => {
  const frames = Array.from({ length: 40 }, (_, i) => ({
    roomId: 1,
    seq: i,
    epoch: "e",
    frame: `${i}:${'"礼物'.repeat(limits.im.roomFrameBytes / 20)}`,
  }));
  const calls: (typeof frames)[] = [];
  const broker = {
    call: async (_action: string, params: { frames: typeof frames }) => {
      calls.push(params.frames);
      return null;
    },
  };
  const nodes = new NodeCalls(broker as never, { error: jest.fn() } as never);
  await nodes.deliver(new Map([["n1", frames]]));
  expect(calls.flat()).toEqual(frames);
  expect(calls.length).toBeGreaterThan(3);
  for (const call of calls) expect(jsonBytes(call)).toBeLessThanOrEqual(limits.im.deliverBytes);
});

test("a node that did not answer is still sent to, but no caller waits for it until it answers again", async () => {
  const answers = new Map<string, () => Promise<null>>();
  const calls: string[] = [];
  const broker = {
    call: (_action: string, _params: unknown, { nodeID }: { nodeID: string }) => {
      calls.push(nodeID);
      return answers.get(nodeID)?.();
    },
  };
  const log = { warn: jest.fn(), info: jest.fn() };
  const nodes = new NodeCalls(broker as never, log as never);
  const frames = new Map(["dead", "fine"].map((nodeId) => [nodeId, [{ roomId: 1, seq: 1, epoch: "e", frame: "f" }]]));
  answers.set("fine", async () => null);
  answers.set("dead", () => Promise.reject(new Error("timeout")));
  await nodes.deliver(frames);
  let hanging = Promise.withResolvers<null>();
  answers.set("dead", () => hanging.promise);
  await nodes.deliver(frames);
  expect(calls).toEqual(["dead", "fine", "dead", "fine"]);
  expect(log.warn).toHaveBeenCalledTimes(1);
  // It answers the waiting call, and from there on callers wait for it again.
  hanging.resolve(null);
  await eventually("the answer", () => log.info.mock.calls.length === 1);
  hanging = Promise.withResolvers<null>();
  const handed = nodes.deliver(frames).then(() => "handed over");
  const nextTick = new Promise((resolve) => setImmediate(resolve, "waiting"));
  expect(await Promise.race([handed, nextTick])).toBe("waiting");
  hanging.resolve(null);
  expect(await handed).toBe("handed over");
});
