import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { broadcast } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { erasureActions as contract } from "../erasure.contract.ts";
import type { TokenKeys } from "../token-keys.ts";
import { announceRevocations } from "./announcement.ts";
import { erasePerson } from "./erasure.ts";
import { announce } from "./restriction-actions.ts";

/** The erasure of a user. Nothing here keeps it from being done. */
export const erasureActions: ActionDefinitions<
  Service & MysqlState & OutboxState & { tokenKeys: TokenKeys },
  Pick<typeof contract, "eraseUser">
> = {
  eraseUser: {
    async handler(ctx) {
      const { userId } = ctx.params;
      const { revocation, ban } = await erasePerson(this, this.tokenKeys, { userId, requestId: ctx.requestID });
      // Gateways believe no broadcast of the far future: the row has the rest.
      const issuedUntil = revocation.expiresAt - limits.user.tokenTtlMs;
      await announceRevocations(this, [{ ...revocation, issuedUntil }]);
      await announce(this, ban ? [ban] : []);
      try {
        await broadcast(this.broker, "user.erased", { userId });
      } catch (err) {
        this.logger.warn({ err, userId }, "an erasure was not broadcast: nodes forget the names by themselves");
      }
      this.logger.info({ userId, requestId: ctx.requestID }, "a user is erased");
      return { obstacles: [] };
    },
  },
};
