/**
 * Where an answer of the server API or a webhook names a user or a room by its own id, the platform's id stands beside it
 * under these names. The only table of them.
 */

/** Fields with a user's id, and the names of the fields with the external id. */
export const externalUserNames = {
  userId: "externalId",
  senderId: "senderExternalId",
  receiverId: "receiverExternalId",
  anchorId: "anchorExternalId",
} as const;

/** Fields with a room's id, likewise. */
export const externalRoomNames = { roomId: "externalRoomId" } as const;

export type UserField = keyof typeof externalUserNames;
export type RoomField = keyof typeof externalRoomNames;

export function isUserField(name: string): name is UserField {
  return Object.hasOwn(externalUserNames, name);
}

export function isRoomField(name: string): name is RoomField {
  return Object.hasOwn(externalRoomNames, name);
}

/** The external ids of some users and rooms; those without one are missing. */
export interface ExternalIds {
  readonly users: ReadonlyMap<string, string>;
  readonly rooms: ReadonlyMap<number, string>;
}

/** The users and rooms that a value names anywhere inside, each once. */
export function idsNamedIn(value: unknown): { userIds: string[]; roomIds: number[] } {
  const userIds = new Set<string>();
  const roomIds = new Set<number>();
  const visit = (inner: unknown): void => {
    if (Array.isArray(inner)) inner.forEach(visit);
    else if (typeof inner === "object" && inner !== null)
      for (const [name, field] of Object.entries(inner)) {
        if (isUserField(name) && typeof field === "string") userIds.add(field);
        else if (isRoomField(name) && typeof field === "number" && field > 0) roomIds.add(field);
        else visit(field);
      }
  };
  visit(value);
  return { userIds: [...userIds], roomIds: [...roomIds] };
}

/**
 * A copy of the value with the external ids beside the ids, for those that have one. An external id that is in the value
 * already stays.
 */
export function withExternalIds<T>(value: T, ids: ExternalIds): T {
  if (Array.isArray(value)) return value.map((inner: unknown) => withExternalIds(inner, ids)) as T;
  if (typeof value !== "object" || value === null) return value;
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    shown[name] = withExternalIds(field, ids);
    const external = externalOf(name, field, ids);
    if (external && !Object.hasOwn(value, external.name)) shown[external.name] = external.id;
  }
  return shown as T;
}

function externalOf(name: string, field: unknown, { users, rooms }: ExternalIds) {
  if (isUserField(name)) {
    const id = users.get(field as string);
    return id === undefined ? undefined : { name: externalUserNames[name], id };
  }
  if (!isRoomField(name)) return undefined;
  const id = rooms.get(field as number);
  return id === undefined ? undefined : { name: externalRoomNames[name], id };
}
