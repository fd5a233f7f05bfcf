/** Neighbours that do not answer, or answer slowly, hold up nothing but what needs them. */
import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { battleDatabase, inState, startBattles, World } from "./battle-nodes.ts";

type Handler = (ctx: { params: Record<string, unknown> }) => unknown;

const world = new World();
/** The actions that do not answer, each until it is let go. */
const held = new Map<string, PromiseWithResolvers<void>>();
const hold = (...names: string[]) => {
  for (const name of names) held.set(name, Promise.withResolvers());
};
function letGo(): void {
  for (const { resolve } of held.values()) resolve();
  held.clear();
}
const waiting = new Map<string, number>();

/** The world's neighbours, whose actions can be held. */
function schemas(): ServiceSchema[] {
  return world.schemas().map(({ actions, ...rest }) => ({
    ...rest,
    actions: Object.fromEntries(
      Object.entries(actions as Record<string, Handler>).map(([name, handler]) => [
        name,
        async (ctx: Parameters<Handler>[0]) => {
          const full = `${rest.name}.${name}`;
          waiting.set(full, (waiting.get(full) ?? 0) + 1);
          await held.get(full)?.promise;
          waiting.set(full, (waiting.get(full) ?? 0) - 1);
          return handler(ctx);
        },
      ]),
    ),
  })) as unknown as ServiceSchema[];
}

let neighbours: ServiceBroker;
let database: Database;

beforeAll(async () => {
  neighbours = await startNode("neighbours", schemas());
  const node = await startBattles("battle-1");
  database = battleDatabase();
  await node.waitForServices(["gift", "im-router", "living-room", "user", "wallet"]);
  await eventually("the caller sees the node", () => neighbours.registry.hasService("battle", node.nodeID));
});
afterEach(letGo);
afterAll(async () => {
  letGo();
  await database.close();
  await stopAll();
});

async function joined(guestId: string): Promise<{ roomId: number; userId: string; battleId: string }> {
  const pk = world.room(2);
  world.presence.set(guestId, pk.roomId);
  const { battleId } = await call(neighbours, "battle.join", { roomId: pk.roomId, userId: guestId });
  return { ...pk, battleId };
}
const rows = (sql: string, battleId: string) => database.query(sql, [battleId]);
const end = ({ battleId, userId }: { battleId: string; userId: string }) =>
  call(neighbours, "battle.end", { battleId, userId });

test("a guest is unlinked, bells ring and invitations expire while results, frames and presence get no answer", async () => {
  const [first, second] = [await joined("61"), await joined("62")];
  hold("gift.settledBefore", "gift.totals", "im-router.battleState", "im-router.attendance");
  await end(first);
  await eventually("her result waits", () => waiting.get("gift.settledBefore") === 1);
  await eventually("presence waits", () => waiting.get("im-router.attendance") === 1);
  await eventually("the guest is unlinked", () => !world.guests.has(first.roomId));
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId });
  await database.run("UPDATE t_battle SET invited_time = invited_time - INTERVAL 30 SECOND WHERE id = ?", [battleId]);
  await database.run("UPDATE t_battle SET planned_end = start_time + INTERVAL 1 SECOND WHERE id = ?", [
    second.battleId,
  ]);
  await eventually("the invitation is expired", async () => {
    const found = await rows("SELECT id FROM t_battle WHERE id = ? AND state = 'expired'", battleId);
    return found.length === 1;
  });
  await eventually("the bell of the other has rung, and its guest is unlinked", async () => {
    const found = await rows("SELECT id FROM t_battle WHERE id = ? AND state = 'settling'", second.battleId);
    return found.length === 1 && !world.guests.has(second.roomId);
  });
  letGo();
  for (const one of [first, second]) await inState(neighbours, one.battleId, "ended");
});
