import type { Service } from "moleculer";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { migrationFolders } from "../../databases.ts";
import { type MixinsAt, openFurther, showAway } from "../../further-server.ts";
import { fenceServers, tellServersOf } from "../../server-fence.ts";
import { numbersOf, requireSelf } from "../../server-names-store.ts";
import { furtherServers, type WalletServer, walletServers } from "../../wallet-servers.ts";
import { BucketWatch } from "./bucket-watch.ts";
import { type LedgerServer, LedgerServers, type ServerView } from "./ledger-servers.ts";

/** The servers of this node, open until `close`. */
export interface OpenServers {
  readonly servers: LedgerServers;
  /** Reads the map of buckets again. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the servers of WALLET_MYSQL_URLS; further ones may be away. Without further ones it costs one query, now and then.
 * Rejects where the setting is not what the home server knows: this node would write users' rows where others do not look.
 */
export async function openServers(wallet: Service & MysqlState, mixinsAt: MixinsAt): Promise<OpenServers> {
  const further = furtherServers("wallet");
  const numbers = await numbersOf(wallet.mysql, further);
  const fence = fenceServers(wallet, wallet.mysql);
  showAway(wallet, wallet.name, false);
  if (further.length === 0)
    return { servers: LedgerServers.one(wallet as ServerView), refresh: async () => {}, close: () => fence.stop() };
  const home = walletServers()?.[0] as WalletServer;
  const closing: (() => Promise<void>)[] = [() => fence.stop()];
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    await requireSelf(wallet.mysql, home.name);
    const opened: LedgerServer[] = [{ name: home.name, number: 0, view: Object.create(wallet) as ServerView }];
    for (const server of further) {
      const further = await openFurther<ServerView>(wallet, server, migrationFolders.wallet, mixinsAt);
      closing.push(further.close);
      const { view, presence } = further;
      opened.push({ name: server.name, number: numbers.get(server.name) as number, view, presence });
    }
    const [first, ...others] = opened.toSorted((a, b) => a.number - b.number) as [LedgerServer, ...LedgerServer[]];
    const watch = await BucketWatch.open(wallet.mysql, home.name, wallet.logger);
    closing.push(() => watch.stop());
    tellServersOf(wallet);
    return {
      servers: LedgerServers.several({ servers: [first, ...others], watch }),
      refresh: () => watch.refresh(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
