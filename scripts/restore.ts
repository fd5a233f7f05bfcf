import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connectNats } from "../broker/nats-connect.ts";
import { adminOptions } from "../broker/nats-options.ts";
import { printError } from "../broker/outputs.ts";
import { readConfigAgain, serviceUrlName } from "../config/config.ts";
import { projectRoot } from "../config/root.ts";
import { migrationUrl } from "../mixins/mysql/migrate.ts";
import { bookSettings } from "../services/book-keys.ts";
import { keyNames } from "./backup/key-names.ts";
import { processSettings } from "./local-env.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { reportText } from "./restore/report.ts";
import { restore } from "./restore/run-restore.ts";
import { readStackEnv, useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

const USAGE = `Restores a backup (npm run backup) to empty servers, and replays what happened after it from stream EVENTS.

  npm run restore -- DIR [--until TIME] [--streams keep] [--databases keep] [--unsigned accept|refuse]
                            [--without-keys] [--report FOLDER]

  --until TIME      replay only events that were stored before TIME (ISO, with its zone); later ones are taken out
                    of EVENTS and written to the report's folder
  --streams keep    the streams outlived the databases: they stay as they are, those that are missing are restored
  --databases keep  the databases were restored by other means (mariadb-backup, a replica, the binlog): only replay
  --unsigned accept|refuse  what becomes of events of settled gifts, credits and frozen accounts that no service signed:
                    a release before 2 published them, or a forger. Without it a restore stops where there are any
  --without-keys    go on although keys that the system had are missing here
  --report FOLDER   where the report is written; by default restore-report in this folder

All nodes must be stopped. Nothing is overwritten: it refuses where the namespace has tables or streams. An
interrupted run is begun again with the same options; a run after a complete one changes nothing. It ends with
npm run verify. Ledgers on several servers go to those of the same names in WALLET_MYSQL_URLS. It needs an
administrator's login at MySQL (MYSQL_MIGRATION_URL, else MYSQL_URL) and at NATS (NATS_ADMIN_URL, else NATS_URL), the
keys of the seals of all services (BOOK_KEYS, GIFT_BOOK_KEYS, ...), and PAY_KEYS.
Exit code 0: restored, and the books are equal; 2: restored, and something differs or is lost; 1: not restored.`;

/** @throws Error where it is no time with a zone */
function timeOf(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(time.getTime()))
    throw new Error(`not a time with its zone, as 2026-11-26T14:05:00Z: --until ${text}\n\n${USAGE}`);
  return time;
}

function mustBeKeep(option: string, value: string | undefined): boolean {
  if (value !== undefined && value !== "keep") throw new Error(`not understood: --${option} ${value}\n\n${USAGE}`);
  return value === "keep";
}

/** Completes the environment from the stack's folder; of the keys, this process has those of seals and of paid orders. */
function useRestoreEnv(stackDir: string): ReturnType<typeof keyNames> {
  const all = { ...readStackEnv(stackDir), ...process.env };
  const seals = Object.values(bookSettings).flatMap(({ settings }) => Object.keys(settings));
  const names = keyNames(all);
  useStackEnv(stackDir);
  for (const name of [...seals, "PAY_KEYS"]) if (all[name]) process.env[name] = all[name];
  readConfigAgain();
  return names;
}

/** Runs `npm run verify` on the restored books; returns its exit code. */
async function verify(mysqlUrl: string): Promise<number> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of processSettings.foreign(["auditor"], env)) delete env[name];
  // The services' logins are made by npm run migrate, after this.
  env[serviceUrlName("MYSQL_URL", "auditor")] = mysqlUrl;
  const child = spawn(process.execPath, [join(projectRoot(), "scripts/verify.ts")], { env, stdio: "inherit" });
  return new Promise((settled, failed) => {
    child.once("error", failed);
    child.once("close", (code) => settled(code ?? 1));
  });
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    options: {
      until: { type: "string" },
      streams: { type: "string" },
      databases: { type: "string" },
      unsigned: { type: "string" },
      "without-keys": { type: "boolean" },
      report: { type: "string" },
      help: { type: "boolean" },
    },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (values.help || folder === undefined || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const until = values.until === undefined ? null : timeOf(values.until);
  const [keepStreams, keepDatabases] = [
    mustBeKeep("streams", values.streams),
    mustBeKeep("databases", values.databases),
  ];
  const { unsigned } = values;
  if (unsigned !== undefined && unsigned !== "accept" && unsigned !== "refuse")
    throw new Error(`not understood: --unsigned ${unsigned}\n\n${USAGE}`);
  const names = useRestoreEnv(defaultStackDir());
  const [mysqlUrl, reportFolder] = [migrationUrl(), resolve(values.report ?? "restore-report")];
  const nats = await connectNats(adminOptions("restore"));
  try {
    const { report } = await restore({
      ...{ folder: resolve(folder), mysqlUrl, nats, until, keepStreams, keepDatabases, unsigned, reportFolder },
      ...{ keys: values["without-keys"] ? null : names, progress: printError },
    });
    if (!report) {
      console.log("This backup is restored here already: nothing was changed.");
      return 0;
    }
    console.log(`${reportText(report)}\n\nThe report is in ${reportFolder}. The books:\n`);
    const code = await verify(mysqlUrl);
    if (code === 1) throw new Error("restored, but the books could not be compared: npm run verify");
    console.log("\nNow: npm run migrate, which makes the services' logins; empty Redis; then start the nodes.");
    const isRefused = report.notes.some(({ kind }) => kind === "unreadable");
    return code === 0 && report.gap === null && !isRefused ? 0 : 2;
  } finally {
    await nats.close();
  }
}

runCommand(main);
