/** How many watch a room, where the nodes' words on it are written in another order than they were counted in. */
import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { call } from "../../../services/contracts.ts";
import type { ImLimits } from "../../../services/im-server/im-node.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { connect, cutClients, seeing, startImServer, startRouter } from "./im-nodes.ts";

interface Told {
  roomId: number;
  watchNum: number;
  nodeId: string | null;
}
/** The watch numbers of the room list, in the order in which they were written. */
const written: Told[] = [];
/** Keeps a word from being written until this resolves. */
let heldUp: (word: Told) => Promise<void> = async () => {};

const roomList = {
  name: "living-room",
  actions: {
    find: ({ params }: Context<{ roomId: number }>) => ({ ...params, anchorId: "1", type: 1, roomName: "a room" }),
    anchorEntered: () => ({ live: true }),
    async setWatchNumbers(ctx: Context<{ rooms: { roomId: number; watchNum: number }[] }>) {
      for (const room of ctx.params.rooms) {
        const word = { ...room, nodeId: ctx.nodeID };
        await heldUp(word);
        written.push(word);
      }
      return null;
    },
  },
} as unknown as ServiceSchema;

const settings: Partial<ImLimits> = { presenceLeaseMs: 1_500, presenceRefreshMs: 300, watchFlushMs: 50 };
let router: ServiceBroker;
let first: ServiceBroker;
let second: ServiceBroker;

beforeAll(async () => {
  router = await startRouter("router", roomList);
  first = await startImServer("im-1", settings);
  second = await startImServer("im-2", settings);
  for (const node of [first, second]) await seeing(node, { "living-room": 1, "im-router": 1, "im-server": 2 });
  await seeing(router, { "im-server": 2 });
});
afterAll(async () => {
  cutClients();
  await stopAll();
});
beforeEach(() => {
  heldUp = async () => {};
});

const shown = (roomId: number) => written.findLast((word) => word.roomId === roomId)?.watchNum;

test("a room that everybody has left has 0, also where one node's 1 is written after another's 0", async () => {
  const [staying, leaving] = [await connect(first, "1", 1), await connect(second, "2", 1)];
  await eventually("both are counted", () => shown(1) === 2);
  const emptied = Promise.withResolvers<void>();
  let late: Told | undefined;
  heldUp = async (word) => {
    if (word.roomId !== 1 || word.watchNum !== 1 || word.nodeId !== second.nodeID) return;
    late = word;
    await emptied.promise;
  };
  await leaving.leave();
  await eventually("the second node reports 1", () => late);
  await staying.leave();
  await eventually("the first node's 0 is written", () => shown(1) === 0);
  emptied.resolve();
  await eventually("the second node's 1 is written after it", () => written.includes(late as Told));
  await eventually("0 is written again", () => shown(1) === 0);
});

test("a number that another node's late word stands over is written again though nobody comes or goes", async () => {
  const client = await connect(first, "3", 2);
  await eventually("counted", () => shown(2) === 1);
  // The report of a node that took the room for deserted just before it was entered again.
  await call(second, "living-room.setWatchNumbers", { rooms: [{ roomId: 2, watchNum: 0 }] });
  const late = written.findLastIndex(({ nodeId }) => nodeId === second.nodeID);
  await eventually("1 is written again", () =>
    written.slice(late).some(({ roomId, watchNum }) => roomId === 2 && watchNum === 1),
  );
  await client.leave();
});

test("a node reports a number again when the room comes back to it, whatever others reported meanwhile", async () => {
  const third = await startImServer("im-3", { ...settings, presenceLeaseMs: 120_000, presenceRefreshMs: 60_000 });
  await seeing(third, { "living-room": 1, "im-router": 1 });
  await seeing(first, { "im-server": 3 });
  const leaving = await connect(third, "4", 3);
  await eventually("the third node reports 1", () => shown(3) === 1);
  const staying = await connect(first, "5", 3);
  await eventually("the first node reports 2", () => shown(3) === 2);
  await leaving.leave();
  const byThird = () => written.filter(({ roomId, nodeId }) => roomId === 3 && nodeId === third.nodeID);
  await eventually("the third node reports 1 again", () => byThird().length === 2);
  expect(byThird()[1]).toMatchObject({ watchNum: 1 });
  await staying.leave();
});
