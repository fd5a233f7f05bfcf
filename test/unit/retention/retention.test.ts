import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { erasableText, sealedValue } from "../../../mixins/seals/erasable-text.ts";
import { databaseRights, erasableColumns, tableRights } from "../../../services/database-rights.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { retention } from "../../../services/retention.ts";
import { providerWebhookKeepDays } from "../../../services/retention-settings.ts";

type DatabaseService = keyof typeof migrationFolders;
const services = Object.keys(migrationFolders) as DatabaseService[];

const tablesOf = (service: DatabaseService) =>
  [
    "mixins/mysql/base-tables.sql",
    ...migrationFolders[service].flatMap((folder) =>
      readdirSync(join(projectRoot(), folder)).map((file) => `${folder}/${file}`),
    ),
  ].flatMap((file) =>
    [...readFileSync(join(projectRoot(), file), "utf8").matchAll(/^CREATE TABLE IF NOT EXISTS (t_\w+)/gm)].map(
      ([, table]) => table as string,
    ),
  );

const all = services.flatMap((service) =>
  Object.entries(retention[service]).map(([table, one]) => ({ service, table, ...one })),
);

test.each(services)("how long it is kept is written down of every table of %s, and of no other", (service) => {
  expect(Object.keys(retention[service]).sort()).toEqual([...new Set(tablesOf(service))].sort());
});

test("money is never removed by age", () => {
  expect(all.filter(({ rows, money }) => money && rows.kept === "days").map(({ table }) => table)).toEqual([]);
});

test("rows that are removed are of tables from which their service may delete, and rows for ever are of no others", () => {
  const mayDelete = ({ service, table }: (typeof all)[number]) =>
    (tableRights[databaseRights[service][table] ?? "read"] as readonly string[]).includes("DELETE");
  const removed = all.filter(({ rows }) => rows.kept === "days" || rows.kept === "done");
  expect(removed.filter((one) => !mayDelete(one)).map(({ table }) => table)).toEqual([]);
});

test("texts of a person that go in time stand in columns that may be erased, with a setting of its own", () => {
  const texts = all.filter((one) => one.texts);
  expect(texts.map(({ table, texts: kept }) => [table, kept?.setting]).sort()).toEqual([
    ["t_pay_webhook", "PROVIDER_WEBHOOK_KEEP_DAYS"],
    ["t_staff_audit", "AUDIT_KEEP_DAYS"],
  ]);
  for (const { table, person } of texts)
    expect([table, table in erasableColumns, !person]).toEqual([table, true, false]);
});

describe("the setting of the providers' webhooks", () => {
  const [name, former] = ["PROVIDER_WEBHOOK_KEEP_DAYS", "PROVIDER_NOTICE_KEEP_DAYS"];
  const warn = jest.fn();
  const keptDays = (env: Record<string, string>) => {
    Object.assign(process.env, env);
    warn.mockClear();
    return providerWebhookKeepDays({ warn });
  };
  afterEach(() => {
    for (const one of [name, former]) delete process.env[one];
  });

  test("is read by its name of the release before, with a warning, where the present one is not set", () => {
    expect([keptDays({}), warn.mock.calls]).toEqual([limits.retention.providerWebhookDays, []]);
    expect(keptDays({ [former]: "30" })).toBe(30);
    expect(warn.mock.calls).toEqual([[{ setting: former }, expect.stringContaining(`rename it to ${name}`)]]);
    expect([keptDays({ [name]: "20" }), warn.mock.calls]).toEqual([20, []]);
  });

  test("is refused under either name where it is no number of days", () => {
    expect(() => keptDays({ [former]: "a year" })).toThrow(`${name}: must be a number of days`);
    expect(() => keptDays({ [name]: "a year" })).toThrow(`${name}: must be a number of days`);
  });
});

test("what may be erased says what of a person it is", () => {
  const named = new Set(all.filter(({ person }) => person).map(({ table }) => table));
  expect(Object.keys(erasableColumns).filter((table) => !named.has(table))).toEqual([]);
});

test("request ids of gifts are remembered for 400 days at least: records and trades are for ever", () => {
  expect(limits.retention.requestIdDays).toBeGreaterThanOrEqual(400);
  expect([retention.gift.t_gift_record?.rows, retention.wallet.t_qiyu_currency_trade?.rows]).toEqual([
    { kept: "ever", byMonth: true, archive: "t_gift_record_archive" },
    { kept: "ever", byMonth: true, archive: "t_qiyu_currency_trade_archive" },
  ]);
});

describe("a text that may be erased", () => {
  test("has another digest each time, and none where there is no text", () => {
    const [one, other] = [erasableText("a letter"), erasableText("a letter")];
    expect([one.text, one.digest?.length, one.salt?.length]).toEqual(["a letter", 64, 32]);
    expect([one.digest === other.digest, one.salt === other.salt]).toEqual([false, false]);
    expect(erasableText(null)).toEqual({ text: null, salt: null, digest: null });
  });

  test("is read as the digest of what is there, and as the digest that was sealed where nothing is", () => {
    expect(sealedValue("body_digest", ["body"])).toBe(
      "IF(body_digest IS NULL, body, CONVERT(IF(body_salt IS NULL AND IFNULL(body, '') = '', body_digest, CONVERT(IF(CHAR_LENGTH(body_salt) = 32, SHA2(CONCAT(body_salt, body), 256), NULL) USING ascii)) USING utf8mb4))",
    );
    expect(sealedValue("channel", ["body"])).toBe("channel");
  });
});
