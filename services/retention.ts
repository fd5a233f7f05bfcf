import { limits } from "../config/limits.ts";
import type { migrationFolders } from "./databases.ts";

/**
 * How long each table keeps its rows, and what becomes of them then: docs/retention.md in code. A test compares it with
 * the migrations, so that no table is forgotten. Pure.
 */

/**
 * - `ever`: for ever. `byMonth`: its rows are of one time and many. `archive`: the table that closed months are moved into.
 *   Of the others no month is moved: their indexes grow at their end, or by few rows (docs/retention.md has the figures).
 * - `days`: so many days at the most, erased by the job; `setting`: an operator chooses, the days are those without it.
 * - `done`: until they have served, then removed by the code named.
 * - `small`: bounded by something else than time, which is named.
 */
export type Kept =
  | { readonly kept: "ever"; readonly byMonth?: true; readonly archive?: string }
  | { readonly kept: "days"; readonly days: number; readonly job: string; readonly setting?: string }
  | { readonly kept: "done"; readonly job: string }
  | { readonly kept: "small"; readonly bound: string };

export interface Retention {
  readonly rows: Kept;
  /** Whether it says what moved, or why. Such rows are never removed before they are moved out. */
  readonly money?: true;
  /** What of a person it has, beside ids of users; gone when the user is erased, unless `stays` says until when. */
  readonly person?: string;
  readonly stays?: string;
  /** Texts that go after some days, while the row stays. */
  readonly texts?: { readonly days: number; readonly job: string; readonly setting: string };
}

const dayMs = 24 * 3_600_000;
const daysOf = (ms: number) => Math.ceil(ms / dayMs);
const ever: Kept = { kept: "ever" };
const byMonth: Kept = { kept: "ever", byMonth: true };
const movedTo = (archive: string): Kept => ({ kept: "ever", byMonth: true, archive });
const small = (bound: string): Retention => ({ rows: { kept: "small", bound } });
const done = (job: string): Kept => ({ kept: "done", job });
const forDays = (ms: number, job: string): Kept => ({ kept: "days", days: daysOf(ms), job });

const archive = {
  t_archive_segment: { ...small("segments, of 4 million rows"), money: true },
  t_archive_filter: { ...small("14 bits of an archived row"), money: true },
  t_archive_revision: small("1 row"),
} as const;
const base = {
  t_migration: small("migrations"),
  t_migration_release: small("1 row"),
  t_lease: small("jobs of the service"),
  t_heartbeat: small("1 row"),
} as const;
const streams = { t_stream_position: small("readers, and streams that were made again") };
const outbox = {
  t_outbox: {
    rows: forDays(limits.outbox.keepSentMs, "outbox"),
    person: "ids at the platform, room names and reasons in events",
    stays: "an hour after they were published",
  },
} as const;
const audit = {
  t_operator_audit: { rows: ever, money: true, person: "reasons in params" },
  t_ledger_seal: { rows: byMonth, money: true },
  t_ledger_checkpoint: { rows: ever, money: true },
} as const;

export const retention: Readonly<Record<keyof typeof migrationFolders, Readonly<Record<string, Retention>>>> = {
  user: {
    ...base,
    ...streams,
    ...outbox,
    t_user: { rows: ever, person: "nick name, avatar" },
    t_user_phone: { rows: ever, person: "phone" },
    t_user_external: { rows: ever, person: "id at the platform" },
    t_user_erased: {
      rows: forDays(limits.user.tokenTtlMs + limits.jwt.leewayMs, "session-purge"),
      person: "a keyed hash of the id at the platform",
      stays: "until no JWT of before the erasure is valid",
    },
    t_sms: {
      rows: { kept: "days", days: limits.user.smsAddressKnownDays, job: "retention" },
      person: "phone, addresses",
    },
    t_sms_day: { rows: { kept: "days", days: limits.user.smsDaysKept + 1, job: "session-purge" }, person: "phone" },
    t_session: { rows: forDays(limits.user.tokenTtlMs, "session-purge") },
    t_revocation: { rows: forDays(limits.user.tokenTtlMs + limits.user.revocationKeptMs, "session-purge") },
    t_restriction: { rows: ever, person: "reasons" },
    t_restriction_lift: { rows: ever, person: "reasons" },
    t_restriction_change: { rows: ever },
  },
  "living-room": {
    ...base,
    ...streams,
    ...outbox,
    t_living_room: { rows: done("closing a room"), person: "room name, picture" },
    t_living_room_check: small("1 row"),
    t_living_room_record: { rows: ever, person: "room name, picture, reason of closing" },
    t_room_write: { rows: forDays(limits.room.writesKeptMs, "room monitor") },
    t_room_moderator_lock: small("16 rows"),
    t_room_moderator: { ...small("20 of an anchor"), person: "who moderates for whom" },
  },
  gift: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_gift_config: small("gifts of the catalogue"),
    t_gift_record: { rows: movedTo("t_gift_record_archive"), money: true },
    t_gift_minute: { rows: forDays(2 * 3_600_000, "gift-minutes") },
    t_gift_minute_position: small("1 row"),
    t_anchor_share: { rows: ever, money: true },
    t_gift_record_archive: { rows: ever, money: true },
    ...archive,
    t_server: small("servers"),
  },
  wallet: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_qiyu_currency_account: { rows: ever, money: true },
    t_qiyu_currency_trade: { rows: movedTo("t_qiyu_currency_trade_archive"), money: true },
    t_wallet_debt: { rows: byMonth, money: true },
    t_anchor_income: { rows: ever, money: true },
    t_anchor_income_pending: { rows: done("income roll-up"), money: true },
    t_income_posting: { rows: byMonth, money: true, person: "reasons" },
    t_income_hold_gift: { rows: byMonth, money: true },
    t_wallet_carried_out: { rows: ever, money: true },
    t_wallet_release_list: { rows: ever, money: true },
    t_qiyu_currency_trade_archive: { rows: ever, money: true },
    t_trade_archive_sum: { rows: ever, money: true },
    ...archive,
    t_server: small("servers"),
    t_wallet_bucket: small("251 buckets"),
    t_wallet_gate: small("251 buckets"),
    t_wallet_bucket_move: { rows: ever, money: true },
  },
  payment: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_pay_product: small("products"),
    t_pay_order: { rows: byMonth, money: true, person: "reason of a refund" },
    t_pay_topic: small("topics"),
    t_pay_webhook: {
      rows: byMonth,
      money: true,
      person: "the payer at the provider, in the body; the caller's address",
      texts: { days: limits.retention.providerWebhookDays, job: "retention", setting: "PROVIDER_WEBHOOK_KEEP_DAYS" },
    },
    t_pay_parked: { rows: done("staff"), money: true },
    t_pay_watch: { rows: done("open orders") },
    t_pay_message_watch: { rows: done("lost messages"), money: true },
    t_pay_refund: { rows: byMonth, money: true, person: "reason" },
    t_pay_carried_out: { rows: ever, money: true },
    t_pay_comparison: { rows: ever, money: true },
    t_pay_difference: { rows: ever, money: true, person: "reason of its explanation" },
    t_pay_bill_refund: { rows: byMonth, money: true },
    t_pay_bill_line: { rows: byMonth, money: true },
    t_cashier_payment: { rows: ever },
    t_cashier_refund: { rows: ever },
  },
  notification: { ...base, ...streams },
  auditor: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_book_finding: { rows: ever, money: true },
    t_book_pass: small("1,000 passes"),
    t_book_round: small("1 row"),
    t_book_head: { rows: ever, money: true },
    t_book_checkpoint: { rows: ever, money: true },
    t_book_segment: { rows: ever, money: true },
    t_book_segment_share: small("anchors of each segment"),
  },
  battle: {
    ...base,
    ...streams,
    ...outbox,
    t_battle: { rows: ever },
    t_battle_side: { rows: ever },
    t_battle_slot: { rows: done("the end of a battle") },
    t_battle_score: { rows: done("the result of a battle") },
    t_battle_gift: { rows: done("the result of a battle") },
    t_battle_excluded: { rows: ever },
    t_battle_revision: small("1 row"),
  },
  rank: {
    ...base,
    ...streams,
    t_rank_state: small("1 row"),
    // Boards of all time stay; those of days, weeks and months go by rank's maintenance.
    t_rank_total: { rows: forDays(limits.rank.monthsKeptMs, "rank maintenance") },
    t_rank_counted: { rows: ever },
    t_rank_room: { rows: forDays(limits.rank.roomsKeptMs, "rank maintenance") },
    t_rank_job: small("2 rows"),
  },
  platform: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_api_key: { rows: ever },
    t_api_key_revision: small("1 row"),
    t_idempotency: {
      rows: forDays(limits.platform.answersKeptMs, "idempotency-purge"),
      person: "names in answers",
      stays: "8 days",
    },
    t_money_order: { rows: byMonth, money: true, person: "reason" },
    t_money_state: { rows: byMonth, money: true, person: "reason of a decision" },
    t_money_account: { rows: ever, money: true },
    t_money_staff_move: { rows: forDays(limits.platform.staffMovesKeptMs, "idempotency-purge") },
  },
  webhook: {
    ...base,
    ...streams,
    ...outbox,
    t_webhook: small("webhooks"),
    t_webhook_lease: small("webhooks"),
    t_webhook_message: {
      rows: forDays(limits.webhook.keptMs, "webhook maintenance"),
      person: "ids at the platform, room names and reasons in events",
      stays: "7 days",
    },
    t_webhook_store: small("1 row"),
    t_webhook_delivery: {
      rows: forDays(limits.webhook.keptMs, "webhook maintenance"),
      person: "the beginning of the receiver's answer",
      stays: "7 days",
    },
  },
  staff: {
    ...base,
    ...streams,
    ...outbox,
    ...audit,
    t_staff_person: small("1,000 persons"),
    t_staff_session: { rows: forDays(limits.staff.sessionMs, "staff-purge") },
    t_staff_attempt: { rows: forDays(limits.staff.failuresKeptMs, "staff-purge") },
    t_staff_address: { rows: forDays(limits.staff.addressesKeptMs, "staff-purge") },
    t_staff_audit: {
      rows: byMonth,
      person: "reasons in params",
      texts: { days: limits.retention.auditDays, job: "retention", setting: "AUDIT_KEEP_DAYS" },
    },
    t_staff_proposal: { rows: ever, money: true, person: "reason" },
    t_staff_proposal_state: { rows: ever, money: true, person: "reason of a decision" },
    t_staff_dead_letter: { rows: ever, money: true },
    t_staff_dead_letter_order: { rows: ever },
    t_staff_erasure: { rows: ever },
  },
  archiver: base,
};
