import { parseArgs } from "node:util";
import { databaseName, serviceUrl } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { Database } from "../mixins/mysql/database.ts";
import { insertShare, listShares } from "../services/gift/share-store.ts";
import { accountName } from "./account-name.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { operatorOf, type ShareChange, shareCommand, shareUsage, wrong } from "./share-command.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

async function show(db: Database, anchorId: string | undefined): Promise<void> {
  const max = limits.gift.shareRowsShown;
  const rows = await listShares(db, anchorId, max + 1);
  for (const { anchorId: anchor, percent, from, operator, written, inForce } of rows.slice(0, max)) {
    const share = percent === null ? "default" : `${percent} %`;
    const by = `by ${operator}, ${written.toISOString()}`;
    console.log(
      `${anchor.padEnd(20)} ${share.padEnd(8)} from ${from.toISOString()}${inForce ? "  in force" : ""}  ${by}`,
    );
  }
  if (rows.length === 0)
    console.log(anchorId === undefined ? "no anchor has a share of her own" : `${anchorId} has the default`);
  if (rows.length > max) console.log(`(there are more: name an anchor)`);
}

async function write(db: Database, change: ShareChange, operator: string): Promise<void> {
  const { anchorId, percent, from } = change;
  const [row] = await db.query<{ now: Date }>("SELECT UTC_TIMESTAMP(3) AS now");
  if (from && from < (row as { now: Date }).now)
    throw wrong(`${from.toISOString()} is over: gifts that were accepted keep their share`);
  await insertShare(db, { anchorId, percent, from, operator });
  const share = percent === null ? "the default share" : `${percent} %`;
  console.log(`${anchorId} has ${share} from ${from ? from.toISOString() : "now"} on; written for her:`);
  await show(db, anchorId);
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    options: { from: { type: "string" }, by: { type: "string" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.help || positionals.length === 0) {
    console.log(shareUsage);
    return values.help ? 0 : 1;
  }
  const command = shareCommand(positionals, values.from);
  const operator = operatorOf(values.by ?? accountName());
  useStackEnv(defaultStackDir());
  const db = new Database(databaseName("gift"), { url: serviceUrl("MYSQL_URL", "gift"), connections: 1 });
  try {
    if (command.what === "list") await show(db, command.anchorId);
    else await write(db, command, operator);
    return 0;
  } finally {
    await db.close();
  }
}

runCommand(main);
