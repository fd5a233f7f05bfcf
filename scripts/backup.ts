import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { connectNats } from "../broker/nats-connect.ts";
import { adminOptions } from "../broker/nats-options.ts";
import { printError } from "../broker/outputs.ts";
import { readConfigAgain } from "../config/config.ts";
import { migrationUrl } from "../mixins/mysql/migrate.ts";
import { keyNames } from "./backup/key-names.ts";
import { takeBackup } from "./backup/take-backup.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { readStackEnv, useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

const USAGE = `Backs up the databases and the streams of this namespace, while the system runs.

  npm run backup -- DIR

DIR is made, or must be empty. All databases are as of one moment; the streams are taken after them. Files can be read
by their owner alone; they hold password hashes, secrets of webhooks and phone numbers: encrypt the folder before it
leaves this machine. Redis is not in it: it holds nothing that cannot be lost. Nor are the keys (*_KEYS), without which
a restore cannot seal or sign: keep them elsewhere. Their names are in the manifest.

Where WALLET_MYSQL_URLS names several servers all of them are backed up, once no bucket of users moves.

It needs an administrator's login at MySQL (MYSQL_MIGRATION_URL, else MYSQL_URL) and at NATS (NATS_ADMIN_URL, else
NATS_URL). Progress goes to standard error. Exit code 0: DIR is a backup; 1: it is none.`;

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({ options: { help: { type: "boolean" } }, allowPositionals: true });
  const [folder] = positionals;
  if (values.help || folder === undefined || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const stackDir = defaultStackDir();
  const keys = keyNames({ ...readStackEnv(stackDir), ...process.env });
  useStackEnv(stackDir);
  readConfigAgain();
  const connection = await connectNats(adminOptions("backup"));
  try {
    const progress = (line: string) => printError(line);
    const options = { folder: resolve(folder), mysqlUrl: migrationUrl(), connection, keys, progress };
    const { databases, streams, ended, id } = await takeBackup(options);
    const bytes = [...databases, ...streams].reduce((sum, one) => sum + one.bytes, 0);
    console.log(
      `${resolve(folder)} is a backup of ${ended}: ${databases.length} databases, ${streams.length} streams, ` +
        `${(bytes / 1e6).toFixed(1)} MB (${id})`,
    );
    if (Object.keys(keys).length === 0)
      console.log("The keys of this system are not known here, so their names are not in the manifest.");
    return 0;
  } finally {
    await connection.close();
  }
}

runCommand(main);
