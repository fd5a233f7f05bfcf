import { openRedis } from "../../mixins/redis.mixin.ts";
import { openSession } from "../../services/user/sessions.ts";

const openedTogether = 1_000;

/** A login for each of these users: the tokens, in the users' order. */
export async function seedTokens(userIds: readonly string[]): Promise<string[]> {
  const redis = openRedis("bench-logins");
  await redis.connect();
  const tokens: string[] = [];
  // The commands of a portion are sent without waiting for each other's replies.
  for (let done = 0; done < userIds.length; done += openedTogether)
    tokens.push(...(await Promise.all(userIds.slice(done, done + openedTogether).map((id) => openSession(redis, id)))));
  redis.disconnect();
  return tokens;
}
