import { serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { totalsOfSides } from "./totals-store.ts";

/**
 * Answers `gift.totals` by connections of their own, a few: readings of many records, however many are asked for, take
 * no connection from the settler. Sums, which results wait for, do not queue behind top senders, which are only shown.
 */
export class Totals {
  private readonly sums: Database;
  private readonly tops: Database;

  constructor(database: string) {
    const options = { url: serviceUrl("MYSQL_URL", "gift"), connections: limits.gift.totalsConnections };
    this.sums = new Database(database, options);
    this.tops = new Database(database, options);
  }

  /** See `gift.totals`. */
  of(wanted: Parameters<typeof totalsOfSides>[1]): ReturnType<typeof totalsOfSides> {
    return totalsOfSides(wanted.topSenders ? this.tops : this.sums, wanted);
  }

  async close(): Promise<void> {
    await Promise.all([this.sums.close(), this.tops.close()]);
  }
}
