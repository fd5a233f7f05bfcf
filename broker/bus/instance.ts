import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { limits } from "../../config/limits.ts";
import { asInstance } from "./subjects.ts";

/**
 * The instance of a node that has no NODE_ID: its label for people (e.g. `wallet-2`), the host, the pid and a random
 * end, so that a restarted node is never taken for the one that died. The node id as a whole keeps its bound.
 */
export function newInstance(role: string, label: string | undefined, host = hostname()): string {
  const end = `-${process.pid}-${randomBytes(2).toString("hex")}`;
  const room = limits.bus.nodeIdChars - role.length - ".".length - end.length;
  return asInstance(label === undefined ? host : `${label}-${host}`).slice(0, room) + end;
}
