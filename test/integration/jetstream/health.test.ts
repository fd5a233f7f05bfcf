import { isDeepStrictEqual } from "node:util";
import type { Service, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../../mixins/jetstream.mixin.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

afterAll(stopAll);

test("a NATS that does not answer is waited for once, however often readiness is asked for", async () => {
  const schema = { name: "asked", mixins: [jetstreamMixin([]), healthMixin] } as unknown as ServiceSchema;
  const node = await startNode("asked", [schema]);
  const { jetstream } = node.getLocalService("asked") as Service & JetStreamState;
  const health = () => node.call("asked.health");
  await eventually("ready", async () => isDeepStrictEqual(await health(), { nats: true, jetstream: true }));
  const answer = Promise.withResolvers<void>();
  const asked = jest.spyOn(jetstream.connection, "flush").mockReturnValue(answer.promise);
  try {
    const silent = async () => ((await health()) as { nats: unknown }).nats === "did not answer in time";
    await eventually("it is told", silent);
    await new Promise((resolve) => setTimeout(resolve, limits.http.healthKeptMs));
    expect(await silent()).toBe(true);
    expect(asked).toHaveBeenCalledTimes(1);
  } finally {
    answer.resolve();
    asked.mockRestore();
  }
  await eventually("ready again", async () => ((await health()) as { nats: unknown }).nats === true);
});
