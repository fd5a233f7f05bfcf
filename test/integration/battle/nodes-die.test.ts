/** Battles go on when the nodes that knew of them are dead, and no node's clock decides anything. */
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { projectRoot } from "../../../config/root.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, startNode, stopAll, waitUntilForgotten } from "../../support/system.ts";
import { battleDatabase, inState, settings, shown, World } from "./battle-nodes.ts";

jest.setTimeout(120_000);

const world = new World();
let neighbours: ServiceBroker;
let database: Database;
const children = new Map<string, Child>();

/** A battle node in a process of its own, whose clock is wrong. */
async function startWrong(label: string, wrongMs: number): Promise<string> {
  const child = startChild({
    name: label,
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "battle", JSON.stringify(settings), String(wrongMs)],
    cwd: projectRoot(),
    env: { NODE_LABEL: label },
    output: { prefix: `${label}|` },
    ready: /^ready (\{.*\})$/,
  });
  const { nodeId } = JSON.parse((await child.ready)?.[1] as string) as { nodeId: string };
  children.set(nodeId, child);
  await eventually(`${label} is seen`, () => neighbours.registry.hasService("battle", nodeId));
  return nodeId;
}

async function kill(nodeId: string): Promise<void> {
  const child = children.get(nodeId) as Child;
  children.delete(nodeId);
  process.kill(child.pid as number, "SIGKILL");
  await child.exited;
}

beforeAll(async () => {
  neighbours = await startNode("neighbours", world.schemas());
});
afterAll(async () => {
  for (const child of children.values()) await child.stop(5_000);
  await database?.close();
  await stopAll();
});

const now = () => world.clock?.read() as Promise<number>;
type Party = { roomId: number; userId: string };

async function begin(nodeID: string): Promise<{ a: Party; b: Party; battleId: string; start: number }> {
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId }, { nodeID });
  const before = await now();
  await call(neighbours, "battle.accept", { battleId, userId: b.userId }, { nodeID });
  const { startTime, serverTime } = await call(neighbours, "battle.show", { battleId }, { nodeID });
  const after = await now();
  const start = Date.parse(startTime as string);
  expect(start).toBeGreaterThanOrEqual(before);
  expect(start).toBeLessThanOrEqual(after);
  // By JetStream's clock, which the node knows up to a round trip; its own is 30 s wrong.
  expect(Math.abs(Date.parse(serverTime) - after)).toBeLessThan(20_000);
  return { a, b, battleId, start };
}

test("nodes 30 s ahead and 30 s behind start and end battles by JetStream's clock; killed ones are replaced", async () => {
  const ahead = await startWrong("battle-ahead", 30_000);
  database = battleDatabase();
  const { a, b, battleId, start } = await begin(ahead);
  const other = await begin(ahead);
  const pk = world.room(2);
  world.presence.set("51", pk.roomId);
  const guests = await call(neighbours, "battle.join", { roomId: pk.roomId, userId: "51" }, { nodeID: ahead });
  const gift = ({ roomId, userId }: Party, time: number, coins: number) =>
    world.giftOf({ roomId, receiverId: userId, time, coins });
  const counted = [gift(a, start, 10), gift(b, start + 100, 30), gift(other.b, other.start, 5)];
  await world.settle(...counted);
  await eventually(
    "they are in the live scores",
    async () => (await shown(neighbours, battleId)).sides[1]?.score === 30,
  );
  await kill(ahead);
  world.settled = false;
  const bell = (await now()) + 1_500;
  await database.run("UPDATE t_battle SET planned_end = ? WHERE id IN (?)", [
    new Date(bell),
    [battleId, guests.battleId],
  ]);
  // As a node leaves it that dies between the wish to end a battle and its end.
  await database.run("UPDATE t_battle SET end_asked_time = UTC_TIMESTAMP(3) WHERE id = ?", [other.battleId]);
  const behind = await startWrong("battle-behind", -30_000);
  await world.settle(...counted, gift(a, bell - 1, 1), gift(a, bell, 1_000));
  world.settled = true;
  await waitUntilForgotten(neighbours, "battle", ahead);
  const view = await inState(neighbours, battleId, "ended");
  expect(await now()).toBeGreaterThanOrEqual(bell);
  expect(view).toMatchObject({ winner: b.userId, endTime: new Date(bell).toISOString() });
  expect(view.sides.map(({ score, gifts }) => [score, gifts])).toEqual([
    [11, 2],
    [30, 1],
  ]);
  const early = await inState(neighbours, other.battleId, "ended");
  expect(early.winner).toBe(other.b.userId);
  expect(Date.parse(early.endTime as string)).toBeLessThanOrEqual(await now());
  expect(Date.parse(early.endTime as string)).toBeGreaterThan(other.start);
  await inState(neighbours, guests.battleId, "ended");
  await eventually("the guest is unlinked", () => !world.guests.has(pk.roomId));
  const { differences } = await call(neighbours, "battle.verify", { battleIds: [battleId, other.battleId] });
  expect(differences).toEqual([]);
  await begin(behind);
});
