import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { type ChainHead, noDigest } from "../../../mixins/seals/seal-form.ts";
import type { SealingService } from "../../book-seals.ts";
import type { Difference } from "../differences.ts";
import { headsAfter, keepHeads } from "../seen-seals-store.ts";
import { digestsOf, type Link, lastLinksOf, linkIdBefore, linksAfter, type NoLink, newLinks } from "./chains-store.ts";
import type { Check } from "./check.ts";
import { namedOf, type SealSource } from "./seal-source.ts";

/** The chains of seals: no link is missing, and no end is cut. */

const { pageRows, pageAccounts } = limits.books;

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

const noNumber = "its number is none that a seal has";

/** Seals whose numbers no chain reaches. */
const unreadableProblems = (unreadable: readonly NoLink[]): Difference[] =>
  unreadable.map(({ writer, number }) => ({
    ...{ kind: "sealForged", subject: `seal ${writer}/${number}`, detail: noNumber },
  }));

/** The heads of the chains that have no problem in this page. */
function headsOf(links: readonly Link[], problems: readonly Difference[]): ChainHead[] {
  const wrong = new Set(problems.map(({ subject }) => subject.split(" ")[1]));
  const heads = new Map<string, ChainHead>();
  for (const link of links) if (link.number > (heads.get(link.writer)?.number ?? 0)) heads.set(link.writer, link);
  return [...heads.values()].filter(({ writer }) => !wrong.has(writer));
}

const remembering = (own: Queryable | null, { service }: SealSource) =>
  own ? (heads: readonly ChainHead[]) => keepHeads(own, service, heads) : null;

/** Every link of every chain. The place is the last seal that was read and the last link, as JSON. */
export function allLinksCheck(source: SealSource, own: Queryable | null): Check {
  const { db, service } = source;
  const remember = remembering(own, source);
  return {
    ...{ name: namedOf(service, "chains of seals"), rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "" };
    },
    async page({ from }) {
      const { before, place } = from === "" ? {} : (JSON.parse(from) as { before?: Link; place?: NoLink });
      const { links, unreadable, next } = await linksAfter(
        db,
        service,
        place?.writer ?? "",
        place?.number ?? "0",
        pageRows,
      );
      const problems = linkProblems(before, links);
      await remember?.(headsOf(links, problems));
      const differences = [...problems, ...unreadableProblems(unreadable)].slice(0, limits.books.findingsPerPage);
      return {
        ...{ rows: links.length + unreadable.length, differences },
        next: next && JSON.stringify({ before: links.at(-1) ?? before, place: next }),
      };
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
      const { links, unreadable, last, found } = await db.snapshot(async (snapshot) => {
        const { links, unreadable, last } = await newLinks(snapshot, service, from, pageLinks);
        const firsts = links.filter(({ writer }, at) => links[at - 1]?.writer !== writer && links[at]?.number !== 1);
        const wanted = firsts.map(({ writer, number }) => ({ writer, number: number - 1 }));
        return { links, unreadable, last, found: await digestsOf(snapshot, service, wanted) };
      });
      const problems = links.flatMap((link, at) => {
        const { writer, number } = link;
        const inPage = links[at - 1];
        if (inPage?.writer === writer) return linkProblem(inPage, link);
        const digest = found.get(`${writer}/${number - 1}`);
        return linkProblem(digest ? { writer, number: number - 1, previous: "", digest } : undefined, link);
      });
      await remember?.(headsOf(links, problems));
      const differences = [...problems, ...unreadableProblems(unreadable)].slice(0, limits.books.findingsPerPage);
      return { rows: links.length + unreadable.length, differences, next: last };
    },
  };
}

/** The chains that do not have these seals. A chain that is cut further, or differs in its last seal, counts again. */
export async function cutChains(
  db: Queryable,
  service: SealingService,
  heads: readonly ChainHead[],
): Promise<Difference[]> {
  const there = await digestsOf(db, service, heads);
  const wrong = heads.filter(({ writer, number, digest }) => there.get(`${writer}/${number}`) !== digest);
  const writers = [...new Set(wrong.map(({ writer }) => writer))];
  const last = await lastLinksOf(db, service, writers);
  return writers.map((writer) => {
    const end = last.get(writer);
    const detail = `seals that were there before are missing or others; ${end ? `seal ${end.number} is the last one` : "none is left"}`;
    return {
      kind: "chainCut",
      subject: `chain ${writer}`,
      detail,
      measure: end ? `${end.number} ${end.digest}` : "none",
    };
  });
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
      const differences = await cutChains(db, service, heads);
      const next = heads.length < pageAccounts ? null : (heads.at(-1)?.writer ?? null);
      return { rows: heads.length, differences, next };
    },
  };
}
