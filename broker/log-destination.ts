import { destination } from "pino";
import { limits } from "../config/limits.ts";

type Destination = ReturnType<typeof destination>;

const open = new Map<string, Destination>();

/**
 * Where log lines go: standard output or a file, in writes of several lines, since a write for each would cost a request
 * as much as its routing. What is buffered is written out when the process exits; a `kill -9` loses at most
 * `limits.log.flushEveryMs` of lines.
 */
export function logDestination(file: string | undefined): Destination {
  const known = open.get(file ?? "");
  if (known) return known;
  const created = destination({
    dest: file ?? 1,
    sync: false,
    minLength: limits.log.bufferBytes,
    periodicFlush: limits.log.flushEveryMs,
    mkdir: true,
  });
  open.set(file ?? "", created);
  process.on("exit", () => created.flushSync());
  return created;
}
