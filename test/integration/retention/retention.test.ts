import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { SealChains } from "../../../mixins/seals/seal-chains.ts";
import { bookKeys } from "../../../services/book-keys.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { addEntry, keptParams, readCalls } from "../../../services/staff/audit-store.ts";
import { insertSms, purgeSms } from "../../../services/user/sms-store.ts";
import { stopAll } from "../../support/system.ts";

/** What is kept for some days goes after them, in parts, and nothing else goes. */

let staff: Database;
let user: Database;
let seals: SealChains;

beforeAll(async () => {
  await migrate(databaseName("staff"), migrationFolders.staff);
  await migrate(databaseName("user"), migrationFolders.user);
  [staff, user] = [new Database(databaseName("staff")), new Database(databaseName("user"))];
  seals = new SealChains({ service: "staff", keys: bookKeys("staff") });
});
afterAll(async () => {
  await Promise.all([staff?.close(), user?.close()]);
  await stopAll();
});

const dayMs = 24 * 3_600_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);

async function entry(days: number, params: string | null): Promise<string> {
  const about = {
    person: "ann",
    role: "admin",
    address: "10.0.0.1",
    route: "/r",
    about: "77",
    requestId: null,
  } as const;
  const id = await addEntry(staff, seals, { ...about, callId: null, params, outcome: "started" });
  await staff.run("UPDATE t_staff_audit SET create_time = ? WHERE id = ?", [daysAgo(days), id]);
  return id;
}

test("params of the audit go after their days, page by page; the rows stay, and newer ones as they are", async () => {
  for (const days of [30, 20, 12]) await entry(days, `{"reason":"${days} days"}`);
  await entry(11, null);
  await entry(9, '{"reason":"kept"}');
  expect(await keptParams(0).erase(staff, 10)).toMatchObject({ erased: 0, more: false });
  const kept = keptParams(10);
  expect(await kept.erase(staff, 2)).toMatchObject({ erased: 2, more: true });
  const last = await kept.erase(staff, 3);
  expect([last.erased, last.more, Math.round((Date.now() - (last.oldest?.getTime() ?? 0)) / dayMs)]).toEqual([
    1,
    false,
    9,
  ]);
  expect(await kept.erase(staff, 3)).toMatchObject({ erased: 0, more: false });
  const calls = await readCalls(staff, { limit: 10 });
  expect(calls.map(({ params }) => params)).toEqual([{ reason: "kept" }, null, null, null, null]);
  // What was not looked at yet is gone for another process, too: it begins at the first row.
  expect(await keptParams(8).erase(staff, 10)).toMatchObject({ erased: 1, oldest: null });
});

test("login codes go after the days for which an address that used one is known, in parts by their time", async () => {
  const days = limits.user.smsAddressKnownDays;
  for (const ago of [days + 2, days + 1, days - 1]) {
    const id = await insertSms(user, { phone: "13800000000", hash: "h", address: "10.0.0.1" });
    await user.run("UPDATE t_sms SET send_time = ? WHERE id = ?", [daysAgo(ago), id]);
  }
  expect(await purgeSms(user, days, 1)).toMatchObject({ erased: 1, more: true });
  expect(await purgeSms(user, days, 10)).toMatchObject({ erased: 1, more: false });
  expect(await user.query("SELECT id FROM t_sms")).toHaveLength(1);
});
