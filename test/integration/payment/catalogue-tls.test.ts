import { ServiceBroker, type ServiceSchema } from "moleculer";
import { createConnection } from "mysql2/promise";
import { brokerOptions } from "../../../broker/options.ts";
import { catalogueTableMixin } from "../../../mixins/catalogue-table.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { dropNamespace } from "../../../scripts/drop-namespace.ts";

const { NAMESPACE = "", NATS_URL = "", REDIS_URL = "", MYSQL_URL = "" } = process.env;

// Read at its first use. The servers of the tests have no certificate that anybody would trust, or none at all.
process.env.MYSQL_URL = `${MYSQL_URL}?ssl=${encodeURIComponent('{"rejectUnauthorized":true}')}`;

afterAll(() => dropNamespace(NAMESPACE, { natsUrl: NATS_URL, redisUrl: REDIS_URL, mysqlUrl: MYSQL_URL }));

test("a catalogue table uses TLS as in MYSQL_URL: no login at a server that cannot prove itself", async () => {
  const connection = await createConnection(MYSQL_URL);
  await connection.query(`CREATE DATABASE \`${NAMESPACE}_shop\``);
  await connection.end();
  const columns = { id: ["id", "integer"] } as const;
  const broker = new ServiceBroker(brokerOptions({ role: "payment" }));
  broker.createService({
    name: "shop",
    mixins: [catalogueTableMixin({ service: "shop", table: "t_pay_product", primaryKey: "id", columns })],
    // Which server the service uses; it makes no connection of its own here.
    created(this: Partial<MysqlState>) {
      this.mysql = new Database(`${NAMESPACE}_shop`);
    },
    async stopped(this: MysqlState) {
      await this.mysql.close();
    },
  } as unknown as ServiceSchema);
  try {
    await expect(broker.start()).rejects.toThrow(/secure connection|certificate|SSL|TLS/i);
  } finally {
    await broker.stop();
  }
});
