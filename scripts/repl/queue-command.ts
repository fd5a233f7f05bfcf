import { connectNats } from "../../broker/nats-connect.ts";
import { adminOptions } from "../../broker/nats-options.ts";
import { DeadLetters } from "../../mixins/jetstream/dead-letters.ts";
import { call } from "../../services/contracts.ts";
import type { ReplCommand } from "./command.ts";
import { pairs, table } from "./table.ts";

/** `undefined` where this console has no login at JetStream. */
async function deadByChannel(): Promise<Map<string, number> | undefined> {
  if (!process.env.NATS_ADMIN_URL) return undefined;
  const options = { ...adminOptions("repl-queue"), maxReconnectAttempts: 0, ignoreAuthErrorAbort: false };
  const connection = await connectNats(options);
  try {
    return await (await DeadLetters.open(connection)).countByChannel();
  } finally {
    await connection.close();
  }
}

/** The gift queue, and the number of dead letters of every channel. */
export const queue: ReplCommand = {
  command: "queue",
  description: "gifts waiting and being settled, and dead letters by channel",
  async run(broker) {
    const [depth, dead] = await Promise.all([call(broker, "gift.queueDepth", {}), deadByChannel()]);
    const gifts = pairs({ "gifts waiting": depth.waiting, "gifts in work": depth.inFlight });
    if (dead === undefined) return `${gifts}\n\ndead letters by channel: set NATS_ADMIN_URL to see them`;
    if (dead.size === 0) return `${gifts}\n\nno dead letters`;
    return `${gifts}\n\n${table(["channel", "dead letters"], [...dead])}\n(npm run dlq -- list)`;
  },
};
