import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { makeTables } from "../support/seed.ts";

const services = ["wallet", "gift"] as const;
type Service = (typeof services)[number];

/**
 * Filled books beside one another on one server. One of them is in the databases of wallet and gift, the others wait in
 * databases of their own. Only the names of tables change, whatever their size. No service may run meanwhile.
 */
export class Shelf {
  /** The number of the books that are in use; `undefined`: the empty tables that the servers came with. */
  private present: number | undefined;

  /** Puts away the books in use and makes empty ones, which get this number. */
  async begin(number: number): Promise<void> {
    if (this.present !== undefined) await this.putAway(this.present);
    await makeTables();
    this.present = number;
  }

  /** Puts away the books in use and takes those of a number that was begun before. */
  async take(number: number): Promise<void> {
    if (this.present === number) return;
    if (this.present !== undefined) await this.putAway(this.present);
    for (const service of services) await moveTables(placeOf(service, number), databaseName(service));
    this.present = number;
  }

  private async putAway(number: number): Promise<void> {
    for (const service of services) await moveTables(databaseName(service), placeOf(service, number));
    this.present = undefined;
  }
}

/** Within the namespace: it is removed with it. */
const placeOf = (service: Service, number: number) => `${databaseName(service)}_${number}`;

async function moveTables(from: string, to: string): Promise<void> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${to} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    const [rows] = await connection.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?",
      [from],
    );
    const renames = (rows as { name: string }[]).map(({ name }) => `${from}.${name} TO ${to}.${name}`);
    if (renames.length > 0) await connection.query(`RENAME TABLE ${renames.join(", ")}`);
  } finally {
    await connection.end();
  }
}
