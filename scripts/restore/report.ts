import { limits } from "../../config/limits.ts";
import type { Note, NoteKind } from "./replay-plan.ts";

/** What a restore found, for people: what was written, what a person must do, and what is beyond recovery. */

/** By kind: what it is, and what to do. */
const noteTexts: Readonly<Record<NoteKind, readonly [what: string, toDo: string]>> = {
  payment: [
    "paid orders that stream PAY no longer has, or that could not be made of it; their coins are credited",
    "orders that the payment service knows are settled by themselves once the provider is asked; the others are in the " +
      "provider's bill: npm run reconcile -- --date DAY names them, and the auditor says creditWithoutOrder: compare, " +
      "then accept it",
  ],
  refund: [
    "refunds that the payment service does not know; stream PAY has the wallet take the coins back where it still holds them",
    "refund the order again (order/refund): the provider answers that it is done, and no money moves twice",
  ],
  hold: ["shares of gifts that were held back or released", "decide on them again, by the refunded order"],
  userWithoutPhone: [
    "users who registered by a phone that no event names: they have their ids and coins, and no login",
    "who logs in with that phone gets a new user; move the coins by an adjustment once the person is known",
  ],
  erasure: ["users who were erased after the backup: what was erased is there again", "erase them again (user/erase)"],
  battle: ["battles whose rows are lost", "tell the anchors the result, which stands here"],
  webhookDisabled: ["webhooks that were switched off", "switch them off again"],
  gift: ["gifts of EVENTS that differ from what the books have, or that the ledger refused", "compare them by hand"],
  room: ["rooms that could not be written", "the anchor opens a new one"],
  unreadable: [
    "events and messages that were refused: nothing was written for them",
    "read each in its stream by its sequence, find out who published it, and write by hand what is genuine",
  ],
  databases: [
    "databases were restored by other means, and of which time they are is not known here",
    "compare their time with that of the oldest event: what happened between the two is in no event, and lost",
  ],
};

/** What has no event: after a restore it is as at the backup. */
const withoutEvents = [
  "payouts, and holds of free income: before anybody is paid, repeat every payout of the platform's own books with its " +
    "payoutId; an operator's payout by hand is known to who made it alone",
  "adjustments and credits by the platform or staff: repeat them with their ids. Where coins of one were spent on a gift, " +
    "the spender owes them until then (restore:<order> in the ledger)",
  "orders that were begun and not paid: payers begin again; money that a provider reports for one is parked or in its bill",
  "products, gifts, prices, shares of anchors, topics of payments, moderators, names and avatars",
  "persons of the staff, their rights, sessions and audit: who was removed after the backup can log in again: remove them now",
  "API keys: who revoked one revokes it again now; webhooks and their deliveries",
  "logouts and revoked tokens: what was revoked after the backup is valid again; with a new key in TOKEN_KEYS, and the " +
    "old one removed, everybody logs in again",
  "answers to idempotency keys: a repeat runs again, and its business id finds what is there",
  "the seals of the rows that were lost: the replayed rows have new ones, and the numbers of checkpoints are given out again",
  "what another system wrote down from EVENTS stands; what it read from a database does not",
] as const;

export interface ReportData {
  readonly backup: { readonly id: string; readonly begun: string };
  readonly until: string | null;
  /** Events that EVENTS no longer has: what they were, and until when they reached. */
  readonly gap: { readonly what: string; readonly untilTime: string } | null;
  readonly events: number;
  readonly written: Readonly<Record<string, number>>;
  readonly there: Readonly<Record<string, number>>;
  /** Coins that were lent to gifts whose coins the books did not know. */
  readonly lent: number;
  readonly lostSeals: number;
  readonly notes: readonly Note[];
}

function notesOf(notes: readonly Note[]): string[] {
  const byKind = Map.groupBy(notes, ({ kind }) => kind);
  return [...byKind].flatMap(([kind, all]) => {
    const [what, toDo] = noteTexts[kind];
    const shown = all.slice(0, limits.backup.shownOfKind).map(({ subject, detail }) => `    ${subject}: ${detail}`);
    const more =
      all.length > shown.length ? [`    ... and ${all.length - shown.length} more, in the report's file`] : [];
    return [`  ${all.length} ${what}`, `  To do: ${toDo}`, ...shown, ...more];
  });
}

/** The report as a text. */
export function reportText(data: ReportData): string {
  const { backup, until, gap, written, there, notes } = data;
  const lines = [
    `Restored from the backup of ${backup.begun} (${backup.id}).`,
    `${data.events.toLocaleString("en")} events after it were read${until === null ? "" : `, until ${until}`}:`,
    ...Object.keys(written).map((what) => `  ${what}: ${written[what]} written, ${there[what] ?? 0} were there`),
  ];
  if (data.lent > 0)
    lines.push(
      `  ${data.lent} coins were lent: gifts succeeded that were paid with coins which no event explains (restore:<order>)`,
    );
  if (gap)
    lines.push(
      "",
      `LOST: ${gap.what}. What happened between ${backup.begun} and ${gap.untilTime}`,
      "is beyond recovery, but for what is in other queues and what other systems have read of it.",
    );
  if (notes.length > 0) lines.push("", "FOR A PERSON:", ...notesOf(notes));
  lines.push("", `BEYOND RECOVERY, since it has no event. It is as at ${backup.begun}:`);
  lines.push(...withoutEvents.map((one) => `  - ${one}`));
  return lines.join("\n");
}
