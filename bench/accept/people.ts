import { richPeople } from "../load/people.ts";
import { platformSenders } from "../load/platform-senders.ts";
import type { BenchContext } from "../support/context.ts";
import type { Load } from "./duel.ts";

/** Users with coins, who all send to the anchor of one live room. */
export async function fansOfOneAnchor(count: number, progress: BenchContext["progress"]): Promise<Load> {
  const [anchor, ...fans] = await richPeople(count + 1, progress);
  if (!anchor) throw new Error("nobody logged in");
  const roomId = await anchor.openRoom("bench");
  return { people: fans.map(({ token }) => ({ token, roomId, receiverId: anchor.userId })) };
}

/** The same of users of a platform, with an API key that may send for them. */
export async function usersOfPlatform(count: number, progress: BenchContext["progress"]): Promise<Load> {
  const { key, senders } = await platformSenders(count, progress);
  return { people: senders, apiKey: key };
}
