import { maySend } from "../../services/access.ts";
import type { RefusalReason } from "./refusals.ts";
import { membersOf } from "./roles.ts";
import { type Address, packetTypes, roleOfNode } from "./subjects.ts";

/** What a packet of another node may say. nats-server has checked its subject; everything else in it is a claim. */

/** The node that receives. */
export interface Receiver {
  readonly nodeId: string;
  /** The node of the call with this id that waits for its answer; `undefined` where none waits. */
  askedNode(callId: unknown): string | undefined;
}

type Payload = Readonly<Record<string, unknown>>;

const asFields = (value: unknown): Payload => (typeof value === "object" && value !== null ? (value as Payload) : {});

/** What follows the service's name in the name of an action. */
const actionPattern = /^[A-Za-z0-9_-]{1,100}$/;
const eventPattern = /^[A-Za-z0-9_$.-]{1,200}$/;

/** The service that every node has: its registry, options and metrics. */
const nodeService = "$node";

/** Whether one entry of an INFO packet is a service of the role, with actions of that service alone. */
function isServiceOf(members: ReadonlySet<string>, entry: unknown): boolean {
  const { name, fullName, version, actions, events } = asFields(entry);
  if (typeof name !== "string" || (fullName !== undefined && fullName !== name) || (version ?? null) !== null)
    return false;
  if (name !== nodeService && (name === "console" || !members.has(name))) return false;
  const isOwn = (key: string, claimed: unknown) =>
    claimed === key && key.startsWith(`${name}.`) && actionPattern.test(key.slice(name.length + 1));
  return (
    Object.entries(asFields(actions)).every(([key, action]) => isOwn(key, asFields(action).name)) &&
    // A pattern would hear every broadcast.
    Object.entries(asFields(events)).every(([key, event]) => asFields(event).name === key && eventPattern.test(key))
  );
}

/** Whether the services in an INFO packet are those of the role, or some of them: a node that starts has none yet. */
export function areServicesOf(role: string, services: unknown): boolean {
  const members = membersOf(role);
  return members !== undefined && Array.isArray(services) && services.every((entry) => isServiceOf(members, entry));
}

/** Why a packet is refused; `undefined` where it is not. */
export function whyRefused(address: Address, packet: unknown, receiver: Receiver): RefusalReason | undefined {
  const { type, from, name } = address;
  const payload = asFields(packet);
  if (payload.sender !== from) return "sender";
  const role = roleOfNode(from);
  if (!membersOf(role)) return "role";
  const { named, targeted, broadcast } = packetTypes[type];
  if (named !== undefined && payload[named] !== name) return "name";
  // Moleculer handles a node's calls to itself without the bus, and what comes back of its broadcasts is ignored.
  if (from === receiver.nodeId && targeted && !broadcast) return "sender";
  if ((payload.stream || payload.seq) && (type === "REQ" || type === "RES")) return "stream";
  if (type === "RES") {
    const asked = receiver.askedNode(payload.id);
    return asked === undefined || asked === from ? undefined : "answer";
  }
  if (type === "EVENT" && !maySend(role, name)) return "broadcast";
  if (type === "INFO" && !areServicesOf(role, payload.services)) return "services";
  return undefined;
}
