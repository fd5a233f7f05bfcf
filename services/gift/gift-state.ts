import type { ServiceNodes } from "../../broker/service-nodes.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import type { AnswerCache } from "../../mixins/answer-cache.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import type { UserRate } from "../../mixins/user-rate.ts";
import type { RoomReceivers } from "../living-room/living-room.contract.ts";
import type { CatalogueCache, giftColumns } from "./catalogue-cache.ts";
import type { Combos } from "./combos.ts";
import type { OpenGate } from "./gate/open-gate.ts";
import type { GiftMetrics } from "./gift-metrics.ts";
import type { NodeOrders } from "./node-orders.ts";
import type { QueueWatermark } from "./queue-watermark.ts";
import type { RecordServers } from "./record-servers.ts";
import type { Breakpoint } from "./settler.ts";
import type { ShareCache } from "./share-cache.ts";
import type { SilentPartitions } from "./silent-partitions.ts";
import type { Totals } from "./totals.ts";
import type { UsableAccounts } from "./usable-accounts.ts";

/** The properties that the service, its mixins and its start put on `this`. */
export interface GiftState extends MysqlState, RedisState, JetStreamState, CatalogueState<typeof giftColumns> {
  /** Of accepted gifts, in the queue and in Redis. */
  signatures: MessageSignatures;
  /** The orders that this node accepts and has accepted. */
  orders: NodeOrders;
  /** The rate of each sender; `undefined` where there is no limit. */
  rate: UserRate | undefined;
  silent: SilentPartitions;
  metrics: GiftMetrics;
  watermark: QueueWatermark;
  totals: Totals;
  /** Where the gift records are. */
  records: RecordServers;
  walletNodes: ServiceNodes;
  /** The platform's gate; `undefined` where there is none. */
  gate: OpenGate | undefined;
  /** How many gifts are being accepted. */
  accepting: number;
  /** Who receives gifts in live rooms. */
  roomReceivers: AnswerCache<number, RoomReceivers | undefined>;
  /** Asks for the rooms that are not cached, by room id. */
  roomsAsked: BatchLoader<RoomReceivers>;
  shares: ShareCache;
  /** They sign the shares too. */
  bookKeys: NamedKeys;
  /** The accounts of receivers. */
  receivers: UsableAccounts;
  catalogueCache: CatalogueCache;
  catalogueWatch: BackgroundLoop;
  /** Adds up the gifts of each minute, on each server. */
  minutes: LeasedLoop[];
  combos: Combos;
  /** For tests: throws at a step to simulate a crash. */
  settleBreakpoint: Breakpoint;
}
