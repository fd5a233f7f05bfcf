import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { checkpointDigest, noDigest, verdictOf } from "../../../mixins/seals/seal-form.ts";
import type { SealingService } from "../../book-seals.ts";
import type { Difference } from "../differences.ts";
import { seenCheckpoints } from "../seen-seals-store.ts";
import { cutChains } from "./chains.ts";
import { checkpointSince, checkpointsAfter, newestSealBefore, type StoredCheckpoint } from "./chains-store.ts";
import type { Check } from "./check.ts";
import { namedOf, type SealSource } from "./seal-source.ts";
import { serverTime } from "./windows-store.ts";

/** The checkpoints: none is missing or forged, and they have what the chains have. */

const { pageCheckpoints, underWayMs } = limits.books;

/** What is wrong with a checkpoint after the one before it: its digest names that one, so a gap alone removes nothing. */
function followProblem(
  service: SealingService,
  before: StoredCheckpoint | undefined,
  { number, previous }: StoredCheckpoint,
): Difference[] {
  if (previous === (before?.digest ?? noDigest)) return [];
  if (number === (before?.number ?? 0) + 1) {
    const subject = namedOf(service, `checkpoint ${number}`);
    return [{ kind: "checkpointForged", subject, detail: "it does not follow the one before it" }];
  }
  const detail = `after checkpoint ${before?.number ?? 0} comes ${number}`;
  return [{ kind: "checkpointRemoved", subject: namedOf(service, `checkpoint ${number - 1}`), detail }];
}

const verdictOfCheckpoint = ({ service, keys }: SealSource, one: StoredCheckpoint) =>
  verdictOf(keys, one.keyName, one.digest, (key) => checkpointDigest(key, { service, ...one }));

function keyProblem(
  service: SealingService,
  verdict: ReturnType<typeof verdictOf>,
  { number, keyName }: StoredCheckpoint,
): Difference[] {
  const subject = namedOf(service, `checkpoint ${number}`);
  if (verdict === "unknownKey")
    return [{ kind: "sealKeyUnknown", subject: namedOf(service, `key ${keyName}`), detail: `first ${subject}` }];
  if (verdict === "wrong") return [{ kind: "checkpointForged", subject, detail: "its digest is not of its key" }];
  return [];
}

/** The checkpoints against each other, their keys, the chains, and the events that the auditor has read. */
export function checkpointsCheck(source: SealSource, own: Queryable | null): Check {
  const { db, service } = source;
  return {
    ...{ name: namedOf(service, "checkpoints"), rounds: true, passes: true },
    async range(since) {
      if (!since) return { from: "0" };
      const first = await checkpointSince(db, service, new Date(since.getTime() - limits.books.headsAgainMs));
      return { from: String(Math.max(0, first - 1)) };
    },
    async page({ from }) {
      const begin = Number(from);
      // The events come first: what is stored when the table is read was in an event before.
      const seen = own
        ? await seenCheckpoints(own, service, begin + 1, begin + 2 * pageCheckpoints, underWayMs)
        : new Map();
      const { all, unreadable, next } = await checkpointsAfter(db, service, from, pageCheckpoints);
      const forged = (number: number | string, detail: string): Difference => ({
        ...{ kind: "checkpointForged", subject: namedOf(service, `checkpoint ${number}`), detail },
      });
      const differences = unreadable.map((number) => forged(number, "it has a number or heads that no checkpoint has"));
      const comesLater = [...all.map(({ number }) => number), ...unreadable].some((number) => Number(number) <= begin);
      let before: StoredCheckpoint | undefined;
      const rewritten = new Set<string>();
      for (const one of all) {
        const verdict = verdictOfCheckpoint(source, one);
        const isNew = one.number > begin;
        if (isNew) {
          differences.push(...keyProblem(service, verdict, one), ...(await cutChains(db, service, one.heads)));
          const event = seen.get(one.number);
          if (event !== undefined && event !== one.digest)
            differences.push(forged(one.number, "its event has another digest"));
        }
        // A checkpoint follows the one before it, also where that was rewritten, and none that was put between them.
        if (verdict === "wrong") {
          rewritten.add(one.digest);
          continue;
        }
        if (isNew && (before || !comesLater) && !rewritten.has(one.previous))
          differences.push(...followProblem(service, before, one));
        before = one;
        rewritten.clear();
      }
      const there = new Set(all.map(({ number }) => number));
      const end = next === null ? Number.POSITIVE_INFINITY : Number(next);
      for (const number of seen.keys())
        if (!there.has(number) && number <= end)
          differences.push({
            kind: "checkpointRemoved",
            subject: namedOf(service, `checkpoint ${number}`),
            detail: "an event has it",
          });
      const rows = all.length + unreadable.length;
      return { rows, differences: differences.slice(0, limits.books.findingsPerPage), next };
    },
  };
}

/** The newest seal that is as old as `lateMs` is in a checkpoint, itself or by a later one of its chain. */
export function lateCheckpointCheck(source: SealSource, lateMs: number = limits.books.checkpointLateMs): Check {
  const { db, service } = source;
  return {
    ...{ name: namedOf(service, "age of checkpoints"), rounds: true, passes: true },
    async range() {
      return { from: "" };
    },
    async page() {
      const now = await serverTime(db);
      const seal = await newestSealBefore(db, service, new Date(now.getTime() - lateMs));
      if (!seal) return { rows: 0, differences: [], next: null };
      const first = await checkpointSince(db, service, seal.time);
      const { all } = await checkpointsAfter(db, service, String(first), pageCheckpoints);
      const later = all.filter((one) => verdictOfCheckpoint(source, one) !== "wrong");
      const joined = later.some(({ heads }) =>
        heads.some(({ writer, number }) => writer === seal.writer && number >= seal.number),
      );
      const detail = `seal ${seal.writer}/${seal.number} of ${seal.time.toISOString()} is in none`;
      const differences: Difference[] = joined
        ? []
        : [{ kind: "checkpointLate", subject: namedOf(service, "checkpoints"), detail }];
      return { rows: 1, differences, next: null };
    },
  };
}
