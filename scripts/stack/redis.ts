import { join } from "node:path";
import { converse } from "./converse.ts";
import { replaceFile } from "./files.ts";
import { LOOPBACK } from "./ports.ts";
import { adminPassword, userLines } from "./redis-logins.ts";
import type { ProcessLaunch, ServerPlan, Site } from "./server.ts";

export const redis: ServerPlan = {
  name: "redis",
  title: "Redis",
  variable: "REDIS_URL",
  programs: ["redis-server"],
  containerPort: 6379,
  readyDeadlineMs: 30_000,
  stopDeadlineMs: 10_000,

  async prepareProcess(site, _program, port) {
    return redisLaunch(site, { port, redisDir: site.dir });
  },

  async prepareContainer(site) {
    const settings = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
    const file = join(site.dir, "container.conf");
    // The container's user reads it. The folder around it is its owner's alone.
    replaceFile(file, `${userLines(site.dir).join("\n")}\n`, 0o644);
    const options = ["-v", `${file}:/etc/redis/users.conf:ro`];
    return { image: "redis:7", options, args: ["redis-server", "/etc/redis/users.conf", ...settings] };
  },

  probe: (site, port, pid) => probeRedis(adminPassword(site.dir), port, pid),

  url: (site, port) => `redis://default:${adminPassword(site.dir)}@${LOOPBACK}:${port}`,
};

interface RedisPlace {
  port: number;
  /** Where the passwords and users are kept. */
  redisDir: string;
  /** More lines of the configuration. */
  more?: readonly string[];
}

/** Writes a server's configuration with its users. */
export function redisLaunch(site: Site, { port, redisDir, more = [] }: RedisPlace): ProcessLaunch {
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
${[...more, ...userLines(redisDir)].join("\n")}
`,
  );
  // Redis replaces its command line by the program's name, its address and its port.
  return { args: [file], argv0: `redis-server:${site.mark}` };
}

/** Resolves when the Redis server or sentinel with this password and process id answers at the port. */
export async function probeRedis(password: string, port: number, pid: number | undefined): Promise<void> {
  // Only the servers of this folder have the password, so a login proves that it is one of them.
  const send = `AUTH ${password}\r\nINFO server\r\n`;
  const answer = await converse(port, send, (text) => /process_id:\d+\r\n|^-/m.test(text));
  if (!answer.startsWith("+OK")) throw new Error(`Redis on port ${port} answers ${answer.slice(0, 80)}`);
  const server = Number(/process_id:(\d+)/.exec(answer)?.[1]);
  if (pid !== undefined && server !== pid) throw new Error(`port ${port} is another Redis, process ${server}`);
}
