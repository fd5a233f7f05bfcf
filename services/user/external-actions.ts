import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { externalOfUsers, usersOfExternal } from "./external-user-store.ts";
import type { ExternalRegistration } from "./registration.ts";
import type { userActions } from "./user.contract.ts";

export interface ExternalState extends MysqlState {
  externalRegistration: ExternalRegistration;
}

type ExternalActions = Pick<typeof userActions, "ofExternal" | "idsOfExternal" | "externalIdsOf">;

/** The actions about the platform's users by their ids there. */
export const externalActions: ActionDefinitions<Service & ExternalState, ExternalActions> = {
  ofExternal: {
    async handler(ctx) {
      const found = await this.externalRegistration.of(ctx.params, ctx.requestID);
      const { externalId } = ctx.params;
      if (found.created)
        this.logger.info({ ...found, externalId, requestId: ctx.requestID }, "a user of the platform is registered");
      return found;
    },
  },

  idsOfExternal: {
    async handler(ctx) {
      return { list: await usersOfExternal(this.mysql, ctx.params.externalIds) };
    },
  },

  externalIdsOf: {
    async handler(ctx) {
      return { list: await externalOfUsers(this.mysql, ctx.params.userIds) };
    },
  },
};
