import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { converse } from "./converse.ts";
import { replaceFile } from "./files.ts";
import { LOOPBACK } from "./ports.ts";
import { type ServerPlan, type Site, volumeOf } from "./server.ts";

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
    const file = join(site.dir, "nats.conf");
    replaceFile(file, configuration(site, { host: LOOPBACK, port, store, pidFile: join(site.dir, "pid") }));
    return { args: ["-c", file] };
  },

  async prepareContainer(site) {
    const file = join(site.dir, "nats.container.conf");
    replaceFile(file, configuration(site, { host: "0.0.0.0", port: CONTAINER_PORT, store: "/data" }), 0o644);
    return {
      image: "nats:2",
      options: ["-v", `${volumeOf(site)}:/data`, "-v", `${file}:/etc/ovation-nats.conf:ro`],
      args: ["-c", "/etc/ovation-nats.conf"],
    };
  },

  async probe(site, port) {
    const received = await converse(port, 'CONNECT {"verbose":false}\r\nPING\r\n', (text) => text.includes("PONG\r\n"));
    const info = JSON.parse(received.slice("INFO ".length, received.indexOf("\r\n")));
    if (info.server_name !== site.mark) throw new Error(`port ${port} is another NATS server, ${info.server_name}`);
    if (info.jetstream !== true) throw new Error(`NATS on port ${port} has no JetStream`);
  },

  url: (_site, port) => `nats://${LOOPBACK}:${port}`,
};

function configuration(site: Site, place: { host: string; port: number; store: string; pidFile?: string }): string {
  return `# Written at every start; changes here are lost.
server_name: ${JSON.stringify(site.mark)}
host: ${JSON.stringify(place.host)}
port: ${place.port}
${place.pidFile === undefined ? "" : `pid_file: ${JSON.stringify(place.pidFile)}`}
jetstream {
  store_dir: ${JSON.stringify(place.store)}
  max_memory_store: 256MB
  # More than the disk may have: streams with a bound in bytes reserve it, 4 GB a namespace, and tests have several.
  max_file_store: 64GB
  # JetStream acks a message before it is on disk and syncs every two minutes: a crash of the process loses nothing,
  # a crash of the machine may. Servers from 2.10 on take another interval, or "always":
  # sync_interval: "2m"
}
`;
}
