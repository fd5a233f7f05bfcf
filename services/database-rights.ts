import type { migrationFolders } from "./databases.ts";

/**
 * What a service's login at MySQL may do with each table of its database, by what the SQL of the service does with it.
 * No login has DDL or GRANT: migrations have a login of their own. Nothing that is not here is allowed.
 */

/**
 * - `read`: SELECT.
 * - `add`: SELECT, INSERT. The ledgers, the audits and the records: nobody who takes over a service can rewrite them.
 *   MySQL takes SELECT ... FOR UPDATE, ON DUPLICATE KEY UPDATE and REPLACE for a change, so they are refused too.
 * - `remove`: SELECT, INSERT, DELETE. Nobody writes another phone or id at the platform over that of a user.
 * - `change`: SELECT, INSERT, UPDATE.
 * - `all`: SELECT, INSERT, UPDATE, DELETE.
 */
export const tableRights = {
  read: ["SELECT"],
  add: ["SELECT", "INSERT"],
  remove: ["SELECT", "INSERT", "DELETE"],
  change: ["SELECT", "INSERT", "UPDATE"],
  all: ["SELECT", "INSERT", "UPDATE", "DELETE"],
} as const;
export type TableRight = keyof typeof tableRights;
export type DatabaseRights = Readonly<Record<string, TableRight>>;

const base = { t_migration: "read", t_migration_release: "read", t_lease: "change", t_heartbeat: "change" } as const;
const streams = { t_stream_position: "change" } as const;
const outbox = { t_outbox: "all" } as const;
const operatorAudit = { t_operator_audit: "add", t_ledger_seal: "add", t_ledger_checkpoint: "add" } as const;

/** Who writes them has rights of its own: archive-rights.ts. */
const archive = { t_archive_segment: "read", t_archive_filter: "read", t_archive_revision: "read" } as const;

/** By service and table. */
export const databaseRights: Readonly<Record<keyof typeof migrationFolders, DatabaseRights>> = {
  user: {
    ...base,
    ...streams,
    ...outbox,
    t_user: "change",
    t_user_phone: "remove",
    t_user_external: "remove",
    t_user_erased: "all",
    t_sms: "all",
    t_sms_day: "all",
    t_session: "all",
    t_revocation: "all",
    t_restriction: "add",
    t_restriction_lift: "add",
    t_restriction_change: "add",
  },
  "living-room": {
    ...base,
    ...streams,
    ...outbox,
    t_living_room: "all",
    t_living_room_check: "change",
    t_living_room_record: "add",
    t_room_write: "all",
    t_room_moderator: "all",
    t_room_moderator_lock: "change",
  },
  gift: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_gift_config: "change",
    t_gift_record: "add",
    t_gift_minute: "all",
    t_gift_minute_position: "change",
    t_anchor_share: "add",
    t_gift_record_archive: "read",
    ...archive,
    t_server: "read",
  },
  wallet: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_qiyu_currency_account: "change",
    t_qiyu_currency_trade: "add",
    t_wallet_debt: "add",
    t_anchor_income: "change",
    t_anchor_income_pending: "all",
    t_income_posting: "add",
    t_income_hold_gift: "add",
    t_wallet_carried_out: "add",
    t_wallet_release_list: "add",
    t_qiyu_currency_trade_archive: "read",
    t_trade_archive_sum: "read",
    ...archive,
    t_server: "read",
    t_wallet_bucket: "change",
    t_wallet_gate: "change",
    t_wallet_bucket_move: "change",
  },
  payment: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_pay_product: "change",
    t_pay_order: "change",
    t_pay_topic: "change",
    t_pay_webhook: "add",
    t_pay_parked: "all",
    t_pay_watch: "all",
    t_pay_message_watch: "all",
    t_pay_refund: "change",
    t_pay_carried_out: "add",
    t_pay_difference: "all",
    t_pay_bill_line: "all",
    t_pay_bill_refund: "all",
    t_pay_comparison: "change",
    t_cashier_payment: "change",
    t_cashier_refund: "add",
  },
  notification: { ...base, ...streams },
  auditor: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_book_finding: "change",
    t_book_pass: "all",
    t_book_round: "change",
    t_book_head: "change",
    t_book_checkpoint: "change",
    t_book_segment: "change",
    t_book_segment_share: "all",
  },
  battle: {
    ...base,
    ...streams,
    ...outbox,
    t_battle: "all",
    t_battle_side: "all",
    t_battle_slot: "all",
    t_battle_score: "all",
    t_battle_gift: "all",
    t_battle_excluded: "all",
    t_battle_revision: "change",
  },
  rank: {
    ...base,
    ...streams,
    t_rank_state: "change",
    t_rank_total: "all",
    t_rank_counted: "all",
    t_rank_room: "all",
    t_rank_job: "change",
  },
  platform: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_api_key: "change",
    t_api_key_revision: "change",
    t_idempotency: "all",
    t_money_order: "add",
    t_money_state: "change",
    t_money_account: "change",
    t_money_staff_move: "all",
  },
  webhook: {
    ...base,
    ...streams,
    ...outbox,
    t_webhook: "all",
    t_webhook_lease: "all",
    t_webhook_message: "all",
    t_webhook_store: "change",
    t_webhook_delivery: "all",
  },
  staff: {
    ...base,
    ...streams,
    ...outbox,
    ...operatorAudit,
    t_staff_person: "change",
    t_staff_session: "all",
    t_staff_attempt: "all",
    t_staff_address: "all",
    t_staff_audit: "add",
    t_staff_dead_letter: "change",
    t_staff_dead_letter_order: "add",
    t_staff_proposal: "add",
    t_staff_proposal_state: "change",
    t_staff_erasure: "all",
  },
  archiver: base,
};

/**
 * The columns of tables that are only added to, whose texts may be erased (decision 0085). They stand outside the seals, or
 * the digest that is sealed fits nothing but the text that was written (mixins/seals/erasable-text.ts).
 */
export const erasableColumns: Readonly<Record<string, readonly string[]>> = {
  t_operator_audit: ["params", "params_salt"],
  t_income_posting: ["reason"],
  t_pay_webhook: ["body", "body_salt", "ip"],
  t_money_order: ["reason"],
  t_staff_audit: ["params", "params_salt"],
  t_staff_proposal: ["reason"],
  t_restriction: ["reason"],
  t_restriction_lift: ["reason"],
  t_living_room_record: ["room_name", "covert_img", "close_reason"],
};

/** The privileges of a service's login on a table. */
export const privilegesOn = (table: string, right: TableRight): readonly string[] => [
  ...tableRights[right],
  ...(erasableColumns[table] ?? []).map((column) => `UPDATE (\`${column}\`)`),
];

/** The services that compare the books, and the databases of others that they may read, and change nothing there. */
export const readsDatabasesOf: Readonly<Record<string, readonly (keyof typeof migrationFolders)[]>> = {
  auditor: ["wallet", "gift", "payment", "platform", "staff"],
};
