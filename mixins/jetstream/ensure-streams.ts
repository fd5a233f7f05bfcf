import type { JetStreamManager } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { partsOf, type StreamDefinition, streamConfig, type WantedStream } from "./definitions.ts";
import { Provisioner } from "./provisioner.ts";
import type { Provisioning } from "./provisioning.ts";
import { untilLed } from "./start-patience.ts";
import { findStream } from "./streams.ts";

export interface EnsureParts {
  /** Makes them; by default the manager's own login. */
  readonly provisioning?: Provisioning;
  /** Whether a missing stream, by the server's name, is known to have existed. */
  readonly wasThere?: (stream: string) => Promise<boolean>;
  readonly log?: Log;
}

/**
 * Makes the missing streams and brings the others to their definition. Many nodes may do it at once. Returns the lost
 * streams: missing, and known to have existed.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  streams: readonly StreamDefinition[],
  { provisioning = new Provisioner(manager), wasThere = async () => false, log }: EnsureParts = {},
): Promise<string[]> {
  const gone: string[] = [];
  for (const part of streams.flatMap(partsOf)) {
    const wanted = streamConfig(part);
    await untilLed(async () => {
      if (await findStream(manager, wanted.name)) return provisioning.bringStreamToSettings(part, log);
      const known = await wasThere(wanted.name);
      if (known && !gone.includes(wanted.name)) gone.push(wanted.name);
      await makeAtStart(manager, provisioning, wanted, known);
    });
  }
  return gone;
}

async function makeAtStart(
  manager: JetStreamManager,
  provisioning: Provisioning,
  wanted: WantedStream,
  again: boolean,
): Promise<void> {
  if (again) await new Promise((resolve) => setTimeout(resolve, limits.jetstream.makeAgainAfterMs));
  if (!(await findStream(manager, wanted.name))) await provisioning.makeStream(wanted, again);
}
