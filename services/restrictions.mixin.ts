import type { Context, Service, ServiceBroker } from "moleculer";
import { fail } from "../broker/failure.ts";
import { limits } from "../config/limits.ts";
import { addHealthCheck, Degraded, type HealthState } from "../mixins/health.mixin.ts";
import { type BroadcastEvents, call } from "./contracts.ts";
import { RestrictionCopy } from "./restriction-copy.ts";
import { RowFeed } from "./row-feed.ts";
import type { RestrictionFact } from "./user/restrictions.contract.ts";

/** Mutes and bans as this node knows them. */
export interface RestrictionsState {
  restrictions: RestrictionCopy;
  /** Fails: unavailable, while this node has not read the restrictions once. */
  requireRestrictions(): void;
}

interface Internals extends RestrictionsState {
  restrictionFeed?: RowFeed<RestrictionFact>;
}

const heldGauge = {
  name: "ovation.restrictions.held",
  description: "Mutes and bans in the memory of a node",
} as const;

const ofBroker = new WeakMap<ServiceBroker, RestrictionsState>();

/** The copy of this node. Fails: unavailable, while this node has not read the restrictions once. */
export function restrictionsAt(broker: ServiceBroker): RestrictionCopy {
  const { restrictions, requireRestrictions } = ofBroker.get(broker) as RestrictionsState;
  requireRestrictions();
  return restrictions;
}

/**
 * Adds `restrictions`: who is muted and who is banned, in force within a second. Until everything was read once the node
 * is not ready, and its users are to be refused (`requireRestrictions`): else who is banned would come in at each start.
 * After that the copy is used however old it is: that somebody who was banned meanwhile chats for some seconds does no
 * harm, and refusing everybody would (decision 0077).
 */
export const restrictionsMixin = {
  events: {
    "user.restrictions-changed": {
      handler(this: Service & Internals, { params }: Context<BroadcastEvents["user.restrictions-changed"]>) {
        for (const fact of params.list) this.restrictions.apply(fact);
      },
    },
    "$services.changed": {
      handler(this: Service & Internals) {
        this.restrictionFeed?.wake();
      },
    },
  },

  created(this: Service & Internals) {
    this.restrictions = new RestrictionCopy();
    this.requireRestrictions = () => {
      if (this.restrictionFeed?.hasBeenRead) return;
      // A gift that is refused so was not looked up: it may be a repeat.
      throw fail("unavailable", { cause: "mutes and bans are not read yet", beforeLookup: true });
    };
    ofBroker.set(this.broker, this);
  },

  started(this: Service & Internals & HealthState) {
    const { broker, restrictions: copy, logger: log } = this;
    broker.metrics.register({ type: "gauge", ...heldGauge });
    const options = { timeout: limits.user.feedCallMs, tracking: false } as const;
    const feed = new RowFeed<RestrictionFact>({
      what: "mutes and bans",
      whileAway: "those that are known stay in force",
      async page(place) {
        const page = await call(broker, "user.restrictionsSince", place, options);
        copy.setClock(page.now);
        return page;
      },
      add: (fact) => copy.apply(fact),
      all: { begin: () => copy.beginAll(), end: () => copy.endAll() },
      dropExpired: (nowMs) => copy.dropExpired(nowMs),
      read: () => broker.metrics.set(heldGauge.name, copy.size),
      log,
    });
    this.restrictionFeed = feed;
    addHealthCheck(this, "restrictions", async () => {
      if (!feed.hasBeenRead) throw new Error("mutes and bans are not read yet: nobody is let in");
      if (!feed.isCurrent) throw new Degraded(`the copy of mutes and bans is ${feed.age}: newer ones are not in force`);
    });
  },

  async stopped(this: Service & Internals) {
    await this.restrictionFeed?.stop();
  },
};
