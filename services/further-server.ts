import type { Service } from "moleculer";
import { databaseName } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import type { HealthState } from "../mixins/health.mixin.ts";
import { Database } from "../mixins/mysql/database.ts";
import { requireSchema } from "../mixins/mysql/schema.ts";
import { ServerPresence } from "../mixins/mysql/server-presence.ts";
import { openView } from "../mixins/mysql/server-view.ts";
import { requireSelf } from "./server-names-store.ts";
import type { WalletServer } from "./wallet-servers.ts";

/** A further server of users' rows, as a service of this node uses it, until `close`. */
export interface FurtherServer<State> {
  readonly presence: ServerPresence;
  readonly view: Service & State;
  close(): Promise<void>;
}

const away = {
  name: "ovation.servers.away",
  description: "1 while a further MySQL server with users' rows is away for this node, by its name in the label",
} as const;

/** Shows whether a server is away for this node. `label`: `wallet` or `gift` for the home server, `wallet@b` for server b. */
export function showAway({ broker: { metrics } }: Service, label: string, isAway: boolean): void {
  metrics.register({ type: "gauge", ...away, labelNames: ["service"] });
  metrics.set(away.name, isAway ? 1 : 0, { service: label });
}

/** The mixins that a further server needs of the service. */
export type MixinsAt = (server: WalletServer & { readonly presence: ServerPresence }) => readonly object[];

/**
 * Opens a further server. It may be away, also from the start on: then nothing is sent to it, and it is used once it is
 * there and is the server that its name says, with the tables that this node needs. Rejects where another server
 * answers, or it lacks tables.
 */
export async function openFurther<State extends object>(
  service: Service & HealthState,
  server: WalletServer,
  folders: readonly string[],
  mixinsAt: MixinsAt,
): Promise<FurtherServer<State>> {
  // A connection of its own: one that waits for a free one of the pool would say nothing about the server.
  const looks = new Database(databaseName(service.name), {
    ...{ url: server.url, connections: 1, statementTimeoutMs: limits.mysql.presenceLostMs },
  });
  const presence = new ServerPresence({
    name: server.name,
    log: service.logger,
    changed: (isPresent) => showAway(service, `${service.name}@${server.name}`, !isPresent),
    async prepare() {
      await requireSchema(looks, folders);
      await requireSelf(looks, server.name);
    },
    probe: () => looks.requireWorking(),
  });
  const end = async () => {
    presence.stop();
    await looks.close();
  };
  showAway(service, `${service.name}@${server.name}`, true);
  try {
    await presence.begin();
    const { view, close } = await openView<State>(service, server.name, mixinsAt({ ...server, presence }));
    return { presence, view, close: () => close().finally(end) };
  } catch (error) {
    await end();
    throw error;
  }
}
