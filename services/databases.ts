import { providers } from "./payment/providers.contract.ts";

const archive = "mixins/archive/migrations";
const streams = "mixins/jetstream/migrations";
const outbox = "mixins/outbox/migrations";
const seals = "mixins/seals/migrations";
const operatorAudit = "mixins/operator-audit/migrations";

/**
 * The services with a database, and the folders of its migrations. Each service owns its database and reads no other;
 * the auditor reads those of wallet, gift, payment, platform and staff too, and the archiver moves rows in those of wallet
 * and gift.
 */
export const migrationFolders = {
  user: [streams, outbox, "services/user/migrations"],
  "living-room": [streams, outbox, "services/living-room/migrations"],
  gift: [streams, outbox, seals, operatorAudit, archive, "services/gift/migrations"],
  wallet: [streams, outbox, seals, operatorAudit, archive, "services/wallet/migrations"],
  payment: [
    streams,
    outbox,
    seals,
    operatorAudit,
    "services/payment/migrations",
    ...providers.flatMap(({ migrations = [] }) => migrations),
  ],
  notification: [streams],
  auditor: [streams, outbox, seals, operatorAudit, "services/auditor/migrations"],
  battle: [streams, outbox, "services/battle/migrations"],
  rank: [streams, "services/rank/migrations"],
  platform: [streams, outbox, seals, operatorAudit, "services/platform/migrations"],
  webhook: [streams, outbox, "services/webhook/migrations"],
  staff: [streams, outbox, seals, operatorAudit, "services/staff/migrations"],
  archiver: [],
} as const;
