import { roomIdOf } from "../../bench/burst/burst-gifts.ts";
import { seedPeople } from "../../bench/burst/people.ts";
import { seedTokens } from "../../bench/burst/seed-tokens.ts";
import { anchorId } from "../../bench/support/seed.ts";
import { Person } from "../../test/support/client.ts";
import type { Scene, User } from "./jobs.ts";

const roomCount = 5;
const viewersOfRoom = 6;
const payerCount = 6;
/** A sender sends one gift after the other. With this many a second she waits for an answer half of the time at most. */
const giftsOfSenderPerSecond = 2;
const coins = 100_000_000;

/** Senders with coins, and anchors in live rooms, straight into the databases: before the nodes start. */
export async function seedScene(perSecond: number, progress: (line: string) => void): Promise<User[]> {
  const count = Math.max(roomCount * viewersOfRoom, Math.ceil(perSecond / giftsOfSenderPerSecond));
  const ids = await seedPeople(count, roomCount, progress, coins);
  const tokens = seedTokens(ids);
  return ids.map((userId, at) => ({ userId, token: tokens[at] as string }));
}

/** The whole scene. Payers log in at the running system, and have no coins. */
export async function openScene(port: number, senders: readonly User[]): Promise<Scene> {
  const payers = await Promise.all(Array.from({ length: payerCount }, () => Person.login()));
  return {
    ...{ port, senders, viewersOfRoom },
    rooms: Array.from({ length: roomCount }, (_, room) => ({ roomId: roomIdOf(room), anchorId: anchorId(room) })),
    payers: payers.map(({ userId, token }) => ({ userId, token })),
  };
}
