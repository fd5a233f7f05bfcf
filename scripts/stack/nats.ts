import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { busUserOf } from "../../broker/nats-names.ts";
import { converse } from "./converse.ts";
import { replaceFile } from "./files.ts";
import { adminLogin, userOf } from "./nats-accounts.ts";
import { logsIn } from "./nats-reload.ts";
import { confDir, natsUrl, passwordOf, prepareAccounts, standingUrls } from "./nats-users.ts";
import { LOOPBACK } from "./ports.ts";
import { type ServerPlan, volumeOf } from "./server.ts";

const CONTAINER_PORT = 4222;

export const nats: ServerPlan = {
  name: "nats",
  title: "NATS",
  variable: "NATS_URL",
  programs: ["nats-server"],
  containerPort: CONTAINER_PORT,
  readyDeadlineMs: 60_000,
  stopDeadlineMs: 15_000,

  async prepareProcess(site, _program, port) {
    const store = join(site.dir, "store");
    mkdirSync(store, { recursive: true });
    keepStreams(store);
    const place = { name: site.mark, host: LOOPBACK, port, store, pidFile: join(site.dir, "pid") };
    return { args: ["-c", await writeConfiguration(site.dir, "nats.conf", place)] };
  },

  async prepareContainer(site) {
    const place = { name: site.mark, host: "0.0.0.0", port: CONTAINER_PORT, store: "/data" };
    await writeConfiguration(site.dir, "nats.conf", place);
    return {
      image: "nats:2",
      options: ["-v", `${volumeOf(site)}:/data`, "-v", `${confDir(site.dir)}:/etc/ovation-nats:ro`],
      args: ["-c", "/etc/ovation-nats/nats.conf"],
    };
  },

  probe: (site, port) => probeNats(site.dir, site.mark, port),

  url: (site, port) => natsUrl([port], userOf(adminLogin), passwordOf(site.dir, adminLogin)),
  env: (site, port) => standingUrls(site.dir, [port]),
};

/** The streams of a server that had no accounts go over to the one for JetStream. */
function keepStreams(store: string): void {
  const [former, now] = ["$G", "JS"].map((account) => join(store, "jetstream", account)) as [string, string];
  if (existsSync(former) && !existsSync(now)) renameSync(former, now);
}

/** Resolves when the server of that name answers at the port, with JetStream and with the logins of `natsDir`. */
export async function probeNats(natsDir: string, name: string, port: number): Promise<void> {
  const received = await converse(port, "", (text) => text.includes("\r\n"));
  const info = JSON.parse(received.slice("INFO ".length, received.indexOf("\r\n")));
  if (info.server_name !== name) throw new Error(`port ${port} is another NATS server, ${info.server_name}`);
  if (info.jetstream !== true) throw new Error(`NATS on port ${port} has no JetStream`);
  if (info.auth_required !== true) throw new Error(`NATS on port ${port} lets everybody in`);
  const user = userOf(adminLogin);
  if (!(await logsIn(port, busUserOf(user), passwordOf(natsDir, adminLogin))))
    throw new Error(`NATS on port ${port} refuses ${user}`);
}

export interface Place {
  /** The server's name, by which it is recognized. */
  name: string;
  host: string;
  port: number;
  store: string;
  pidFile?: string;
  /** More blocks of the configuration. */
  more?: string;
}

/** Writes a server's configuration beside the accounts of `natsDir`. Returns the file's path. */
export async function writeConfiguration(natsDir: string, fileName: string, place: Place): Promise<string> {
  await prepareAccounts(natsDir);
  const file = join(confDir(natsDir), fileName);
  replaceFile(file, configuration(place));
  return file;
}

function configuration(place: Place): string {
  return `# Written at every start; changes here are lost.
server_name: ${JSON.stringify(place.name)}
host: ${JSON.stringify(place.host)}
port: ${place.port}
${place.pidFile === undefined ? "" : `pid_file: ${JSON.stringify(place.pidFile)}`}
jetstream {
  store_dir: ${JSON.stringify(place.store)}
  max_memory_store: 256MB
  # More than the disk may have: streams with a bound in bytes reserve it, 10 GB a namespace, and tests have several.
  max_file_store: 64GB
  # JetStream acks a message before it is on disk and syncs every two minutes: a crash of the process loses nothing,
  # a crash of the machine may. Servers from 2.10 on take another interval, or "always":
  # sync_interval: "2m"
}
${place.more ?? ""}# Who may log in, and what each may do. Whoever connects without a login is refused.
include "accounts.conf"
`;
}
