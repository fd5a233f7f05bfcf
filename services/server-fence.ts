import type { Service } from "moleculer";
import { fail } from "../broker/failure.ts";
import { tellServers } from "../broker/releases.ts";
import { limits } from "../config/limits.ts";
import { BackgroundLoop } from "../mixins/background-loop.ts";
import type { Queryable } from "../mixins/mysql/database.ts";
import { numbersOf, ServersMissing } from "./server-names-store.ts";
import { furtherServers, walletServers } from "./wallet-servers.ts";

/** What a node does that finds itself without a server: its process ends, as after any fault that nobody caught. */
const throwUncaught = (error: unknown): void => {
  setImmediate(() => {
    throw error;
  });
};

/**
 * Reads now and then which servers the home server names. A node whose setting lacks one ends: it would look for rows of
 * users, and write them, where they are not. It does not start again before its setting has all of them.
 */
export function fenceServers(service: Service, home: Queryable, end = throwUncaught): BackgroundLoop {
  const further = furtherServers(service.name);
  return new BackgroundLoop({
    name: "servers of users' data",
    idleMs: limits.wallet.serversReadMs,
    errorBackoffMs: limits.wallet.serversReadMs,
    log: service.logger,
    async round() {
      try {
        await numbersOf(home, further);
      } catch (error) {
        if (!(error instanceof ServersMissing)) throw error;
        service.logger.fatal({ err: error }, "this node lacks a server of users' data: it ends");
        end(error);
      }
      return false;
    },
  });
}

/**
 * Before a ledger is written with a new revision of the archives: a server that is added raises it on the home server, so
 * that no node that lacks the server writes any more, also one that was cut off or stood still meanwhile. Fails: unavailable,
 * where the setting lacks one.
 */
export async function requireServers(service: string, home: Queryable): Promise<void> {
  try {
    await numbersOf(home, furtherServers(service));
  } catch (error) {
    if (error instanceof ServersMissing) throw fail("unavailable", { cause: error.message });
    throw error;
  }
}

/** Tells the other nodes the servers that a service of this node reads, where it reads several. */
export function tellServersOf({ broker, name }: Service): void {
  const [home, ...further] = walletServers() ?? [];
  if (home && further.length > 0)
    tellServers(
      broker,
      name,
      [home, ...further].map((server) => server.name),
    );
}
