import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { RateLimitState } from "../../mixins/rate-limit.mixin.ts";
import type { RoomCache } from "./room-cache.ts";
import type { RoomMonitor } from "./room-monitor.ts";

/** What a node of the living-room service has. */
export interface RoomState extends MysqlState, RateLimitState, JetStreamState, OutboxState {
  rooms: RoomCache;
  monitor: RoomMonitor;
}
