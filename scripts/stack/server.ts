import { createHash, randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";

export type ServerName = "nats" | "redis" | "mysql";

/** Where one server of one stack folder lives. */
export interface Site {
  /** The server's own folder, absolute, with symbolic links resolved. */
  dir: string;
  /** The stack's folder; its path or the mark is part of the command line of every server of the stack. */
  stackDir: string;
  /** `ovation-` and a hash of the stack's folder: short, and different for every folder of this machine. */
  mark: string;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
}

/** How to run a server as a process of this machine. */
interface ProcessLaunch {
  args: string[];
  /** What the process calls itself, for a program that rewrites its command line. */
  argv0?: string;
}

/** How to run a server in a container: what comes behind `docker run` and its name, label and port. */
interface ContainerLaunch {
  image: string;
  options: string[];
  args: string[];
}

/** What is to know about one of the three servers. */
export interface ServerPlan {
  name: ServerName;
  title: string;
  /** The environment variable that names such a server; where it is set, none is started. */
  variable: "NATS_URL" | "REDIS_URL" | "MYSQL_URL";
  /** Its programs, the preferred one first. */
  programs: readonly string[];
  /** The port that it listens on inside its container. */
  containerPort: number;
  readyDeadlineMs: number;
  stopDeadlineMs: number;
  /** Writes what the server needs to start on that port. May take seconds the first time. */
  prepareProcess(site: Site, program: string, port: number): Promise<ProcessLaunch>;
  prepareContainer(site: Site, port: number): Promise<ContainerLaunch>;
  /** Resolves when the server of this site answers there; rejects when nobody does, or when another server does. */
  probe(site: Site, port: number, pid: number | undefined): Promise<void>;
  url(site: Site, port: number): string;
  /** Removes what lies outside the site's folder; called when the server has ended. */
  tidy?(site: Site): void;
}

/** The mark of a stack's folder. */
export function markOf(stackDir: string): string {
  return `ovation-${createHash("sha256").update(stackDir).digest("hex").slice(0, 12)}`;
}

/**
 * The Docker volume of a site's data. Its name is kept in the site's folder, so that the data of a folder that was
 * deleted does not come back in a new one of the same path; such a volume stays until somebody removes it.
 */
export function volumeOf(site: Site): string {
  const file = join(site.dir, "volume");
  const known = readIfThere(file)?.trim();
  if (known) return known;
  const name = `${site.mark}-${basename(site.dir)}-${randomBytes(4).toString("hex")}`;
  replaceFile(file, `${name}\n`);
  return name;
}
