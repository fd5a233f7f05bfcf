import { join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";
import type { Site } from "./server.ts";

/** A server that is there, though perhaps not answering. */
export interface Found {
  /** Its port on this machine; undefined when the record of it is gone. */
  port: number | undefined;
  /** Undefined for a container. */
  pid: number | undefined;
}

/** A way to have a server run on this machine. */
export interface Host {
  kind: HostKind;
  /** The server of this site, when it is alive and certainly ours. */
  find(): Promise<Found | undefined>;
  /** Starts it on that port; resolves when it answers. When it rejects, nothing of it is left running. */
  launch(port: number): Promise<Found>;
  /** Ends it if it is there; resolves when it is gone. */
  end(): Promise<void>;
}

type HostKind = "process" | "container";

/** What is remembered about a server beside its pid. Written before it is started, kept until it is ended on request. */
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
