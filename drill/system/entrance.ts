import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Closing } from "../../bench/support/closing.ts";
import { startChild } from "../../scripts/children.ts";
import { replaceFile } from "../../scripts/stack/files.ts";
import { isPortFree } from "../../scripts/stack/ports.ts";
import { findProgram } from "../../scripts/stack/run.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";

const stopMs = 5_000;
const startMs = 10_000;

/**
 * haproxy in front of the gateways, as in production: it leaves out a gateway that is not ready in two looks, sends on
 * what was not sent yet, and answers 503 by itself where no gateway is ready, 504 where one does not answer in time.
 */
export async function openEntrance(
  closing: Closing,
  { port, gateways, file }: { port: number; gateways: readonly number[]; file: string },
): Promise<void> {
  const program = findProgram(["haproxy"], process.env);
  if (program === undefined) throw new Error("haproxy is not installed");
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(`${file}.cfg`, settings(port, gateways));
  const child = startChild({
    name: "entrance",
    command: program,
    args: ["-db", "-f", `${file}.cfg`],
    output: { file: `${file}.log` },
  });
  closing.add(() => child.stop(stopMs));
  await child.ready;
  if (!(await becomesTrue(async () => !(await isPortFree(port)), startMs)))
    throw new Error(`the entrance does not listen: ${child.lastLines().join("\n")}`);
}

function settings(port: number, gateways: readonly number[]): string {
  return `global
  maxconn 4000
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout check 3s
  timeout queue 2s
  timeout client 60s
  timeout http-keep-alive 60s
  # More than a call between services may take.
  timeout server 12s
  retries 2
  option redispatch 1
listen gateways
  bind 127.0.0.1:${port}
  balance roundrobin
  option httpchk GET /health/ready
  default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${gateways.map((gateway, n) => `  server gateway-${n + 1} 127.0.0.1:${gateway} check`).join("\n")}
`;
}
