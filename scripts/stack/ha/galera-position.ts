import { rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "../files.ts";
import { run } from "../run.ts";
import type { Site } from "../server.ts";

/** The position of a node's data in the cluster's history: the history's id and the number of its last write. */
export interface Position {
  readonly history: string;
  readonly write: number;
}

const stateFile = (dataDir: string) => join(dataDir, "grastate.dat");
const unknownHistory = "00000000-0000-0000-0000-000000000000";

const fieldOf = (text: string, name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1];

/** The position that a node wrote when it ended; `undefined` where it was killed, or never was a member. */
function writtenPosition(dataDir: string): Position | undefined {
  const text = readIfThere(stateFile(dataDir)) ?? "";
  const [history, write] = [fieldOf(text, "uuid"), Number(fieldOf(text, "seqno") ?? -1)];
  return history !== undefined && history !== unknownHistory && write >= 0 ? { history, write } : undefined;
}

/** Whether this node was the last to leave, by its own file. */
export function leftLast(dataDir: string): boolean {
  return fieldOf(readIfThere(stateFile(dataDir)) ?? "", "safe_to_bootstrap") === "1";
}

interface Files {
  /** The node's settings. */
  file: string;
  dataDir: string;
}

/**
 * The position of a node that does not run: what it wrote when it ended, or what its tables say after it was killed;
 * `undefined` where its folder has no data of a cluster.
 */
export async function positionOf(site: Site, program: string, { file, dataDir }: Files): Promise<Position | undefined> {
  const written = writtenPosition(dataDir);
  if (written !== undefined) return written;
  const known = fieldOf(readIfThere(stateFile(dataDir)) ?? "", "uuid");
  // It was killed while it got its copy, or it never was a member.
  if (known === undefined || known === unknownHistory) return undefined;
  const log = join(site.dir, "recover.log");
  rmSync(log, { force: true });
  await run(program, [`--defaults-file=${file}`, "--wsrep-recover", `--log-error=${log}`], {
    env: site.env,
    cwd: site.dir,
    timeoutMs: 60_000,
  });
  const found = /Recovered position:?\s*([0-9a-f-]{36}):(-?\d+)/.exec(readIfThere(log) ?? "");
  const [history, write] = [found?.[1], Number(found?.[2] ?? -1)];
  return history !== undefined && history !== unknownHistory && write >= 0 ? { history, write } : undefined;
}

/** Allows the node to begin a cluster with its data. Call it only for the one with the last write of all. */
export function prepareBootstrap(dataDir: string): void {
  const text = readIfThere(stateFile(dataDir));
  if (text !== undefined)
    replaceFile(stateFile(dataDir), text.replace(/^safe_to_bootstrap:.*$/m, "safe_to_bootstrap: 1"));
}
