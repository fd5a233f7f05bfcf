import { actionCallers, broadcastSenders, mayCall, maySend } from "../../services/access.ts";
import { isOwnRole } from "./roles.ts";
import { busPrefix, everyone, type PacketType, packetTypes } from "./subjects.ts";

export interface BusPermissions {
  readonly publish: string[];
  readonly subscribe: string[];
}

/**
 * The subjects that nats-server allows the bus login of a role, and no others. `instance` binds the login to one node
 * id, e.g. that of a person's console; without it the nodes of the role share the login. @throws Error for no role.
 */
export function busPermissions(role: string, namespace: string, instance = "*"): BusPermissions {
  if (!isOwnRole(role)) throw new Error(`no such role: ${role}`);
  const prefix = busPrefix(namespace);
  const from = `${role}.${instance}`;
  const subjectsOf = (type: PacketType): string[] => {
    const { named, targeted } = packetTypes[type];
    const subject = `${prefix}.${type}.${targeted ? "*.*" : everyone}.${from}`;
    if (named === "action")
      return [...actionCallers.keys()].filter((name) => mayCall(role, name)).map((name) => `${subject}.${name}`);
    if (named === "event")
      return [...broadcastSenders.keys()].filter((name) => maySend(role, name)).map((name) => `${subject}.${name}`);
    return [subject];
  };
  return {
    publish: (Object.keys(packetTypes) as PacketType[]).flatMap(subjectsOf),
    subscribe: [`${prefix}.*.${everyone}.>`, `${prefix}.*.${from}.>`],
  };
}
