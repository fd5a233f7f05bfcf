import type { Service } from "moleculer";
import { failureName, mayHaveHappened, reachedNobody } from "../../broker/failure.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import type { TokenKeys } from "../token-keys.ts";
import { redeemCode } from "./login-codes.ts";
import { maskedPhone } from "./login-form.ts";
import type { CountedSms, SmsBudget } from "./sms-budget.ts";
import { deleteSms } from "./sms-store.ts";

type WithCodes = Service & MysqlState & RedisState & { tokenKeys: TokenKeys; smsBudget: SmsBudget };

/** Whether a call to the provider's node certainly sent nothing: it reached no node, or was refused. */
export function wasNotSent(error: unknown): boolean {
  return reachedNobody(error) || (failureName(error) !== undefined && !mayHaveHappened(error));
}

/** Removes a code that was not sent, its row and its count, so that another code may be requested at once. */
export async function withdrawCode(
  service: WithCodes,
  unsent: { phone: string; address: string; code: string },
  counted: CountedSms | undefined,
): Promise<void> {
  const { phone } = unsent;
  try {
    await redeemCode(service.redis, service.tokenKeys, unsent);
  } catch (error) {
    service.logger.warn(
      { phone: maskedPhone(phone), err: error },
      "an unsent login code was not removed: it expires by itself",
    );
  }
  if (counted === undefined) return;
  try {
    await deleteSms(service.mysql, counted.smsId);
    await service.smsBudget.uncount(counted, phone);
  } catch (error) {
    const about = { smsId: counted.smsId, err: error };
    service.logger.warn(about, "the row of an unsent SMS was not removed: it stays in t_sms, and counts as sent");
  }
}
