import { z } from "zod";
import { readMigrations } from "../../mixins/mysql/migration-files.ts";
import { actionCallers, broadcastSenders } from "../../services/access.ts";
import { broadcastEvents, durableEvents } from "../../services/contracts.ts";
import { migrationFolders } from "../../services/databases.ts";
import { paymentTopics } from "../../services/payment/payment.contract.ts";
import { streamAccess } from "../../services/stream-access.ts";
import { contracts } from "./contracts.ts";

/**
 * What the nodes of a release and their databases say to each other: a file for each release, with which the code of the
 * next one is compared. Nodes of both run side by side.
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface ReleaseRecord {
  /** SHA-256 of each file of migrations. */
  readonly migrations: Readonly<Record<string, string>>;
  /** By action: its params, and who may call it. */
  readonly actions: Readonly<Record<string, { readonly params: Json; readonly callers: readonly string[] }>>;
  /** Durable events and topics of payments. */
  readonly events: Readonly<Record<string, Json>>;
  readonly broadcasts: Readonly<Record<string, { readonly data: Json; readonly senders: readonly string[] }>>;
  /** By stream: its subjects, and the durables of its consumers. */
  readonly streams: Readonly<
    Record<string, { readonly subjects: readonly string[]; readonly consumers: readonly string[] }>
  >;
}

/** For people alone. */
const words = new Set(["$schema", "description", "title", "examples", "id"]);

function withoutWords(value: unknown): Json {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (typeof value !== "object" || value === null) return value as Json;
  const kept = Object.entries(value).filter(([key, inner]) => !(words.has(key) && typeof inner === "string"));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutWords(inner)]));
}

const shapeOf = (schema: z.ZodType) => withoutWords(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));

const byName = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)));

/** What this code says. */
export function presentRecord(): ReleaseRecord {
  const actions = Object.entries(contracts).flatMap(([service, own]) =>
    Object.entries(own).map(([name, { params }]): [string, ReleaseRecord["actions"][string]] => {
      const action = `${service}.${name}`;
      return [action, { params: shapeOf(params), callers: [...(actionCallers.get(action) ?? [])].sort() }];
    }),
  );
  const access = Object.values(streamAccess);
  const streams = [...new Set(access.flatMap((one) => one.streams))].map(
    ({ name, subjects }): [string, ReleaseRecord["streams"][string]] => {
      const consumers = access.flatMap((one) => one.consumers.filter(({ stream }) => stream.name === name));
      return [
        name,
        { subjects: [...subjects], consumers: [...new Set(consumers.map(({ durable }) => durable))].sort() },
      ];
    },
  );
  const broadcasts = Object.entries(broadcastEvents).map(
    ([name, schema]): [string, ReleaseRecord["broadcasts"][string]] => [
      name,
      { data: shapeOf(schema), senders: [...(broadcastSenders.get(name) ?? [])].sort() },
    ],
  );
  const folders = [...new Set<string>(Object.values(migrationFolders).flat())];
  return {
    migrations: byName(readMigrations(folders).map(({ name, checksum }) => [name, checksum] as const)),
    actions: byName(actions),
    events: byName(
      Object.entries({ ...durableEvents, ...paymentTopics }).map(([name, schema]) => [name, shapeOf(schema)] as const),
    ),
    broadcasts: byName(broadcasts),
    streams: byName(streams),
  };
}

type Shape = { readonly [key: string]: Json };
const isShape = (value: Json | undefined): value is Shape =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const required = (shape: Shape) => new Set((shape.required as readonly string[] | undefined) ?? []);
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Bounds that may grow, with the sign of growth. */
const bounds: Readonly<Record<string, 1 | -1>> = {
  ...{ maximum: 1, maxLength: 1, maxItems: 1 },
  ...{ minimum: -1, minLength: -1, minItems: -1 },
};

/**
 * Why what was said by the shape `was` is not understood by the shape `is`. `sent`: it is what a caller says, which may
 * be taken more widely; otherwise nodes of both releases read what the others write, and fields are only added.
 */
function shapeProblems(was: Json | undefined, is: Json | undefined, at: string, sent: boolean): string[] {
  if (same(was, is)) return [];
  if (!isShape(was) || !isShape(is)) return [`${at}: it has another form`];
  if (was.type === "object" && is.type === "object" && isShape(was.properties) && isShape(is.properties)) {
    const [before, now] = [was.properties, is.properties];
    const fields = Object.keys(before).flatMap((field) => {
      if (now[field] !== undefined) return shapeProblems(before[field], now[field], `${at}.${field}`, sent);
      return sent && !required(was).has(field) ? [] : [`${at}.${field}: it is gone`];
    });
    const demanded = [...required(is)].filter((field) => !required(was).has(field));
    const dropped = sent ? [] : [...required(was)].filter((field) => !required(is).has(field));
    return [
      ...fields,
      ...demanded.map((field) => `${at}.${field}: it is required, and nodes of the release before do not send it`),
      ...dropped.map((field) => `${at}.${field}: it is optional, and nodes of the release before require it`),
    ];
  }
  if (
    was.type === "array" &&
    is.type === "array" &&
    same({ ...was, items: 0, maxItems: 0 }, { ...is, items: 0, maxItems: 0 })
  )
    return [
      ...shapeProblems(was.items, is.items, `${at}[]`, sent),
      ...(Number(is.maxItems ?? Infinity) < Number(was.maxItems ?? Infinity) ? [`${at}: it takes fewer`] : []),
    ];
  for (const union of ["anyOf", "oneOf"]) {
    const [before, now] = [was[union], is[union]];
    if (!Array.isArray(before) || !Array.isArray(now) || !same({ ...was, [union]: 0 }, { ...is, [union]: 0 })) continue;
    // What a caller may say of a new kind, a node of the release before refuses; events are read by both.
    if (!sent && now.length > before.length) continue;
    const fits = (one: Json) => now.some((other) => shapeProblems(one, other, at, sent).length === 0);
    if (before.every(fits)) return [];
  }
  return sent && isWiderShape(was, is) ? [] : [`${at}: ${JSON.stringify(was)} became ${JSON.stringify(is)}`];
}

function isWiderShape(was: Shape, is: Shape): boolean {
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].every((key) => {
    const [before, now] = [was[key], is[key]];
    if (same(before, now)) return true;
    if (bounds[key] !== undefined) return now === undefined || (Number(now) - Number(before)) * bounds[key] >= 0;
    if (key === "enum" && Array.isArray(before) && Array.isArray(now)) return before.every((one) => now.includes(one));
    if (key === "anyOf" && Array.isArray(before) && Array.isArray(now))
      return before.every((one) => now.some((other) => same(one, other)));
    return false;
  });
}

const without = (was: readonly string[], is: readonly string[] = []) => was.filter((one) => !is.includes(one));

/** Why nodes of the release `was` and of the release `is` cannot run side by side, a line each. */
export function rollProblems(was: ReleaseRecord, is: ReleaseRecord): string[] {
  const actions = Object.entries(was.actions).flatMap(([name, { params, callers }]) => {
    const now = is.actions[name];
    if (!now) return callers.length === 0 ? [] : [`${name}: it is gone, and nodes of the release before call it`];
    const lost = without(callers, now.callers);
    return [
      ...shapeProblems(params, now.params, name, true),
      ...(lost.length > 0 ? [`${name}: ${lost} may not call it any more, and does in the release before`] : []),
    ];
  });
  const events = Object.entries(was.events).flatMap(([name, data]) =>
    is.events[name] === undefined ? [`${name}: the event is gone`] : shapeProblems(data, is.events[name], name, false),
  );
  const broadcasts = Object.entries(was.broadcasts).flatMap(([name, { data, senders }]) => {
    const now = is.broadcasts[name];
    if (!now) return [`${name}: the broadcast is gone`];
    return [
      ...shapeProblems(data, now.data, name, false),
      ...without(senders, now.senders).map((one) => `${name}: ${one} may not send it any more`),
    ];
  });
  const streams = Object.entries(was.streams).flatMap(([name, { subjects, consumers }]) => [
    ...without(subjects, is.streams[name]?.subjects).map((one) => `stream ${name}: ${one} is gone`),
    ...without(consumers, is.streams[name]?.consumers).map((one) => `stream ${name}: consumer ${one} is gone`),
  ]);
  return [...actions, ...events, ...broadcasts, ...streams];
}

/** The files of migrations that are not as they were released. */
export function changedMigrations(was: ReleaseRecord, is: ReleaseRecord): string[] {
  return Object.entries(was.migrations).flatMap(([name, checksum]) => {
    if (is.migrations[name] === undefined) return [`${name} is gone`];
    return is.migrations[name] === checksum ? [] : [`${name} was changed: what is new comes in a new file`];
  });
}
