/** Who may not begin a battle yet, and what is deleted of battles that never were. */
import type { ServiceBroker } from "moleculer";
import type { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { battleDatabase, inState, shown, startBattles, World } from "./battle-nodes.ts";

const world = new World();
let neighbours: ServiceBroker;
let database: Database;

beforeAll(async () => {
  neighbours = await startNode("neighbours", world.schemas());
  const node = await startBattles("battle");
  database = battleDatabase();
  await node.waitForServices(["gift", "im-router", "living-room", "user", "wallet"]);
  await eventually("the caller sees the node", () => neighbours.registry.hasService("battle", node.nodeID));
});
afterAll(async () => {
  await database.close();
  await stopAll();
});

type Party = { roomId: number; userId: string };
const userOf = ({ userId }: Party) => ({ userId });
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: { type?: string }) => error.type,
  );
const invite = (a: Party, b: Party) => call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId });
const end = (battleId: string, { userId }: Party) => call(neighbours, "battle.end", { battleId, userId });
const ended = (battleId: string) => inState(neighbours, battleId, "ended");
const rested = (battleId: string) =>
  database.run("UPDATE t_battle SET closed_time = closed_time - INTERVAL 60 SECOND WHERE id = ?", [battleId]);

async function running(): Promise<{ a: Party; battleId: string }> {
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await invite(a, b);
  await call(neighbours, "battle.accept", { battleId, userId: b.userId });
  return { a, battleId };
}

describe("an invitation", () => {
  test("that was declined, cancelled or expired is not repeated for 60 s; the other side may invite back", async () => {
    for (const outcome of ["decline", "cancel", "expire"] as const) {
      const [a, b, c] = [world.room(), world.room(), world.room()];
      const { battleId } = await invite(a, b);
      if (outcome === "expire")
        await database.run("UPDATE t_battle SET invited_time = invited_time - INTERVAL 30 SECOND WHERE id = ?", [
          battleId,
        ]);
      else
        await call(neighbours, `battle.${outcome}`, { battleId, userId: outcome === "decline" ? b.userId : a.userId });
      expect(await failureOf(invite(a, b))).toBe("alreadyLinked");
      const others = [await invite(b, a), await invite(c, world.room())];
      expect(await failureOf(invite(a, b))).toBe("alreadyLinked");
      await call(neighbours, "battle.decline", {
        battleId: (others[0] as { battleId: string }).battleId,
        ...userOf(a),
      });
      expect(await failureOf(invite(a, b))).toBe("alreadyLinked");
      await rested(battleId);
      expect(await failureOf(invite(a, b))).toBeUndefined();
    }
  });

  test("that never became a battle is deleted after a day; battles stay", async () => {
    const [a, b] = [world.room(), world.room()];
    const other = await running();
    await end(other.battleId, other.a);
    const [old, young] = [await invite(a, b), await invite(world.room(), world.room())];
    await call(neighbours, "battle.cancel", { ...old, ...userOf(a) });
    await inState(neighbours, old.battleId, "cancelled");
    await database.run("UPDATE t_battle SET closed_time = closed_time - INTERVAL 1 DAY WHERE id = ?", [old.battleId]);
    await eventually(
      "it is deleted",
      async () => (await failureOf(shown(neighbours, old.battleId))) === "battleUnknown",
    );
    expect(await database.query("SELECT 1 FROM t_battle_side WHERE battle_id = ?", [old.battleId])).toEqual([]);
    await ended(other.battleId);
    expect((await shown(neighbours, young.battleId)).state).toBe("invited");
  });
});

describe("a guest", () => {
  const join = (roomId: number, userId: string) => {
    world.presence.set(userId, roomId);
    return call(neighbours, "battle.join", { roomId, userId });
  };

  test("is in the room when she joins, where that is known; a repeat while it runs links nobody", async () => {
    const pk = world.room(2);
    const absent = { roomId: pk.roomId, userId: "71" };
    expect(await failureOf(call(neighbours, "battle.join", absent))).toBe("roomNotLive");
    world.certainty = false;
    const { battleId } = await call(neighbours, "battle.join", absent);
    world.certainty = true;
    world.linking = "refused";
    expect(await call(neighbours, "battle.join", absent)).toEqual({ battleId });
    world.linking = "allowed";
    await end(battleId, pk);
  });

  test("whose battle the anchor ended does not join her again for 5 minutes; others may, and who left herself", async () => {
    const pk = world.room(2);
    const leave = async (userId: string) => {
      const { battleId } = await call(neighbours, "battle.leave", { roomId: pk.roomId, userId });
      await ended(battleId);
      return battleId;
    };
    await join(pk.roomId, "81");
    await leave("81");
    await join(pk.roomId, "81");
    const battleId = await leave(pk.userId);
    expect(await failureOf(join(pk.roomId, "81"))).toBe("alreadyLinked");
    await join(pk.roomId, "82");
    await leave("82");
    await database.run("UPDATE t_battle SET end_asked_time = end_asked_time - INTERVAL 5 MINUTE WHERE id = ?", [
      battleId,
    ]);
    await join(pk.roomId, "81");
    await leave("81");
  });
});
