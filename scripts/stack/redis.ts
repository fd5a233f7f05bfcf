import { join } from "node:path";
import { converse } from "./converse.ts";
import { replaceFile } from "./files.ts";
import { LOOPBACK } from "./ports.ts";
import type { ServerPlan } from "./server.ts";

export const redis: ServerPlan = {
  name: "redis",
  title: "Redis",
  variable: "REDIS_URL",
  programs: ["redis-server"],
  containerPort: 6379,
  readyDeadlineMs: 30_000,
  stopDeadlineMs: 10_000,

  async prepareProcess(site, _program, port) {
    const file = join(site.dir, "redis.conf");
    // Redis has nothing here that must not be lost, so it writes nothing to disk. It must refuse writes rather than
    // evict locks.
    replaceFile(
      file,
      `# Written at every start; changes here are lost.
bind ${LOOPBACK}
port ${port}
dir ${JSON.stringify(site.dir)}
pidfile ${JSON.stringify(join(site.dir, "pid"))}
daemonize no
save ""
appendonly no
maxmemory-policy noeviction
`,
    );
    // Redis replaces its command line by the program's name, its address and its port.
    return { args: [file], argv0: `redis-server:${site.mark}` };
  },

  async prepareContainer() {
    // To Redis in a container no client is local; its port is published on this machine only.
    const settings = ["--protected-mode", "no", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
    return { image: "redis:7", options: [], args: ["redis-server", ...settings] };
  },

  async probe(_site, port, pid) {
    const answer = await converse(port, "PING\r\nINFO server\r\n", (text) => /process_id:\d+\r\n/.test(text));
    if (!answer.startsWith("+PONG")) throw new Error(`Redis on port ${port} answers ${answer.slice(0, 80)}`);
    const server = Number(/process_id:(\d+)/.exec(answer)?.[1]);
    if (pid !== undefined && server !== pid) throw new Error(`port ${port} is another Redis, process ${server}`);
  },

  url: (_site, port) => `redis://${LOOPBACK}:${port}`,
};
