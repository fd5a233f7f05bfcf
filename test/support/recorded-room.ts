/** Rooms as the client of clients/typescript shows them. */
import {
  createUserClient,
  type RoomConnection,
  type RoomEvents,
  type UserClient,
} from "../../clients/typescript/src/index.ts";
import { apiUrl, type Person } from "./client.ts";
import { eventually } from "./eventually.ts";

const rooms: RoomConnection[] = [];

/** Leaves every room that was recorded; belongs into `afterEach`. */
export function leaveRooms(): void {
  for (const room of rooms.splice(0)) room.close();
}

export const clientOf = (person: Pick<Person, "token">): UserClient =>
  createUserClient({ baseUrl: apiUrl(), language: "en", token: () => person.token });

/** What a room shows, by kind. */
export function recorded(room: RoomConnection) {
  rooms.push(room);
  const seen: { [Name in keyof RoomEvents]?: RoomEvents[Name][] } = {};
  for (const name of ["online", "gap", "gifts", "chat", "payment", "refused", "state", "roomClosed"] as const)
    room.on(name, (event) => {
      (seen[name] as unknown[] | undefined) ??= [];
      (seen[name] as unknown[]).push(event);
    });
  const counts = () => {
    const pieces = seen.gifts?.flatMap(({ gifts }) => gifts.map(({ count }) => count)) ?? [];
    return pieces.reduce((sum, count) => sum + count, 0);
  };
  return { room, seen, counts, online: () => eventually("it is online", () => room.state === "online") };
}
