import { limits } from "../../config/limits.ts";
import type { KeptRows } from "../../mixins/retention/retention-loop.ts";
import { purgeSms } from "./sms-store.ts";

/** Login codes are kept for as long as an address that used one is known for it. */
export const keptCodes: KeptRows = {
  table: "t_sms",
  erase: (db, rows) => purgeSms(db, limits.user.smsAddressKnownDays, rows),
};
