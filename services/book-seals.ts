import type { ServiceName } from "../broker/service-names.ts";
import { auditColumns } from "../mixins/operator-audit/audit-columns.ts";
import type { SealedLedger } from "../mixins/seals/seal-form.ts";

/** The tables whose rows are sealed: the ledgers of the wallet, every audit of operators' calls, that of webhooks, the platform's orders, what the staff asked for, and what it moved. */

const operatorAudit = <S extends ServiceName>(service: S, book: number) => ({
  ...{ service, book, table: "t_operator_audit", columns: auditColumns, sumOf: null, valid: "TRUE" },
  erasable: ["params"],
});

export const sealedLedgers = {
  trades: {
    service: "wallet",
    book: 1,
    table: "t_qiyu_currency_trade",
    columns: [
      ...["user_id", "num", "type", "status", "biz_id", "counterparty_id"],
      ...["counterparty_income_points", "balance_after", "reason"],
    ],
    ...{ sumOf: "num", valid: "status = 1" },
  },
  debts: {
    service: "wallet",
    book: 2,
    table: "t_wallet_debt",
    columns: ["user_id", "num", "biz_id"],
    ...{ sumOf: "num", valid: "TRUE" },
  },
  postings: {
    service: "wallet",
    book: 3,
    table: "t_income_posting",
    columns: ["anchor_id", "kind", "points", "status", "biz_id", "order_id"],
    ...{ sumOf: "points", valid: "status = 1" },
  },
  holdGifts: {
    service: "wallet",
    book: 4,
    table: "t_income_hold_gift",
    columns: ["hold_biz_id", "gift_biz_id", "coins_from", "coins", "points"],
    ...{ sumOf: "points", valid: "TRUE" },
  },
  walletAudit: operatorAudit("wallet", 5),
  giftAudit: operatorAudit("gift", 6),
  paymentAudit: operatorAudit("payment", 7),
  /** Without the caller's address. The body may name the payer at the provider. */
  webhooks: {
    service: "payment",
    book: 8,
    table: "t_pay_webhook",
    columns: [
      ...[
        "channel",
        "outcome",
        "reason",
        "webhook_id",
        "order_id",
        "transaction_id",
        "amount",
        "body_digest",
        "request_id",
      ],
    ],
    erasable: ["body"],
    ...{ sumOf: null, valid: "TRUE" },
  },
  auditorAudit: operatorAudit("auditor", 9),
  platformAudit: operatorAudit("platform", 10),
  /** Without the reason, which people typed. */
  moneyOrders: {
    service: "platform",
    book: 11,
    table: "t_money_order",
    columns: ["biz_id", "kind", "user_id", "amount", "proposed", "key_id"],
    ...{ sumOf: null, valid: "TRUE" },
  },
  staffAudit: operatorAudit("staff", 12),
  /** What persons of the staff asked for, and what came of it. */
  staffCalls: {
    service: "staff",
    book: 13,
    table: "t_staff_audit",
    columns: ["call_id", "person", "role", "address", "route", "about", "params_digest", "outcome", "request_id"],
    erasable: ["params"],
    ...{ sumOf: null, valid: "TRUE" },
  },
  /** What persons of the staff moved, without the reason, which people typed. */
  staffProposals: {
    service: "staff",
    book: 14,
    table: "t_staff_proposal",
    columns: ["kind", "user_id", "subject", "coins", "instruction", "person", "proposed", "move_id", "once_key"],
    ...{ sumOf: null, valid: "TRUE" },
  },
} as const satisfies Record<string, SealedLedger>;

export type LedgerName = keyof typeof sealedLedgers;

/** The services that seal rows. */
export type SealingService = (typeof sealedLedgers)[LedgerName]["service"];
