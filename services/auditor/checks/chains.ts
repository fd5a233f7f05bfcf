import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { type ChainHead, checkpointDigest, noDigest, verdictOf } from "../../../mixins/seals/seal-form.ts";
import type { Difference } from "../differences.ts";
import { headsAfter, keepHeads, seenCheckpoints } from "../seen-seals-store.ts";
import {
  checkpointSince,
  checkpointsAfter,
  digestsOf,
  type Link,
  linkIdBefore,
  linksAfter,
  newestSealBefore,
  newLinks,
  type StoredCheckpoint,
} from "./chains-store.ts";
import type { Check } from "./check.ts";
import { namedOf, type SealSource } from "./seal-source.ts";
import { serverTime } from "./windows-store.ts";

/** The chains of seals: no link is missing, no end is cut, and the checkpoints have what the chains have. */

const { pageRows, pageAccounts, pageCheckpoints, underWayMs } = limits.books;

/** What is wrong with a link after the one before it; `undefined` before it: it begins its chain. */
function linkProblem(before: Link | undefined, link: Link): Difference[] {
  const { writer, number, previous } = link;
  const follows = before
    ? number === before.number + 1 && previous === before.digest
    : number === 1 && previous === noDigest;
  if (follows) return [];
  const after = before ? `after seal ${before.number}` : "first";
  const detail = `seal ${number} comes ${after}, and follows another one`;
  return [{ kind: "sealRemoved", subject: `chain ${writer} at ${number}`, detail }];
}

/** The links of a page against each other; `first` is the one before the page. */
function linkProblems(first: Link | undefined, links: readonly Link[]): Difference[] {
  let before = first;
  return links.flatMap((link) => {
    const problems = linkProblem(before?.writer === link.writer ? before : undefined, link);
    before = link;
    return problems;
  });
}

/** The heads of the chains that have no problem in this page. */
function headsOf(links: readonly Link[], problems: readonly Difference[]): ChainHead[] {
  const wrong = new Set(problems.map(({ subject }) => subject.split(" ")[1]));
  const heads = new Map<string, ChainHead>();
  for (const link of links) if (link.number > (heads.get(link.writer)?.number ?? 0)) heads.set(link.writer, link);
  return [...heads.values()].filter(({ writer }) => !wrong.has(writer));
}

const remembering = (own: Queryable | null, { service }: SealSource) =>
  own ? (heads: readonly ChainHead[]) => keepHeads(own, service, heads) : null;

/** Every link of every chain. The place is the last link that was read, as JSON. */
export function allLinksCheck(source: SealSource, own: Queryable | null): Check {
  const { db, service } = source;
  const remember = remembering(own, source);
  return {
    ...{ name: namedOf(service, "chains of seals"), rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "" };
    },
    async page({ from }) {
      const before = from === "" ? undefined : (JSON.parse(from) as Link);
      const links = await linksAfter(db, service, before?.writer ?? "", before?.number ?? 0, pageRows);
      const differences = linkProblems(before, links);
      await remember?.(headsOf(links, differences));
      return { rows: links.length, differences, next: links.length < pageRows ? null : JSON.stringify(links.at(-1)) };
    },
  };
}

/** The links that are new: each follows the one before it. The place is the id of the last link that was read. */
export function newLinksCheck(source: SealSource, own: Queryable | null, pageLinks: number = pageRows): Check {
  const { db, service } = source;
  const remember = remembering(own, source);
  return {
    ...{ name: namedOf(service, "new seals"), rounds: true, passes: false },
    async range(since) {
      return since ? { from: await linkIdBefore(db, service, since) } : undefined;
    },
    async page({ from }) {
      const { links, last, found } = await db.snapshot(async (snapshot) => {
        const { links, last } = await newLinks(snapshot, service, from, pageLinks);
        const firsts = links.filter(({ writer }, at) => links[at - 1]?.writer !== writer && links[at]?.number !== 1);
        const wanted = firsts.map(({ writer, number }) => ({ writer, number: number - 1 }));
        return { links, last, found: await digestsOf(snapshot, service, wanted) };
      });
      const differences = links.flatMap((link, at) => {
        const { writer, number } = link;
        const inPage = links[at - 1];
        if (inPage?.writer === writer) return linkProblem(inPage, link);
        const digest = found.get(`${writer}/${number - 1}`);
        return linkProblem(digest ? { writer, number: number - 1, previous: "", digest } : undefined, link);
      });
      await remember?.(headsOf(links, differences));
      const next = links.length < pageLinks ? null : last;
      return { rows: links.length, differences: differences.slice(0, limits.books.findingsPerPage), next };
    },
  };
}

/** The ends of the chains that the auditor has seen. */
export function seenHeadsCheck({ db, service }: SealSource, own: Queryable): Check {
  return {
    ...{ name: namedOf(service, "ends of chains"), rounds: true, passes: true },
    async range(since) {
      return { from: "", ...(since && { since: new Date(since.getTime() - limits.books.headsAgainMs) }) };
    },
    async page({ from, since }) {
      const heads = await headsAfter(own, service, from, since, pageAccounts);
      const there = await digestsOf(db, service, heads);
      const differences = heads.flatMap(({ writer, number, digest }): Difference[] => {
        const now = there.get(`${writer}/${number}`);
        if (now === digest) return [];
        const detail = now ? `seal ${number} is another one now` : `seal ${number} was its end, and is not there`;
        return [{ kind: "chainCut", subject: `chain ${writer}`, detail }];
      });
      const next = heads.length < pageAccounts ? null : (heads.at(-1)?.writer ?? null);
      return { rows: heads.length, differences, next };
    },
  };
}

function checkpointProblems(
  { service, keys }: SealSource,
  before: StoredCheckpoint | undefined,
  one: StoredCheckpoint,
): Difference[] {
  const { number, previous, digest, keyName } = one;
  const subject = namedOf(service, `checkpoint ${number}`);
  const problems: Difference[] = [];
  if (number !== (before?.number ?? 0) + 1) {
    const detail = `after checkpoint ${before?.number ?? 0} comes ${number}`;
    problems.push({ kind: "checkpointRemoved", subject: namedOf(service, `checkpoint ${number - 1}`), detail });
  } else if (previous !== (before?.digest ?? noDigest))
    problems.push({ kind: "checkpointForged", subject, detail: "it does not follow the one before it" });
  const verdict = verdictOf(keys, keyName, digest, (key) => checkpointDigest(key, { service, ...one }));
  if (verdict === "unknownKey")
    problems.push({ kind: "sealKeyUnknown", subject: namedOf(service, `key ${keyName}`), detail: `first ${subject}` });
  if (verdict === "wrong") problems.push({ kind: "checkpointForged", subject, detail: "its digest is not of its key" });
  return problems;
}

/** The heads of a checkpoint that are not in the chains as it has them. */
async function headProblems({ db, service }: SealSource, { number, heads }: StoredCheckpoint): Promise<Difference[]> {
  const there = await digestsOf(db, service, heads);
  return heads.flatMap((head): Difference[] => {
    const now = there.get(`${head.writer}/${head.number}`);
    if (now === head.digest) return [];
    const detail = `checkpoint ${number} has its seal ${head.number}, which is ${now ? "another one now" : "not there"}`;
    return [{ kind: "chainCut", subject: `chain ${head.writer}`, detail }];
  });
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
        ? await seenCheckpoints(own, service, begin + 1, begin + pageCheckpoints, underWayMs)
        : new Map();
      const all = await checkpointsAfter(db, service, begin, pageCheckpoints);
      const [first] = all;
      const before = first && first.number === begin ? first : undefined;
      const page = (before ? all.slice(1) : all).slice(0, pageCheckpoints);
      const differences: Difference[] = [];
      for (const [at, one] of page.entries()) {
        differences.push(...checkpointProblems(source, at === 0 ? before : page[at - 1], one));
        differences.push(...(await headProblems(source, one)));
        const event = seen.get(one.number);
        const subject = namedOf(service, `checkpoint ${one.number}`);
        if (event !== undefined && event !== one.digest)
          differences.push({ kind: "checkpointForged", subject, detail: "its event has another digest" });
      }
      const there = new Set(page.map(({ number }) => number));
      const end = page.length < pageCheckpoints ? Number.POSITIVE_INFINITY : (page.at(-1)?.number ?? begin);
      for (const number of seen.keys())
        if (!there.has(number) && number <= end)
          differences.push({
            kind: "checkpointRemoved",
            subject: namedOf(service, `checkpoint ${number}`),
            detail: "an event has it",
          });
      const next = page.length < pageCheckpoints ? null : String(page.at(-1)?.number);
      return { rows: page.length, differences: differences.slice(0, limits.books.findingsPerPage), next };
    },
  };
}

/** The newest seal that is as old as `lateMs` is in a checkpoint, itself or by a later one of its chain. */
export function lateCheckpointCheck(
  { db, service }: SealSource,
  lateMs: number = limits.books.checkpointLateMs,
): Check {
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
      const later = await checkpointsAfter(db, service, first, pageCheckpoints);
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
