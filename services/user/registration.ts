import { randomInt } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { type Database, isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { firstNickName, randomPartsOfUserId, userIdOf } from "./user-id.ts";
import { insertUser, userIdByPhone } from "./user-store.ts";

const attempts = 5;

/**
 * The user of a phone, registered where the phone is unknown; user, phone and event are durable when it returns. The
 * unique key on the phone decides: parallel first logins, on any nodes, all get the same user.
 */
export async function findOrRegister(
  { mysql, outbox }: { mysql: Database } & OutboxState,
  phone: string,
  requestId: string | null,
): Promise<{ userId: string; registered: boolean }> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const known = await userIdByPhone(mysql, phone);
    if (known !== undefined) return { userId: known, registered: false };
    const userId = userIdOf(Date.now(), randomInt(randomPartsOfUserId));
    try {
      await mysql.transaction(async (tx) => {
        await insertUser(tx, { userId, nickName: firstNickName(userId), avatar: "" }, phone);
        const event = durableEvent("user.registered", userId, { userId, time: new Date().toISOString() });
        await outbox.add(tx, { ...event, orderKey: userId, requestId });
      });
      outbox.wake();
      return { userId, registered: true };
    } catch (error) {
      // Another login registered the phone, which the next attempt reads, or the user id is taken: a new one is made.
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw fail("unavailable", { what: "registration", attempts });
}
