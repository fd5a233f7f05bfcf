import { limits } from "../../config/limits.ts";

/**
 * The subjects of Moleculer's packets. Each names the receiver and the sender, and for a call or broadcast what it asks
 * for, so that nats-server can check who says what to whom:
 *
 *   MOL-<namespace>.<TYPE>.<to role>.<to instance>.<from role>.<from instance>[.<action or event>]
 */

export type PacketType = "REQ" | "RES" | "EVENT" | "INFO" | "DISCOVER" | "HEARTBEAT" | "DISCONNECT" | "PING" | "PONG";

interface Direction {
  /** To one node. */
  readonly targeted: boolean;
  /** To `everyone`. */
  readonly broadcast: boolean;
  /** The field of the payload with which the subject ends. */
  readonly named?: "action" | "event";
}

/** How the packets of each type travel. Moleculer sends a broadcast event to each of its receivers by itself. */
export const packetTypes: Readonly<Record<PacketType, Direction>> = {
  REQ: { targeted: true, broadcast: false, named: "action" },
  RES: { targeted: true, broadcast: false },
  EVENT: { targeted: true, broadcast: false, named: "event" },
  INFO: { targeted: true, broadcast: true },
  DISCOVER: { targeted: true, broadcast: true },
  HEARTBEAT: { targeted: false, broadcast: true },
  DISCONNECT: { targeted: false, broadcast: true },
  PING: { targeted: true, broadcast: true },
  PONG: { targeted: true, broadcast: false },
};

function isPacketType(text: string | undefined): text is PacketType {
  return text !== undefined && Object.hasOwn(packetTypes, text);
}

/** The receiver of what every node hears. */
export const everyone = "all-nodes.all-nodes";

/** The first token of every subject of a namespace. */
export const busPrefix = (namespace: string): string => `MOL-${namespace}`;

const nodeIdPattern = /^[a-z+-]+\.[A-Za-z0-9_+-]+$/;

/** Whether a text has the form of a node id: a role and an instance, two tokens of a subject. */
export function isNodeId(text: unknown): text is string {
  return typeof text === "string" && text.length <= limits.bus.nodeIdChars && nodeIdPattern.test(text);
}

/** The role in a node id. */
export const roleOfNode = (nodeId: string): string => nodeId.slice(0, nodeId.indexOf("."));

/** The instance in a node id; at a console it is the person's name. */
export const instanceOf = (nodeId: string): string => nodeId.slice(nodeId.indexOf(".") + 1);

/** A text as a part of an instance: characters that a token of a subject cannot have are replaced. */
export const asInstance = (text: string): string => text.replace(/[^A-Za-z0-9_+-]/g, "-");

/** What a subject says. */
export interface Address {
  readonly type: PacketType;
  /** A node id, or `everyone`. */
  readonly to: string;
  readonly from: string;
  /** The action or event; "" for other packets. */
  readonly name: string;
}

/** The address in a subject; `undefined` where it is none of this prefix. */
export function readSubject(prefix: string, subject: string): Address | undefined {
  const [first, type, toRole, toInstance, fromRole, fromInstance, ...name] = subject.split(".");
  if (first !== prefix || !isPacketType(type)) return undefined;
  const address = { type, to: `${toRole}.${toInstance}`, from: `${fromRole}.${fromInstance}`, name: name.join(".") };
  const { named, broadcast, targeted } = packetTypes[type];
  if (!isNodeId(address.from) || (named === undefined) !== (address.name === "")) return undefined;
  return (address.to === everyone ? broadcast : targeted) ? address : undefined;
}
