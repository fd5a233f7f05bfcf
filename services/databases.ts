import { providers } from "./payment/providers.contract.ts";

const streams = "mixins/jetstream/migrations";
const outbox = "mixins/outbox/migrations";
const operatorAudit = "mixins/operator-audit/migrations";

/**
 * Which services keep a database, and the folders its tables come from. Each service owns its own and reads no other's.
 */
export const migrationFolders = {
  user: [streams, outbox, "services/user/migrations"],
  "living-room": [streams, outbox, "services/living-room/migrations"],
  gift: [streams, operatorAudit, "services/gift/migrations"],
  wallet: [streams, outbox, operatorAudit, "services/wallet/migrations"],
  payment: [
    streams,
    outbox,
    operatorAudit,
    "services/payment/migrations",
    ...providers.flatMap(({ migrations = [] }) => migrations),
  ],
  notification: [streams],
} as const;
