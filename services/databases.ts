const outbox = "mixins/outbox/migrations";
const lease = "mixins/lease/migrations";
const operatorAudit = "mixins/operator-audit/migrations";

/**
 * Which services keep a database, and the folders its tables come from. Each service owns its own and reads no other's.
 */
export const migrationFolders = {
  user: [outbox, "services/user/migrations"],
  "living-room": [outbox, lease, "services/living-room/migrations"],
  gift: [operatorAudit, "services/gift/migrations"],
  wallet: [outbox, lease, operatorAudit, "services/wallet/migrations"],
  payment: [outbox, operatorAudit, "services/payment/migrations"],
} as const;
