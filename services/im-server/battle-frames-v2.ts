import { type Fields, fieldsOf } from "../../broker/unknown-values.ts";

/**
 * The data of battles in version 2 of the protocol: lists instead of objects with the same names each time. Pure. What has
 * another shape stays as it is, so that nothing in it is lost.
 */

/** A list that may end with an object of further fields. */
type Items = unknown[];

/** The fields of `names` in their order, and then the others; `undefined` where one is missing or no text or number. */
function itemsOf(value: unknown, names: readonly string[]): Items | undefined {
  const fields = fieldsOf(value);
  if (!fields) return undefined;
  const further: Record<string, unknown> = { ...fields };
  const items: Items = [];
  for (const name of names) {
    const item = fields[name];
    if (typeof item !== "string" && typeof item !== "number") return undefined;
    items.push(item);
    delete further[name];
  }
  return Object.keys(further).length > 0 ? [...items, further] : items;
}

const inAll = <T>(items: readonly (T | undefined)[]): items is T[] => items.every((item) => item !== undefined);

/** 5558: `scores` is [user id, score, user id, score]. */
export function scoresV2(data: Fields): Fields {
  if (!Array.isArray(data.scores)) return data;
  const scores = data.scores.map((score) => itemsOf(score, ["userId", "score"]));
  return inAll(scores) && scores.every(({ length }) => length === 2) ? { ...data, scores: scores.flat() } : data;
}

/**
 * 5559: a side is [room id, user id, score, gifts, top sender, ..., {further fields}], and a top sender is [user id, name,
 * avatar, coins]. An empty `excluded` is left out.
 */
export function battleV2(data: Fields): Fields {
  const { excluded, ...others } = data;
  const kept = Array.isArray(excluded) && excluded.length === 0 ? others : data;
  if (!Array.isArray(data.sides)) return kept;
  const sides = data.sides.map(sideV2);
  return inAll(sides) ? { ...kept, sides } : kept;
}

function sideV2(side: unknown): Items | undefined {
  const { topSenders, ...own } = fieldsOf(side) ?? {};
  if (!Array.isArray(topSenders)) return undefined;
  const items = itemsOf(own, ["roomId", "userId", "score", "gifts"]);
  const senders = topSenders.map((sender) => itemsOf(sender, ["userId", "nickName", "avatar", "coins"]));
  if (!items || !inAll(senders)) return undefined;
  return [...items.slice(0, 4), ...senders, ...items.slice(4)];
}
