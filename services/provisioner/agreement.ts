import type { Service } from "moleculer";
import { messageOf } from "../../broker/unknown-values.ts";
import { config, natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { addHealthCheck, Degraded } from "../../mixins/health.mixin.ts";
import { partsOf } from "../../mixins/jetstream/definitions.ts";
import type { Provisioner } from "../../mixins/jetstream/provisioner.ts";
import { allStreams } from "../stream-access.ts";

/**
 * Lets the servers agree on those replicated streams that their makers left without it, until `stop` (decision 0092).
 * Health is degraded while it cannot. `undefined` where streams have no replicas.
 */
export function keepAgreed(
  service: Service,
  provisioner: Pick<Provisioner, "agree">,
  mayChange: () => boolean,
): BackgroundLoop | undefined {
  if (config().JETSTREAM_REPLICAS === 1) return undefined;
  let problem: string | undefined;
  addHealthCheck(service, "agreement", async () => {
    if (problem !== undefined) throw new Degraded(problem);
  });
  const round = async () => {
    const failures: string[] = [];
    for (const { name } of mayChange() ? allStreams.flatMap(partsOf) : [])
      await provisioner.agree(natsPrefix() + name).catch((error: unknown) => {
        failures.push(`stream ${name}: ${messageOf(error)}`);
      });
    problem = failures.length > 0 ? `servers of NATS may not agree on ${failures.join("; ")}` : undefined;
    if (problem !== undefined) throw new Error(problem);
    return false;
  };
  const { agreeEveryMs: idleMs, lookRarelyMs: errorBackoffMs } = limits.jetstream;
  return new BackgroundLoop({ name: "agreement", idleMs, errorBackoffMs, log: service.logger, round });
}
