import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { broadcast } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { pageOfRestrictions, restrictionsFrom } from "./restriction-store.ts";
import type { restrictionActions as contract, Restriction } from "./restrictions.contract.ts";
import { bannedAmong, factOf, liftById, muteInRoom, placeOnce, requireFree, unmuteInRoom } from "./restrictions.ts";

type State = Service & MysqlState & OutboxState;

/** Broadcasts restrictions. A node that does not receive them reads their rows. */
export async function announce({ broker, logger }: Service, list: readonly Restriction[]): Promise<void> {
  if (list.length === 0) return;
  try {
    await broadcast(broker, "user.restrictions-changed", { list: list.map(factOf) });
  } catch (error) {
    const about = { restrictionId: list[0]?.restrictionId, userId: list[0]?.userId, err: error };
    logger.warn(about, "a restriction was not broadcast: nodes read it within a second");
  }
}

/** The actions about mutes and bans. */
export const restrictionActions: ActionDefinitions<State, typeof contract> = {
  restrict: {
    async handler(ctx) {
      const { userId, kind, roomId = null, until, reason, writeId = null, operator: by } = ctx.params;
      const end = until === undefined ? null : Date.parse(until);
      const about = { userId, kind, roomId, until: end, reason, by, writeId, requestId: ctx.requestID };
      const placed = await placeOnce(this, about);
      await announce(this, [placed]);
      this.logger.info({ ...placed, requestId: ctx.requestID }, "a user is restricted");
      return placed;
    },
  },

  liftRestriction: {
    async handler(ctx) {
      const { restrictionId, reason, operator: by } = ctx.params;
      const lifted = await liftById(this, { restrictionId, reason, by }, ctx.requestID);
      // Also in a repeat: the broadcast of the first call may be lost.
      await announce(this, [lifted]);
      this.logger.info({ restrictionId, by, requestId: ctx.requestID }, "a restriction is lifted");
      return lifted;
    },
  },

  restrictions: {
    handler(ctx) {
      return pageOfRestrictions(this.mysql, ctx.params);
    },
  },

  muteInRoom: {
    async handler(ctx) {
      const placed = await muteInRoom(this, { ...ctx.params, requestId: ctx.requestID });
      await announce(this, [placed]);
      return placed;
    },
  },

  unmuteInRoom: {
    async handler(ctx) {
      const lifted = await unmuteInRoom(this, { ...ctx.params, requestId: ctx.requestID });
      await announce(this, lifted);
      return { lifted: lifted.length };
    },
  },

  requireUnrestricted: {
    async handler(ctx) {
      await requireFree(this.mysql, ctx.params.userId, ctx.params.roomId);
      return null;
    },
  },

  bannedAmong: {
    async handler(ctx) {
      return { userIds: await bannedAmong(this.mysql, ctx.params.userIds) };
    },
  },

  restrictionsSince: {
    async handler(ctx) {
      // A server that is no longer the primary would answer with old rows.
      await this.mysql.requirePrimary();
      return restrictionsFrom(this.mysql, ctx.params);
    },
  },
};
