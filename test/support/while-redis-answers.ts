import type { ServiceBroker } from "moleculer";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { eventually } from "./eventually.ts";

const triesMost = 3;

/**
 * Does `attempt` with the number of the try; it asserts how often a limit lets in. A command that Redis does not answer in
 * time is counted otherwise, and the service warns of it: what fails beside such a warning is tried again, up to twice, so
 * each try needs an address or a user of its own. Anything else that fails has failed.
 */
export async function whileRedisAnswers(
  service: string,
  nodes: readonly ServiceBroker[],
  attempt: (number: number) => Promise<void>,
): Promise<void> {
  for (let number = 1; ; number++) {
    const warned = nodes.map((node) => jest.spyOn(node.getLocalService(service).logger, "warn"));
    try {
      return await attempt(number);
    } catch (error) {
      const lines = warned.flatMap((spy) => spy.mock.calls.map((line) => String(line[1])));
      if (number >= triesMost || !lines.some((line) => line.includes("Redis is not reachable"))) throw error;
      for (const node of nodes) {
        const { redis } = node.getLocalService(service) as unknown as RedisState;
        await eventually("Redis answers again", async () => (await redis.ping()) === "PONG");
      }
    } finally {
      for (const spy of warned) spy.mockRestore();
    }
  }
}
