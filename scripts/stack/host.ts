import { join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";
import type { Site } from "./server.ts";

/** An existing server, which may not answer. */
export interface Found {
  /** Its port on this machine; `undefined` where its record is lost. */
  port: number | undefined;
  /** `undefined` for a container. */
  pid: number | undefined;
}

/** A way to run a server on this machine. */
export interface Host {
  kind: HostKind;
  /** The server of this site, if it is alive and certainly of this stack. */
  find(): Promise<Found | undefined>;
  /** Starts it on that port; resolves when it answers. If it rejects, nothing of it is left running. */
  launch(port: number): Promise<Found>;
  /** Lets it read its configuration again, by SIGHUP. Nothing where it does not run. */
  reload(): Promise<void>;
  /** Ends it if it runs; resolves when it has ended. */
  end(): Promise<void>;
}

type HostKind = "process" | "container";

/** The record of a server beside its pid. Written before it is started, kept until it is ended on request. */
interface SiteRecord {
  port: number;
  kind: HostKind;
}

export function readRecord(site: Site): SiteRecord | undefined {
  const text = readIfThere(recordFile(site));
  return text === undefined ? undefined : JSON.parse(text);
}

export function writeRecord(site: Site, record: SiteRecord): void {
  replaceFile(recordFile(site), `${JSON.stringify(record)}\n`);
}

export function recordFile(site: Site): string {
  return join(site.dir, "server.json");
}
