import type { Service } from "moleculer";
import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import type { ServerPresence } from "../../mixins/mysql/server-presence.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";

/** The gift service on one server. */
export interface RecordServer {
  readonly name: string;
  readonly number: number;
  readonly url: string | undefined;
  readonly view: Service & MysqlState;
  /** Of the records that are archived there. */
  readonly archive: ArchiveFilters;
  /** Whether a further server is there; the service itself stands or falls with the home server. */
  readonly presence?: ServerPresence;
}

/** An order and its sender. */
export interface OrderOf {
  readonly orderId: string;
  readonly userId: string;
}

/** Asks the servers: see RecordServers. */
export interface AskedServers {
  /** The home server first. */
  readonly all: readonly [RecordServer, ...RecordServer[]];
  at<T>(name: string | undefined, work: (db: Queryable) => Promise<T>): Promise<T>;
  eachThatMatters<T>(
    ask: (db: Queryable, server: RecordServer) => Promise<T>,
    userId: string | undefined,
    isEnough?: (answer: T) => boolean,
  ): Promise<T[]>;
}
