import { fail, isUnavailable } from "../../broker/failure.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { type OutboxState, outboxMixin } from "../../mixins/outbox.mixin.ts";
import { type RedisState, redisMixin } from "../../mixins/redis.mixin.ts";
import { retentionLoop } from "../../mixins/retention/retention-loop.ts";
import { call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { requireSettings, userSettings } from "../door-settings.ts";
import { eventStream } from "../streams.ts";
import { type TokenKeys, tokenKeys } from "../token-keys.ts";
import { announceRevocations } from "./announcement.ts";
import { erasureActions } from "./erasure-actions.ts";
import { sessionPurge } from "./expired-sessions.ts";
import { type ExternalState, externalActions } from "./external-actions.ts";
import { keptCodes } from "./kept-codes.ts";
import { codeHash, keepCode, newLoginCode, tryCode } from "./login-codes.ts";
import { loginFailure, maskedPhone, phoneFailure } from "./login-form.ts";
import { ExternalRegistration, findOrRegister } from "./registration.ts";
import { restrictionActions } from "./restriction-actions.ts";
import { revocationsFrom } from "./session-store.ts";
import { endAllSessions, endSession, openSession, requireOfItsTime, revocableClaims } from "./sessions.ts";
import { type CountedSms, SmsBudget } from "./sms-budget.ts";
import { staffActions } from "./staff-actions.ts";
import { wasNotSent, withdrawCode } from "./unsent-codes.ts";
import { type Revocation, userActions } from "./user.contract.ts";
import { profileOf, profilesOf } from "./user-store.ts";

interface State extends MysqlState, RedisState, JetStreamState, OutboxState, ExternalState {
  tokenKeys: TokenKeys;
  purge?: LeasedLoop;
  retention?: LeasedLoop;
  smsBudget: SmsBudget;
}

export default defineService<"user", State>({
  name: "user",
  contract: userActions,
  mixins: [
    mysqlMixin("user", migrationFolders.user),
    redisMixin,
    jetstreamMixin([eventStream]),
    outboxMixin,
    healthMixin,
  ],

  actions: {
    sendLoginCode: {
      async handler(ctx) {
        const { phone, address } = ctx.params;
        const malformed = phoneFailure(phone);
        if (malformed) throw fail(malformed);
        const code = newLoginCode();
        const hash = codeHash(this.tokenKeys, phone, code);
        if (!(await keepCode(this.redis, this.tokenKeys, { phone, hash, address }))) throw fail("smsTooOften");
        let counted: CountedSms | undefined;
        try {
          // The row is written before the SMS is sent: after that nothing may fail, or a code that arrives is invalid.
          counted = await this.smsBudget.count({ phone, hash, address });
          const { shownToCaller } = await call(ctx, "notification.sendLoginCode", { phone, code });
          this.smsBudget.sent();
          return shownToCaller ? { devCode: code } : {};
        } catch (error) {
          const about = { phone: maskedPhone(phone), err: error };
          const unsure = counted !== undefined && !wasNotSent(error);
          if (unsure) this.logger.warn(about, "a login code may have been sent: it stays valid, and counts as sent");
          else {
            this.logger.warn(about, "a login code could not be sent: it is removed");
            await withdrawCode(this, { phone, address, code }, counted);
          }
          throw isUnavailable(error) ? fail("unavailable", { what: "login code", mayHaveHappened: unsure }) : error;
        }
      },
    },

    login: {
      async handler(ctx) {
        const { phone, code } = ctx.params;
        const malformed = loginFailure(phone, code);
        if (malformed) throw fail(malformed);
        const redeemed = await tryCode(this, this.tokenKeys, ctx.params);
        if (redeemed !== "passed") throw fail(redeemed === "wrong" ? "smsCodeWrong" : "smsCodeExpired");
        const { userId, registered } = await findOrRegister(this, phone, ctx.requestID);
        const { token, ended } = await openSession(this.mysql, this.tokenKeys.signing, userId);
        await announceRevocations(this, ended);
        this.logger.info({ userId, registered, ended: ended.length, requestId: ctx.requestID }, "logged in");
        return { userId, token };
      },
    },

    logout: {
      async handler(ctx) {
        const claims = revocableClaims(this.tokenKeys.all, ctx.params.token, Date.now());
        if (!claims) return null;
        const ended = await endSession(this.mysql, claims);
        await announceRevocations(this, ended);
        return ended[0] ?? null;
      },
    },

    revokeLogin: {
      async handler(ctx) {
        requireOfItsTime(ctx.params, Date.now());
        const ended = await endSession(this.mysql, ctx.params);
        await announceRevocations(this, ended);
        return ended[0] as Revocation;
      },
    },

    logoutAll: {
      async handler(ctx) {
        const { userId } = ctx.params;
        const ended = await endAllSessions(this.mysql, userId);
        await announceRevocations(this, ended);
        this.logger.info({ userId, requestId: ctx.requestID }, "all tokens of the user are revoked");
        return ended[0] as Revocation;
      },
    },

    revocations: {
      async handler(ctx) {
        // A server that is no longer the primary would answer with old rows.
        await this.mysql.requirePrimary();
        return revocationsFrom(this.mysql, ctx.params);
      },
    },

    ...erasureActions,
    ...externalActions,
    ...staffActions,
    ...restrictionActions,

    profile: {
      async handler(ctx) {
        const profile = await profileOf(this.mysql, ctx.params.userId);
        if (!profile) throw fail("userUnknown", { userId: ctx.params.userId });
        return profile;
      },
    },

    profiles: {
      async handler(ctx) {
        return { list: await profilesOf(this.mysql, ctx.params.userIds) };
      },
    },
  },

  created() {
    requireSettings(userSettings);
    this.tokenKeys = tokenKeys();
  },

  started() {
    this.smsBudget = new SmsBudget(this);
    this.externalRegistration = new ExternalRegistration(this);
    this.purge = sessionPurge(this);
    this.retention = retentionLoop(this, [keptCodes]);
  },

  async stopped() {
    await Promise.all([this.purge?.stop(), this.retention?.stop()]);
  },
});
