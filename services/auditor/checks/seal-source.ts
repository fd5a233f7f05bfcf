import { databaseName } from "../../../config/config.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { BookKeys } from "../../book-keys.ts";
import type { SealingService } from "../../book-seals.ts";

/** The seals of a service: where they are read, and the keys that they may have. */
export interface SealSource {
  readonly service: SealingService;
  readonly db: Database;
  readonly keys: BookKeys;
}

/** The full name of a table of a service. */
export const tableOf = (service: SealingService, table: string): string => `${databaseName(service)}.${table}`;

/** What findings name: something of the wallet by itself, something of another service with its name. */
export const namedOf = (service: SealingService, what: string): string =>
  service === "wallet" ? what : `${what} of ${service}`;
