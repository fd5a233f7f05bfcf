/** What the comparison of the books can find, and what a person does about it. */

const restore = "compare the row with a backup and with stream EVENTS, find who wrote it, and restore it";
const booksDiffer =
  "sum the account's rows, find the change in the database's log, and correct what was changed by hand";

export const differenceKinds = {
  checkFailed: [
    "a part of the comparison fails: what it compares is not compared",
    "read the cause: a row that nobody of the system writes makes it fail, or its query takes too long",
  ],
  rowUnsealed: ["a row of a ledger has no seal: no wallet wrote it", restore],
  rowChanged: ["a row of a ledger was changed after it was sealed", restore],
  rowRemoved: ["a row of a ledger was removed after it was sealed", restore],
  sealForged: ["a seal does not have the digest of its key: it was changed, or not written by a wallet", restore],
  sealKeyUnknown: [
    "a seal has a key that is not among the keys of its service",
    "add the key that was removed to that service's setting: BOOK_KEYS, GIFT_BOOK_KEYS, ARCHIVER_BOOK_KEYS, ...",
  ],
  sealRemoved: ["a seal is missing in its chain", restore],
  chainCut: ["seals at the end of a chain are missing that were seen before", restore],
  checkpointForged: ["a checkpoint differs from its digest, its predecessor or the event books.sealed", restore],
  checkpointLate: [
    "seals are in no checkpoint for minutes: nothing would show that they were removed",
    "look into the log of the wallet nodes, one of which joins the chains every minute",
  ],
  checkpointRemoved: ["a checkpoint is missing", restore],
  segmentForged: [
    "a segment of an archive is not as the archiver sealed it, or its state is not that of its rows",
    restore,
  ],
  segmentRemoved: ["a segment of an archive is missing, or a part between two of them", restore],
  rowMisplaced: [
    "a row is in the hot table or in the archive where the segments have it in the other one, or in both",
    "find who wrote the row: the archiver alone moves rows",
  ],
  archiveDiffers: [
    "the rows of a segment are not those that were counted before they were moved",
    "look for the rows in other findings, compare the segment with a backup, and restore it",
  ],
  filterDiffers: [
    "a segment's filter is missing, was changed, or lacks an id of its rows: a repeat could be charged again",
    "set ARCHIVE=off, and restore the filter's rows from a backup",
  ],
  archivedTwice: [
    "a business id is in the archive, and once more in the hot table",
    "freeze the account, and find who wrote the second row",
  ],
  idOnTwoServers: [
    "a business id is in the ledgers of two servers: what it names was carried out twice",
    "freeze the accounts, compare both rows with their seals, and undo one by an adjustment",
  ],
  paidTwice: [
    "a payout is in the books of two servers under one id: two anchors, or one twice, were paid for it",
    "stop what was not transferred yet, and settle with whoever got more; the row stays",
  ],
  archiveSumDiffers: ["what t_trade_archive_sum has of a user is not what is archived", booksDiffer],
  balanceDiffers: ["an account's balance is not the sum of its valid rows", booksDiffer],
  chargedDiffers: ["an account's total_charged is not the sum of its recharges", booksDiffer],
  debtDiffers: ["a debt is not the sum of its rows, or not that of its refund", booksDiffer],
  accountMissing: ["a row of the ledger has no account", "restore the account's row from a backup"],
  giftNotRecorded: ["a charged gift has no gift record", "look for its order in the dead letters of the gift queue"],
  giftDiffers: ["a gift record differs from its row in the ledger", "the ledger decides: find who changed the record"],
  giftWithoutCharge: ["a gift record has no valid row in the ledger", "find who wrote the record: no coins moved"],
  creditWithoutOrder: [
    "coins were credited without a paid order, or an order of the platform, of that amount",
    "freeze the account, then find who did",
  ],
  adjustmentWithoutOrder: [
    "coins were given or taken without an order of the platform of that amount",
    "freeze the account, then find who did",
  ],
  payoutWithoutOrder: [
    "income was paid out without an order of the platform of that amount, and not by an operator",
    "find who wrote the row",
  ],
  platformOrderDiffers: [
    "an order of the platform is done or refused and its ledger says otherwise, or it was not carried out for minutes",
    "look for its business id in the log of platform and wallet nodes; the ledger decides: find who changed t_money_state",
  ],
  moveNotApproved: [
    "a move of money by staff, or a proposal of an API key, has no approval of another person that is in the audit, or was not carried out for minutes",
    "look for its id in the audit of the staff and in the log of staff nodes; find who changed its state in t_staff_proposal_state or t_money_state",
  ],
  moveDiffers: [
    "an adjustment by staff has no move of these coins, or a move that is done is not in the books",
    "freeze the account, look for the move in the log of staff and platform nodes, and find who wrote the row",
  ],
  orderNotCredited: ["a paid order has no credit", "look for it in the dead letters of PAY and in t_pay_parked"],
  refundWithoutOrder: ["coins were taken back without a refunded order", "find who sent the refund"],
  refundNotTaken: [
    "a refunded order's coins were neither taken back nor became a debt",
    "look into the dead letters of PAY",
  ],
  refundUnrecorded: [
    "a refunded order has no refund of its amount for the provider",
    "ask the provider about its money",
  ],
  catalogueDiffers: [
    "a product or gift has a price, coins or a state that no operator gave it",
    "find who changed its row by SQL, then set it again with product/update or gift/update",
  ],
  orderTermsDiffer: [
    "an order does not have the price, coins and biz code that operators gave its product",
    "find who changed t_pay_product by SQL, freeze the payer and refund the order",
  ],
  giftPriceDiffers: [
    "a gift does not have the price that operators gave it, or was not on sale",
    "find who changed t_gift_config by SQL",
  ],
  shareForged: [
    "a row of an anchor's share is not signed by gift: it gives no share",
    "find who has gift's login at MySQL, and compare the gifts to the anchor with her share",
  ],
  incomeDiffers: ["an anchor's sums are not those of her postings", booksDiffer],
  earningsDiffer: ["what an anchor earned is not the sum of her shares of gifts", booksDiffer],
  moveOfBucketDiffers: [
    "coins that left a server with their user's bucket did not arrive at another one, or arrived from none",
    "compare both servers' rows of the move with their seals: find who wrote the one without its opposite",
  ],
  holdDiffers: ["a hold or release does not have its gifts, its refund or its opposite", booksDiffer],
} as const satisfies Record<string, readonly [what: string, toDo: string]>;

export type DifferenceKind = keyof typeof differenceKinds;
export const kindNames = Object.keys(differenceKinds) as DifferenceKind[];

export interface Difference {
  readonly kind: DifferenceKind;
  /** The account, order, row, seal or chain: with the kind it identifies the difference. */
  readonly subject: string;
  readonly detail: string;
  /**
   * What stays the same while the difference does, where the detail does not: an accepted difference counts again once
   * this changes.
   */
  readonly measure?: string;
}

/** Kinds of which several checks find one difference, each with a detail of its own: they are there, or not. */
const detailVaries: ReadonlySet<DifferenceKind> = new Set([
  ...(["sealRemoved", "sealKeyUnknown", "checkpointRemoved", "checkpointForged", "checkpointLate"] as const),
]);

/** Kinds that nobody accepts: behind what is known of one there may be others of any size. */
export const neverAccepted: ReadonlySet<string> = new Set<DifferenceKind>([
  ...(["checkFailed", "sealForged", "sealKeyUnknown", "segmentForged"] as const),
  ...(["checkpointForged", "checkpointLate", "checkpointRemoved"] as const),
]);

export const measureOf = ({ kind, detail, measure }: Difference): string =>
  measure ?? (detailVaries.has(kind) ? "" : detail);

export const keyOf = ({ kind, subject }: Difference): string => `${kind} ${subject}`;
