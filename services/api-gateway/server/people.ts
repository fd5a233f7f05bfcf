import { z } from "zod";
import { fail } from "../../../broker/failure.ts";
import {
  type ExternalIds,
  externalRoomNames,
  externalUserNames,
  idsNamedIn,
  isUserField,
  type RoomField,
  type UserField,
  withExternalIds,
} from "../../external-names.ts";
import { externalId, id, userId } from "../../fields.ts";
import { fromHttp } from "../../http-fields.ts";

/**
 * Users and rooms in the params and answers of the server API. An endpoint names whom it means, e.g.
 * `refers: { userId: "user", receiverId: "user", roomId: "room" }`. Its callers send the id or the platform's own id of
 * each (services/external-names.ts), its `run` gets the ids.
 */

/**
 * By field; with a question mark it may be left out. `room` is a live room. `lastRoom` is the live room of an external id
 * or else the last closed one: for repeats of what was carried out before the room was closed.
 */
export type Refers = Readonly<
  { [Name in UserField]?: "user" | "user?" } & { [Name in RoomField]?: "room" | "room?" | "lastRoom" }
>;

type IdOf<Name> = Name extends RoomField ? number : string;
type Needed<R extends Refers> = { [N in keyof R as R[N] extends "user" | "room" | "lastRoom" ? N : never]: IdOf<N> };
type Possible<R extends Refers> = { [N in keyof R as R[N] extends "user?" | "room?" ? N : never]?: IdOf<N> };
/** The external id itself, where the caller gave it. */
type Kept<R extends Refers> = R extends { roomId: "lastRoom" } ? { externalRoomId?: string } : unknown;
/** What `run` gets. */
export type Resolved<R extends Refers> = Needed<R> & Possible<R> & Kept<R>;

interface Reference {
  readonly name: UserField | RoomField;
  readonly external: string;
  readonly needed: boolean;
  /** A closed room will do, and `run` gets the external id too. */
  readonly last: boolean;
}

export function referencesOf(refers: Refers): Reference[] {
  return (Object.keys(refers) as (UserField | RoomField)[]).map((name) => ({
    name,
    external: isUserField(name) ? externalUserNames[name] : externalRoomNames[name],
    needed: !refers[name]?.endsWith("?"),
    last: refers[name] === "lastRoom",
  }));
}

/** The params that callers send: both names of each, of which one may be given. */
export function referenceParams(refers: Refers): z.ZodRawShape {
  const shape = referencesOf(refers).map(({ name, external, needed }) => {
    const rule = `${needed ? "Exactly" : "At most"} one of \`${name}\` and \`${external}\`.`;
    const own = isUserField(name) ? userId : id;
    return {
      [name]: own.optional().meta({ description: rule }),
      [external]: externalId.optional().meta({ description: rule }),
    };
  });
  return fromHttp({ params: z.object(Object.assign({}, ...shape) as z.ZodRawShape) });
}

/** Fails: invalidParam, where neither or both names of one are given. */
export function requireOneOfEach(refers: Refers, params: Readonly<Record<string, unknown>>): void {
  for (const { name, external, needed } of referencesOf(refers)) {
    const given = [name, external].filter((field) => params[field] !== undefined).length;
    if (given > 1 || (needed && given === 0)) throw fail("invalidParam", { field: name, problem: "one of two" });
  }
}

/** Who has which external id; all reject with `unavailable`. */
export interface Directory {
  /** `undefined`: nobody. */
  userIdOf(externalId: string): Promise<string | undefined>;
  /** The live room; `undefined`: none. */
  roomIdOf(externalRoomId: string): Promise<number | undefined>;
  /** The live room or else the last closed one; `undefined`: there never was one. */
  lastRoomIdOf(externalRoomId: string): Promise<number | undefined>;
  externalIdsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  externalRoomIdsOf(roomIds: readonly number[]): Promise<ReadonlyMap<number, string>>;
}

/**
 * The params with ids in place of external ids. An id that the caller gave stays as it is. Fails: userUnknown,
 * roomNotLive, unavailable.
 */
export async function resolved(
  refers: Refers,
  params: Readonly<Record<string, unknown>>,
  directory: Directory,
): Promise<Record<string, unknown>> {
  const ids: Record<string, unknown> = { ...params };
  await Promise.all(
    referencesOf(refers).map(async ({ name, external, last }) => {
      const given = params[external] as string | undefined;
      if (given === undefined) return;
      const roomIdOf = last ? directory.lastRoomIdOf : directory.roomIdOf;
      const found = await (isUserField(name) ? directory.userIdOf : roomIdOf)(given);
      if (found === undefined) throw fail(isUserField(name) ? "userUnknown" : "roomNotLive", { [external]: given });
      if (!last) delete ids[external];
      ids[name] = found;
    }),
  );
  return ids;
}

/** An answer with the external ids beside the ids. Fails: unavailable. */
export async function shownWithExternalIds<T>(answer: T, directory: Directory): Promise<T> {
  const { userIds, roomIds } = idsNamedIn(answer);
  if (userIds.length === 0 && roomIds.length === 0) return answer;
  const [users, rooms] = await Promise.all([directory.externalIdsOf(userIds), directory.externalRoomIdsOf(roomIds)]);
  return withExternalIds(answer, { users, rooms } satisfies ExternalIds);
}
