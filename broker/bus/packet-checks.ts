import { limits } from "../../config/limits.ts";
import { actionCallers, broadcastSenders, maySend } from "../../services/access.ts";
import { isServiceName } from "../service-names.ts";
import type { RefusalReason } from "./refusals.ts";
import { membersOf } from "./roles.ts";
import { type Address, packetTypes, roleOfNode } from "./subjects.ts";

/** What a packet of another node may say. nats-server has checked its subject; everything else in it is a claim. */

/** The node that receives. */
export interface Receiver {
  readonly nodeId: string;
  /** The node of the call with this id that waits for its answer; `undefined` where none waits. */
  askedNode(callId: unknown): string | undefined;
  /** Whether the node is registered here, or may be: each role has at most `limits.bus.nodesOfRole`. */
  hasPlaceFor(nodeId: string): boolean;
}

type Payload = Readonly<Record<string, unknown>>;

const asFields = (value: unknown): Payload => (typeof value === "object" && value !== null ? (value as Payload) : {});

/** The names of Moleculer's own actions, which are not in the table, and of the events that it sends on one node. */
const nodeActionPattern = /^\$node\.[a-z]{1,20}$/;
const localEventPattern = /^\$[a-z.-]{1,50}$/;

/** The service that every node has: its registry, options and metrics. */
const nodeService = "$node";

/** The names of actions and broadcasts that this release does not know have this form. */
const otherActionPattern = /^[a-z][a-z-]{0,29}\.[A-Za-z]{1,60}$/;
const otherEventPattern = /^[a-z][a-z-]{0,29}\.[a-z-]{1,60}$/;
const otherServicePattern = /^[a-z][a-z-]{0,29}$/;

/** Whether this release knows an action, and whether it knows an event. */
const knowsAction = (service: string, action: string) =>
  service === nodeService ? nodeActionPattern.test(action) : actionCallers.has(action);
const knowsEvent = (event: string) => broadcastSenders.has(event) || localEventPattern.test(event);

/** Whether one entry of an INFO packet is a service of the role, with actions of that service alone. */
function isServiceOf(role: string, members: ReadonlySet<string>, entry: unknown): boolean {
  const { name, fullName, version, actions, events } = asFields(entry);
  if (typeof name !== "string" || (fullName !== undefined && fullName !== name) || (version ?? null) !== null)
    return false;
  // A node with every service of a later release has some that are not known here.
  const isOther = role === "all" && otherServicePattern.test(name) && !isServiceName(name);
  if (name !== nodeService && (name === "console" || !(members.has(name) || isOther))) return false;
  const isOwnAction = (key: string, claimed: unknown) =>
    claimed === key && key.startsWith(`${name}.`) && (knowsAction(name, key) || otherActionPattern.test(key));
  // A pattern would hear every broadcast.
  const isEvent = (key: string, claimed: unknown) =>
    claimed === key && (knowsEvent(key) || otherEventPattern.test(key));
  const [ownActions, ownEvents] = [Object.entries(asFields(actions)), Object.entries(asFields(events))];
  return (
    [ownActions, ownEvents].every(({ length }) => length <= limits.bus.namesOfService) &&
    ownActions.every(([key, action]) => isOwnAction(key, asFields(action).name)) &&
    ownEvents.every(([key, event]) => isEvent(key, asFields(event).name))
  );
}

/** Whether the services in an INFO packet are those of the role, or some of them: a node that starts has none yet. */
export function areServicesOf(role: string, services: unknown): boolean {
  const members = membersOf(role);
  // Those of the role, and Moleculer's own; of a later release there may be more.
  const most = (members?.size ?? 0) + 1 + (role === "all" ? limits.bus.otherServices : 0);
  const isList = members !== undefined && Array.isArray(services) && services.length <= most;
  return isList && services.every((entry) => isServiceOf(role, members, entry));
}

const pick = (from: unknown, knows: (key: string) => boolean) =>
  Object.fromEntries(Object.entries(asFields(from)).filter(([key]) => knows(key)));

/**
 * The services of an INFO packet that was not refused, without what this release does not know: a node of another
 * release has actions, broadcasts and services that nobody here calls. All of it is kept for as long as the node is
 * there, so only names that exist are.
 */
export function knownServices(services: readonly unknown[]): unknown[] {
  return services
    .map(asFields)
    .filter(({ name }) => name === nodeService || (typeof name === "string" && isServiceName(name)))
    .map((entry) => ({
      ...entry,
      actions: pick(entry.actions, (key) => knowsAction(String(entry.name), key)),
      events: pick(entry.events, knowsEvent),
    }));
}

/** Why an INFO packet is refused, all of which is kept. */
function whyInfoRefused(from: string, { services }: Payload, bytes: number, receiver: Receiver) {
  if (bytes > limits.bus.infoBytes) return "tooLarge";
  if (!areServicesOf(roleOfNode(from), services)) return "services";
  return receiver.hasPlaceFor(from) ? undefined : "tooMany";
}

/**
 * Why a packet is refused; `undefined` where it is not.
 *
 * @param bytes of the packet.
 */
export function whyRefused(
  address: Address,
  packet: unknown,
  bytes: number,
  receiver: Receiver,
): RefusalReason | undefined {
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
  return type === "INFO" ? whyInfoRefused(from, payload, bytes, receiver) : undefined;
}
