import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import type { Gathered } from "../../mixins/gathered.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import type { AnchorCache } from "./anchor-cache.ts";
import type { CatalogueCache, giftColumns } from "./catalogue-cache.ts";
import type { Breakpoint } from "./settler.ts";
import type { ShareCache } from "./share-cache.ts";
import type { UsableAccounts } from "./usable-accounts.ts";

/** What the service, its mixins and its start put on `this`. */
export interface GiftState extends MysqlState, RedisState, JetStreamState, CatalogueState<typeof giftColumns> {
  /** Content hashes of settled orders. */
  settledOrders: Gathered<string>;
  anchors: AnchorCache;
  shares: ShareCache;
  /** Of receivers. */
  receivers: UsableAccounts;
  catalogueCache: CatalogueCache;
  catalogueWatch: BackgroundLoop;
  /** For tests: throws where a crash is to be played. */
  settleBreakpoint: Breakpoint;
}
