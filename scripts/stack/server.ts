import { createHash, randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";

export type ServerName = "nats" | "redis" | "mysql";

/** The place of one server of one stack folder. */
export interface Site {
  /** The server's own folder, absolute, with symbolic links resolved. */
  dir: string;
  /** The stack's folder. The command line of every server of the stack contains its path or the mark. */
  stackDir: string;
  /** `ovation-` and a hash of the stack's folder: short, and different for every folder of this machine. */
  mark: string;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
}

/** How to run a server as a process of this machine. */
export interface ProcessLaunch {
  args: string[];
  /** The process's own name, for a program that rewrites its command line. */
  argv0?: string;
  /** By default that of the site. */
  env?: NodeJS.ProcessEnv;
}

/** How to run a server in a container: the arguments of `docker run` after name, label and port. */
interface ContainerLaunch {
  image: string;
  options: string[];
  args: string[];
}

/** How a server runs as a process of this machine. */
export interface ProcessPlan {
  title: string;
  /** Its programs, the preferred one first. */
  programs: readonly string[];
  readyDeadlineMs: number;
  stopDeadlineMs: number;
  /** Writes the files that the server needs to start on that port. May take seconds the first time. */
  prepareProcess(site: Site, program: string, port: number): Promise<ProcessLaunch>;
  /** Resolves when the server of this site answers there; rejects where none does, or another server does. */
  probe(site: Site, port: number, pid: number | undefined): Promise<void>;
}

/** The properties of one of the three servers. */
export interface ServerPlan extends ProcessPlan {
  name: ServerName;
  /** The environment variable with the URL of such a server; where it is set, none is started. */
  variable: "NATS_URL" | "REDIS_URL" | "MYSQL_URL";
  /** The port inside its container. */
  containerPort: number;
  prepareContainer(site: Site, port: number): Promise<ContainerLaunch>;
  /** The administrator's URL. */
  url(site: Site, port: number): string;
  /** What the stack's env file says of it; by default `variable` with its URL. */
  env?(site: Site, port: number): Record<string, string>;
  /** Removes files outside of the site's folder; called when the server has ended. */
  tidy?(site: Site): void;
}

/** The mark of a stack's folder. */
export function markOf(stackDir: string): string {
  return `ovation-${createHash("sha256").update(stackDir).digest("hex").slice(0, 12)}`;
}

/**
 * The Docker volume of a site's data. Its name is kept in the site's folder, so that a new folder of the same path does
 * not get the data of a deleted one. Such a volume stays until somebody removes it.
 */
export function volumeOf(site: Site): string {
  const file = join(site.dir, "volume");
  const known = readIfThere(file)?.trim();
  if (known) return known;
  const name = `${site.mark}-${basename(site.dir)}-${randomBytes(4).toString("hex")}`;
  replaceFile(file, `${name}\n`);
  return name;
}
