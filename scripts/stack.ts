import { parseArgs } from "node:util";
import { commandLine } from "./stack/processes.ts";
import { stackStatus, startStack, stopStack } from "./stack/stack.ts";
import { messageOf } from "./stack/wait.ts";

const USAGE = `The private servers of this checkout: NATS with JetStream, Redis, MySQL or MariaDB.

  npm run stack -- start          start them in the background; they stay until stop
  npm run stack -- stop [--force] end them; --force even while another process uses them
  npm run stack -- status         what runs, where, for whom

  --dir FOLDER                    another folder than .stack
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { dir: { type: "string" }, force: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined || rest.length > 0) {
    process.stdout.write(USAGE);
    return values.help ? 0 : 2;
  }
  if (command === "start") return start(values.dir);
  if (command === "stop") return stop(values.dir, values.force ?? false);
  if (command === "status") return status(values.dir);
  process.stderr.write(`no such command: ${command}\n\n${USAGE}`);
  return 2;
}

async function start(dir: string | undefined): Promise<number> {
  const stack = await startStack({ dir, permanent: true });
  console.log(stack.started ? "the servers are ready" : "the servers were running already");
  return status(stack.dir);
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
  ]);
  for (const [title, state, address, pid] of [["SERVER", "STATE", "ADDRESS", "PID"], ...rows]) {
    console.log(`${title!.padEnd(8)} ${state!.padEnd(9)} ${address!.padEnd(18)} ${pid}`);
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
