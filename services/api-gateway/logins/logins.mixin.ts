import type { Context, Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { addHealthCheck, type HealthState } from "../../../mixins/health.mixin.ts";
import { type BroadcastEvents, call } from "../../contracts.ts";
import { RowFeed } from "../../row-feed.ts";
import { tokenKeys } from "../../token-keys.ts";
import type { Revocation } from "../../user/user.contract.ts";
import { externalUsers } from "../server/directory.ts";
import type { Jwks } from "./jwt-keys.ts";
import { Logins } from "./logins.ts";
import { platformLogins } from "./open-platform-logins.ts";
import type { PlatformLogins } from "./platform-logins.ts";
import { isOfItsTime, RevokedTokens } from "./revoked-tokens.ts";

export interface LoginsState {
  logins: Logins;
  revokedTokens: RevokedTokens;
}

interface Internals extends LoginsState {
  platformLogins?: PlatformLogins | undefined;
  jwks?: Jwks | undefined;
  revocations?: RowFeed<Revocation>;
}

const heldGauge = {
  name: "ovation.revocations.held",
  description: "Revoked tokens in the memory of a gateway node",
} as const;

/**
 * Adds `logins` to the gateway. The node is not ready until the copy of the revocations is read, and while it is too
 * old. It starts all the same, since the user service may start later.
 */
export const loginsMixin = {
  events: {
    "user.tokens-revoked": {
      handler(this: Service & Internals, { params, nodeID }: Context<BroadcastEvents["user.tokens-revoked"]>) {
        const now = Date.now();
        const believed = params.list.filter((revocation) => isOfItsTime(revocation, now));
        for (const revocation of believed) this.revokedTokens.add(revocation);
        const ignored = params.list.length - believed.length;
        if (ignored > 0)
          this.logger.warn(
            { ignored, nodeId: nodeID },
            "broadcast revocations of the far future are ignored; genuine ones are read from the user service",
          );
      },
    },
    "user.erased": {
      handler(this: Service & Internals, { params }: Context<BroadcastEvents["user.erased"]>) {
        this.platformLogins?.forgetUser(params.userId);
        externalUsers(this.broker).forgetUser(params.userId);
      },
    },
    "$services.changed": {
      handler(this: Service & Internals) {
        this.revocations?.wake();
      },
    },
  },

  created(this: Service & Internals) {
    // Throws without keys. They are not in the service's settings, which other nodes can read.
    const keys = tokenKeys();
    this.revokedTokens = new RevokedTokens();
    const isCurrent = () => this.revocations?.isCurrent ?? false;
    const platform = platformLogins(this);
    this.jwks = platform?.jwks;
    this.platformLogins = platform?.logins;
    this.logins = new Logins({
      ...{ keys, platform: platform?.logins, revoked: this.revokedTokens, isCurrent, log: this.logger },
    });
  },

  started(this: Service & Internals & HealthState) {
    const { metrics } = this.broker;
    metrics.register({ type: "gauge", ...heldGauge });
    const options = { timeout: limits.user.feedCallMs, tracking: false } as const;
    const { revokedTokens: revoked } = this;
    const revocations = new RowFeed<Revocation>({
      what: "revoked tokens",
      whileAway: "after 10 s logged-in requests are answered 503",
      add: (row) => revoked.add(row),
      dropExpired: (nowMs) => revoked.dropExpired(nowMs),
      page: (place) => call(this.broker, "user.revocations", place, options),
      read: () => metrics.set(heldGauge.name, revoked.size),
      log: this.logger,
    });
    this.revocations = revocations;
    addHealthCheck(this, "revocations", async () => {
      if (!revocations.isCurrent)
        throw new Error(`the copy of the revoked tokens is ${revocations.age}: logged-in requests answer 503`);
    });
    const { jwks } = this;
    if (!jwks) return;
    jwks.start();
    addHealthCheck(this, "platformKeys", () => jwks.requireKeys());
  },

  async stopped(this: Service & Internals) {
    await Promise.all([this.revocations?.stop(), this.jwks?.stop()]);
  },
};
