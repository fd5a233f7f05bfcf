import type { ServiceBroker, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { unnumberedFrame } from "../../../services/im-frames.ts";
import { RoomNumbers } from "../../../services/im-router/room-numbers.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import {
  connect,
  cutClients,
  livingRoomFake,
  postToRoom,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "./im-nodes.ts";

const startTime = "2026-11-26T16:00:00.000Z";
const endTime = "2026-11-26T16:05:00.000Z";
const view = (state = "running", rooms = [51, 52]) => ({
  battleId: "9",
  kind: "rooms" as const,
  state: state as "running",
  sides: rooms.map((roomId) => ({ roomId, userId: String(roomId), score: 0, gifts: 0, topSenders: [] })),
  ...{ startTime, endTime, serverTime: "2026-11-26T16:01:00.000Z" },
  winner: null,
  excluded: [],
});

/** What the fake battle service was asked for, and which rooms have a battle. */
const asked: number[][] = [];
const battles = new Map<number, ReturnType<typeof view>>();
let answers = true;
const battleFake = {
  name: "battle",
  actions: {
    async ofRooms(ctx: { params: { roomIds: number[] } }) {
      asked.push(ctx.params.roomIds);
      if (!answers) throw new Error("broken");
      return {
        rooms: ctx.params.roomIds.flatMap((roomId) => {
          const battle = battles.get(roomId);
          return battle ? [{ roomId, battle }] : [];
        }),
      };
    },
  },
} as unknown as ServiceSchema;

const redis = openRedis("test");
let router: ServiceBroker;
let a: ServiceBroker;
let b: ServiceBroker;
let caller: ServiceBroker;

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router-1", livingRoomFake);
  [a, b] = [await startImServer("im-a"), await startImServer("im-b")];
  caller = await startNode("caller", [battleFake]);
  await seeing(router, { "im-server": 2 });
  await seeing(caller, { "im-router": 1, "im-server": 2 });
  await Promise.all([a, b].map((node) => seeing(node, { "im-router": 1, "living-room": 1, battle: 1 })));
});
afterAll(async () => {
  cutClients();
  await stopAll();
  redis.disconnect();
});
beforeEach(() => {
  asked.length = 0;
  battles.clear();
  answers = true;
});

const sendScores = (roomIds: number[], score: number, remainingMs = 60_000) =>
  Promise.all(
    [...Map.groupBy(roomIds, (roomId) => routerBucketOf(roomId))].map(([bucket, own]) => {
      const scores = [
        { userId: "51", score },
        { userId: "52", score: 0 },
      ];
      return call(caller, "im-router.battleScores", {
        bucket,
        battles: [{ battleId: "9", roomIds: own, scores, endTime, remainingMs }],
      });
    }),
  );
const scoresOf = (client: TestClient) =>
  client.business(5558).map(({ data }) => (data.scores as { score: number }[])[0]?.score);
const stateOf = (client: TestClient) => client.business(5559).map(({ data }) => data.state);

test("scores and states reach both rooms of a battle on every node, numbered as the rooms' other frames", async () => {
  const clients = [await connect(a, "61", 51), await connect(b, "62", 51), await connect(b, "63", 52)];
  await call(caller, "im-router.battleState", { rooms: [51, 52], msgId: "battle:9:running", data: view() });
  await sendScores([51, 52], 10, 60_000);
  for (const client of clients) {
    await eventually("scores", () => scoresOf(client).length === 1);
    const [state, scores] = client.business();
    const roomId = client === clients[2] ? 52 : 51;
    expect(state).toMatchObject({ msgId: "battle:9:running", userId: "0", bizCode: 5559 });
    expect(state?.data).toEqual({ ...view(), roomId, seq: 1, epoch: client.greeting?.epoch });
    expect(scores?.data).toMatchObject({ roomId, seq: 2, battleId: "9", scores: [{ userId: "51", score: 10 }, {}] });
    expect(scores?.data.remainingMs).toBeLessThanOrEqual(60_000);
    expect(scores?.data.remainingMs).toBeGreaterThan(50_000);
  }
});

test("however often scores change, a viewer gets them at most once a tick, and the last ones", async () => {
  const client = await connect(a, "64", 53);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 400 }, (_, i) => sendScores([53], i + 1)));
  await eventually("the last scores", () => scoresOf(client).at(-1) === 400);
  const ticks = Math.ceil((performance.now() - startedAt) / limits.im.roomTickMs);
  expect(scoresOf(client).length).toBeLessThanOrEqual(ticks + 1);
  expect(scoresOf(client)).toEqual(scoresOf(client).toSorted((one, other) => (one ?? 0) - (other ?? 0)));
});

const numbered = (roomId: number, bizCode: number, n: number) => ({
  ...unnumberedFrame(roomId, { msgId: `${bizCode}-${n}`, userId: "0", bizCode, data: { n } }),
  ...(bizCode === 5558 && { replaces: true as const }),
});
const numbersOf = (client: TestClient, bizCode: number) => client.business(bizCode).map(({ data }) => data.n);

test("who comes back after many scores gets every other frame that it missed, and of the scores the last", async () => {
  const numbers = new RoomNumbers(redis as never);
  const frames = Array.from({ length: 5 * limits.im.roomHistoryFrames }, (_, n) =>
    numbered(54, n % 100 === 0 ? 5560 : 5558, n),
  );
  for (let at = 0; at < frames.length; at += 30) await numbers.number(frames.slice(at, at + 30));
  const [{ epoch, seq } = { epoch: "", seq: 0 }] = await numbers.number([numbered(54, 5560, 1_000)]);
  const back = await connect(b, "66", 54, { since: 1, epoch });
  expect(back.greeting).toMatchObject({ recovered: true, seq });
  await eventually("the missed frames", () => numbersOf(back, 5560).at(-1) === 1_000);
  expect(numbersOf(back, 5560)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
  expect(numbersOf(back, 5558)).toEqual([999]);
  const seqs = back.business().map(({ data }) => Number(data.seq));
  expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
  const kept = await redis.zrange("im:room:54:frames", 0, -1);
  const bytes = kept.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
  expect([kept.length, Number(await redis.hget("im:room:54", "bytes"))]).toEqual([12, bytes]);
});

test("who has missed a frame that has left the history is told so, and who has missed only old scores is not", async () => {
  const numbers = new RoomNumbers(redis as never);
  const most = limits.im.roomHistoryFrames;
  const [first] = await numbers.number([numbered(61, 5560, 0), numbered(61, 5558, 1), numbered(61, 5560, 2)]);
  const { epoch } = first as { epoch: string };
  await numbers.number(Array.from({ length: most }, (_, n) => numbered(61, 5560, 3 + n)));
  const [cut, whole] = [
    await connect(a, "94", 61, { since: 2, epoch }),
    await connect(a, "95", 61, { since: 3, epoch }),
  ];
  expect([cut.greeting?.recovered, whole.greeting?.recovered]).toEqual([false, true]);
  await eventually("the missed frames", () => whole.business().length === most);
  await redis.del("im:room:61:frames");
  await numbers.number([numbered(61, 5558, 0)]);
  const last = 3 + most;
  const [late, current] = [
    await connect(a, "96", 61, { since: last - 1, epoch }),
    await connect(a, "97", 61, { since: last, epoch }),
  ];
  expect([late.greeting?.recovered, current.greeting?.recovered]).toEqual([false, true]);
  await eventually("the scores", () => numbersOf(current, 5558).length === 1);
});

test.each<[string, { since?: number; epoch?: string }]>([
  ["who enters", {}],
  ["who comes back", { since: 0, epoch: "another" }],
])("%s in mid-battle is sent its state at once, in either version", async (_what, more) => {
  battles.set(55, view("running", [55, 56]));
  const id = Object.keys(more).length;
  const [first, second] = [await connect(a, `7${id}`, 55, more), await connect(b, `8${id}`, 55, { ...more, v: "2" })];
  await eventually("the states", () => [first, second].every((client) => stateOf(client).length === 1));
  const { serverTime, ...data } = first.business(5559)[0]?.data ?? {};
  const { serverTime: _asked, ...expected } = view("running", [55, 56]);
  expect(data).toEqual({ ...expected, roomId: 55 });
  expect(Date.parse(String(serverTime))).toBeGreaterThanOrEqual(Date.parse(_asked));
  expect(second.business(5559)[0]?.data.sides).toEqual([
    [55, "55", 0, 0],
    [56, "56", 0, 0],
  ]);
});

test("many who enter a room ask for its battle once a second on each node", async () => {
  const startedAt = performance.now();
  const clients = await Promise.all(Array.from({ length: 40 }, (_, i) => connect(a, String(900 + i), 57)));
  const seconds = Math.ceil((performance.now() - startedAt) / limits.im.battleStateMs);
  await eventually("an answer", () => asked.length > 0);
  expect(asked.length).toBeLessThanOrEqual(seconds);
  expect(clients.flatMap((client) => client.business())).toEqual([]);
});

test("who enters after the end of a battle is not sent the state from before it", async () => {
  battles.set(58, view("running", [58, 59]));
  const first = await connect(a, "91", 58);
  await eventually("the state", () => stateOf(first).length === 1);
  battles.delete(58);
  await call(caller, "im-router.battleState", { rooms: [58], msgId: "battle:9:ended", data: view("ended", [58, 59]) });
  await eventually("the end", () => stateOf(first).at(-1) === "ended");
  const second = await connect(a, "92", 58);
  await eventually("an answer", () => asked.length === 2);
  await postToRoom(router, { roomId: 58, senderId: "0", msgId: "later", bizCode: 5560, data: {} });
  await eventually("a later frame", () => second.business(5560).length === 1);
  expect(stateOf(second)).toEqual([]);
});

test("a battle service that fails delays and refuses no entry, and nothing is sent", async () => {
  answers = false;
  const client = await connect(a, "93", 60);
  await eventually("the question", () => asked.length === 1);
  await postToRoom(router, { roomId: 60, senderId: "0", msgId: "m", bizCode: 5560, data: {} });
  await eventually("a frame", () => client.business().length === 1);
  expect([client.closed, client.business()[0]?.bizCode]).toEqual([undefined, 5560]);
});
