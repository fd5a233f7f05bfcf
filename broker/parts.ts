/**
 * Lists that travel in messages. NATS accepts no message above its `max_payload` (1 MiB by default), so every list in a
 * call, answer or publication is cut by bytes as well as by number. Pure.
 */

interface PartBounds<T> {
  /** The most elements of a part. */
  readonly count: number;
  /** The most bytes of a part, as JSON in UTF-8. */
  readonly bytes: number;
  /** The bytes of an element; as JSON in UTF-8 where left out. */
  readonly bytesOf?: (item: T) => number;
}

/** The bytes of a value in a message: JSON in UTF-8. A Chinese character has 3, though its string's length is 1. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "null");
}

/**
 * Cuts the list into parts within the bounds, in order. An element that alone exceeds the bytes is left out and passed
 * to `tooLarge`. An empty list has no parts.
 */
export function cutList<T>(
  items: readonly T[],
  { count, bytes, bytesOf = jsonBytes }: PartBounds<T>,
  tooLarge: (item: T, bytes: number) => void,
): T[][] {
  if (items.length === 0) return [];
  // Nearly every list fits. Measuring it as a whole costs a fraction of measuring its elements.
  if (bytesOf === jsonBytes && items.length <= count && jsonBytes(items) <= bytes) return [[...items]];
  const parts: T[][] = [];
  let part: T[] = [];
  let size = brackets;
  for (const item of items) {
    const own = bytesOf(item);
    if (brackets + own > bytes) {
      tooLarge(item, own);
      continue;
    }
    const grown = size + own + (part.length > 0 ? comma : 0);
    if (part.length === 0 || part.length === count || grown > bytes) {
      part = [];
      parts.push(part);
      size = brackets + own;
    } else size = grown;
    part.push(item);
  }
  return parts;
}

const brackets = 2;
const comma = 1;

/**
 * The longest beginning of the list whose JSON fits into `bytes`. Where it is shorter than the list, there is a next
 * page.
 */
export function fittingPage<T>(items: readonly T[], bytes: number): T[] {
  return cutList(items, { count: items.length, bytes }, () => undefined)[0] ?? [];
}
