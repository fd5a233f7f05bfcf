import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { type CatalogueState, catalogueTableMixin } from "../../../mixins/catalogue-table.mixin.ts";
import { isDuplicateKey } from "../../../mixins/mysql/database.ts";
import { mysqlMixin } from "../../../mixins/mysql.mixin.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

jest.setTimeout(60_000);

const columns = {
  id: ["id", "integer"],
  name: ["name", "text"],
  price: ["price", "integer"],
  extra: ["extra", "json"],
  validStatus: ["valid_status", "integer"],
  createTime: ["create_time", "time"],
  updateTime: ["update_time", "time"],
} as const;

const shop = {
  name: "shop",
  // Moleculer starts the mixin that stands last first.
  mixins: [
    catalogueTableMixin({
      service: "shop",
      table: "t_pay_product",
      primaryKey: "id",
      columns,
      statementTimeoutMs: 1_000,
    }),
    mysqlMixin("shop", migrationFolders.payment),
  ],
} as unknown as ServiceSchema;

let server: CuttableServer;
let node: ServiceBroker;
let catalogue: CatalogueState<typeof columns>["catalogue"];

beforeAll(async () => {
  server = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = server.url;
  node = await startNode("shop", [shop]);
  catalogue = (node.getLocalService("shop") as unknown as CatalogueState<typeof columns>).catalogue;
});
afterAll(async () => {
  await stopAll();
  await server.close();
});

describe("a catalogue table", () => {
  test("rows come back with numbers as safe integers, JSON parsed and times as UTC dates", async () => {
    const row = await catalogue.byId(6);
    expect(row).toMatchObject({ id: 6, name: "30元旗鱼币", price: 3000, extra: { coin: 300 }, validStatus: 1 });
    expect(Math.abs(Date.now() - Number(row?.createTime))).toBeLessThan(60_000);
  });

  test("find filters by fields, sorts by a field either way and limits", async () => {
    const rows = await catalogue.find({ query: { validStatus: 1 }, sort: "-price", limit: 2 });
    expect(rows.map(({ id }) => id)).toEqual([10, 9]);
    expect((await catalogue.find({ sort: "price" }))[0]?.id).toBe(6);
  });

  test("an insert gives the row as stored, an insert of the same key is a duplicate", async () => {
    const big = 2 ** 53 - 1;
    const row = await catalogue.insert({ id: 70, name: "大", price: big, extra: { coin: 1 }, validStatus: 0 });
    expect(row).toMatchObject({ id: 70, price: big, extra: { coin: 1 } });
    const again = await catalogue.insert({ id: 70, name: "x", price: 1, extra: {} }).catch((error: unknown) => error);
    expect(isDuplicateKey(again)).toBe(true);
  });

  test("an update changes what it names, moves updateTime and answers null where there is no row", async () => {
    const before = await catalogue.byId(7);
    const after = await catalogue.update(7, { price: 3600 });
    expect(after).toMatchObject({ id: 7, name: before?.name, price: 3600, createTime: before?.createTime });
    expect(Number(after?.updateTime)).toBeGreaterThan(Number(before?.updateTime));
    expect(await catalogue.update(999, { price: 1 })).toBeNull();
    expect(await catalogue.byId(999)).toBeNull();
  });

  test("moleculer-db's own actions are not offered", () => {
    const actions = node.registry.getActionList({ onlyLocal: true }).map(({ name }: { name: string }) => name);
    expect(actions.filter((name: string) => name.startsWith("shop."))).toEqual([]);
  });

  test.each([
    ["reads", () => catalogue.byId(6)],
    ["writes", () => catalogue.insert({ id: 80, name: "大", price: 1, extra: {}, validStatus: 0 })],
  ])(
    "a database that does not answer %s is unavailable in time, and is asked on another connection afterwards",
    async (_what, ask) => {
      await catalogue.byId(6);
      server.freeze();
      const begun = Date.now();
      const error = await ask().catch((caught: unknown) => caught);
      expect(failureName(error)).toBe("unavailable");
      // Less than the time-out of a table that has none of its own.
      expect(Date.now() - begun).toBeLessThan(limits.mysql.statementTimeoutMs - 1_000);
      expect(await eventually("a row", () => catalogue.byId(6).catch(() => null), 30_000)).toMatchObject({ id: 6 });
    },
  );

  test("a database that cannot be reached is unavailable, and is found again when it is back", async () => {
    server.cut();
    const error = await catalogue.byId(6).catch((caught: unknown) => caught);
    expect(failureName(error)).toBe("unavailable");
    server.mend();
    expect(await eventually("a row", () => catalogue.byId(6).catch(() => null), 30_000)).toMatchObject({ id: 6 });
  });
});
