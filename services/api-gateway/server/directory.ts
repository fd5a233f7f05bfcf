import type { ServiceBroker } from "moleculer";
import { call } from "../../contracts.ts";
import { externalRooms } from "../../external-rooms.ts";
import { ExternalUsers } from "../../external-users.ts";
import type { Directory } from "./people.ts";

const ofBroker = new WeakMap<ServiceBroker, ExternalUsers>();

/** The platform's ids of users, as this node knows them. */
export function externalUsers(broker: ServiceBroker): ExternalUsers {
  const known = ofBroker.get(broker);
  if (known) return known;
  const made = new ExternalUsers({
    idsOfExternal: (externalIds) => call(broker, "user.idsOfExternal", { externalIds }),
    externalIdsOf: (userIds) => call(broker, "user.externalIdsOf", { userIds }),
  });
  ofBroker.set(broker, made);
  return made;
}

/** Who has which id of the platform, as this node knows it. */
export function directoryOf(broker: ServiceBroker): Directory {
  const users = externalUsers(broker);
  const rooms = externalRooms(broker);
  return {
    userIdOf: (externalId) => users.userIdOf(externalId),
    roomIdOf: (externalRoomId) => rooms.roomIdOf(externalRoomId),
    lastRoomIdOf: (externalRoomId) => rooms.lastRoomIdOf(externalRoomId),
    externalIdsOf: (userIds) => users.externalIdsOf(userIds),
    externalRoomIdsOf: (roomIds) => rooms.externalIdsOf(roomIds),
  };
}
