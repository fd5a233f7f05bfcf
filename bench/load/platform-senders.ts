import { randomUUID } from "node:crypto";
import { databaseName } from "../../config/config.ts";
import { post } from "../../test/support/client.ts";
import { seedAccounts } from "../support/seed.ts";
import { apiKey } from "./api-key.ts";
import type { Sender } from "./jobs.ts";

const coins = 1_000_000_000;
const askedTogether = 16;

/**
 * Users of a platform, who have coins without a payment, and an anchor in a live room, all by the platform's ids; and the
 * key to send gifts for them.
 */
export async function platformSenders(
  count: number,
  progress: (line: string) => void,
): Promise<{ key: string; senders: Sender[] }> {
  progress(`${count} users of a platform`);
  const key = await apiKey(["users:write", "rooms:write", "gifts:send"]);
  const ask = async <T>(path: string, body: object): Promise<T> => {
    const headers = { "idempotency-key": randomUUID() };
    const answer = await post<T>(`/live/server/v1/${path}`, body, { token: key, headers });
    if (answer.code !== 200) throw new Error(`${path}: ${answer.status} ${answer.code} ${answer.msg}`);
    return answer.data;
  };
  const upsert = async (externalId: string) => ({
    externalId,
    ...(await ask<{ userId: string }>("users/upsert", { externalId })),
  });
  const anchor = await upsert("bench anchor");
  const externalRoomId = "bench room";
  const { roomId } = await ask<{ roomId: number }>("rooms/open", {
    ...{ externalId: anchor.externalId, externalRoomId, type: 1, roomName: "bench" },
  });
  const fans: { externalId: string; userId: string }[] = [];
  while (fans.length < count) {
    const size = Math.min(askedTogether, count - fans.length);
    const next = Array.from({ length: size }, (_, at) => upsert(`bench user ${fans.length + at}`));
    fans.push(...(await Promise.all(next)));
  }
  const userIdOf = (n: number) => (fans[n] as { userId: string }).userId;
  await seedAccounts(databaseName("wallet"), count, userIdOf, coins, progress);
  const receiver = { receiverId: anchor.userId, roomId };
  const externalIds = { receiverExternalId: anchor.externalId, externalRoomId };
  const senders = fans.map(({ externalId }) => ({
    ...receiver,
    token: "",
    externalIds: { externalId, ...externalIds },
  }));
  return { key, senders };
}
