import type { AnswerCache } from "../../mixins/answer-cache.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import type { CatalogueCache, giftColumns } from "./catalogue-cache.ts";
import type { Breakpoint } from "./settler.ts";
import type { ShareCache } from "./share-cache.ts";
import type { UsableAccounts } from "./usable-accounts.ts";

/** What the service, its mixins and its start put on `this`. */
export interface GiftState extends MysqlState, RedisState, JetStreamState, CatalogueState<typeof giftColumns> {
  /** Content hashes of settled orders. */
  settledOrders: BatchLoader<string>;
  anchors: AnswerCache<number, string | undefined>;
  shares: ShareCache;
  /** Of receivers. */
  receivers: UsableAccounts;
  catalogueCache: CatalogueCache;
  catalogueWatch: BackgroundLoop;
  /** For tests: throws where a crash is to be played. */
  settleBreakpoint: Breakpoint;
}
