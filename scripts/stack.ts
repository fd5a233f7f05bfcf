import { parseArgs } from "node:util";
import { HaStack } from "./stack/ha/ha-stack.ts";
import { commandLine } from "./stack/processes.ts";
import { defaultStackDir, openStackDir } from "./stack/sites.ts";
import { stackStatus, startStack, stopStack } from "./stack/stack.ts";
import { messageOf } from "./stack/wait.ts";

const USAGE = `The private servers of this checkout: NATS with JetStream, Redis, MySQL or MariaDB.

  npm run stack -- start [--ha]   start them in the background; they stay until stop. --ha: three of each kind
  npm run stack -- stop [--force] end them; --force even while another process uses them
  npm run stack -- status         what runs, where, for whom

  npm run stack -- ha VERB NAME   one server of several, e.g. mysql-2, nats-1, proxy, redis-3, sentinel-1:
                                  kill, pause, resume, wipe (kill, and remove its disk), start

  --dir FOLDER                    another folder than .stack
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dir: { type: "string" },
      force: { type: "boolean" },
      ha: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [command, ...rest] = positionals;
  if (command === "ha" && rest.length === 2) return ofOne(values.dir, rest[0] as string, rest[1] as string);
  if (values.help || command === undefined || rest.length > 0) {
    process.stdout.write(USAGE);
    return values.help ? 0 : 2;
  }
  if (command === "start") return start(values.dir, values.ha ?? false);
  if (command === "stop") return stop(values.dir, values.force ?? false);
  if (command === "status") return status(values.dir);
  process.stderr.write(`no such command: ${command}\n\n${USAGE}`);
  return 2;
}

async function start(dir: string | undefined, ha: boolean): Promise<number> {
  const stack = await startStack({ dir, permanent: true, ha });
  console.log(stack.started ? "the servers are ready" : "the servers were running already");
  return status(stack.dir);
}

/** One server of several. Resolves when it is as asked; `start`, when it has joined the others. */
async function ofOne(dir: string | undefined, verb: string, name: string): Promise<number> {
  const stack = HaStack.of(openStackDir(dir ?? defaultStackDir()), console.log);
  if (stack === undefined) throw new Error("there are no several servers: npm run stack -- start --ha");
  const verbs: Record<string, () => Promise<unknown>> = {
    kill: () => stack.kill(name),
    pause: () => stack.pause(name),
    resume: () => stack.resume(name),
    wipe: () => stack.wipe(name),
    start: () => stack.start(name).then(() => stack.waitUntilJoined(name)),
  };
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (run === undefined) throw new Error(`no such command: ha ${verb}; there are ${Object.keys(verbs).join(", ")}`);
  await run();
  return status(dir);
}

async function stop(dir: string | undefined, force: boolean): Promise<number> {
  const users = await stopStack({ dir, force });
  if (users.length === 0) {
    console.log("the servers are stopped");
    return 0;
  }
  console.error("the servers stay up while these processes use them, and end with the last of them:");
  for (const { pid } of users) console.error(`  ${pid}  ${commandLine(pid) ?? ""}`);
  console.error("end these first, or end the servers all the same: npm run stack -- stop --force");
  return 1;
}

async function status(dir: string | undefined): Promise<number> {
  const { dir: folder, servers, users } = await stackStatus(dir);
  const rows = servers.map((server) => [
    server.title,
    server.state,
    server.port === undefined ? "" : `127.0.0.1:${server.port}`,
    server.pid === undefined ? "" : String(server.pid),
    server.part ?? "",
  ]);
  for (const [title, state, address, pid, part] of [["SERVER", "STATE", "ADDRESS", "PID", ""], ...rows]) {
    console.log(`${title!.padEnd(10)} ${state!.padEnd(9)} ${address!.padEnd(18)} ${pid!.padEnd(8)} ${part}`.trimEnd());
  }
  for (const user of users) {
    console.log(user.permanent ? "kept up until: npm run stack -- stop" : `used by process ${user.pid}`);
  }
  console.log(`data, logs and URLs (the file env): ${folder}`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
