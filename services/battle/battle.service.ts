import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { watchClock } from "../../mixins/clock/watch-clock.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { checkedAnyway, onEvent } from "../durable-event.ts";
import { battleStream, eventStream } from "../streams.ts";
import { battleActions } from "./battle.contract.ts";
import { type BattleParts, usualSettings } from "./battle-service.ts";
import { battleById, battlesById, endedAfter, newestOfRoom, startedOf } from "./battle-store.ts";
import { BattleViews } from "./battle-views.ts";
import { BattleClock } from "./clock.ts";
import { keepDeadGifts } from "./dead-letters.ts";
import { accountFrozen, roomClosed } from "./departures.ts";
import { keepBattleGauges } from "./gauges.ts";
import { join, leave } from "./guests.ts";
import { accept, cancel, decline, end, invite } from "./invitations.ts";
import { LiveScores, liveScoreEvents } from "./live-scores.ts";
import { BattleScheduler } from "./scheduler.ts";
import { openBattleIdsOfRooms } from "./slot-store.ts";
import { verify } from "./verification.ts";

interface State extends BattleParts {
  battleGauges: BackgroundLoop;
  jetstreamClock: BackgroundLoop;
}

const { eventsInFlight: inFlight } = limits.battle;

export default defineService<"battle", State>({
  name: "battle",
  contract: battleActions,
  settings: { ...usualSettings },
  mixins: [
    mysqlMixin("battle", migrationFolders.battle),
    jetstreamMixin([battleStream, eventStream]),
    outboxMixin,
    healthMixin,
  ],

  actions: {
    invite: {
      handler(ctx) {
        return invite(this, ctx.params);
      },
    },
    accept: {
      handler(ctx) {
        return accept(this, ctx.params);
      },
    },
    decline: {
      handler(ctx) {
        return decline(this, ctx.params);
      },
    },
    cancel: {
      handler(ctx) {
        return cancel(this, ctx.params);
      },
    },
    end: {
      handler(ctx) {
        return end(this, ctx.params);
      },
    },
    join: {
      handler(ctx) {
        return join(this, ctx.params);
      },
    },
    leave: {
      handler(ctx) {
        return leave(this, ctx.params);
      },
    },
    show: {
      async handler(ctx) {
        const { battleId, roomId } = ctx.params;
        if (battleId === undefined && roomId === undefined) throw fail("invalidParam", { field: "battleId" });
        const battle =
          battleId === undefined
            ? await newestOfRoom(this.mysql, roomId as number)
            : await battleById(this.mysql, battleId);
        if (!battle) throw fail("battleUnknown", { battleId, roomId });
        return this.views.one(battle);
      },
    },
    history: {
      async handler(ctx) {
        const { userId, cursor: before, limit } = ctx.params;
        // One more shows whether there is another page.
        const found = await startedOf(this.mysql, { userId, before, limit: limit + 1 });
        const list = await this.views.of(found.slice(0, limit));
        return { list, nextCursor: found.length > limit ? (list.at(-1)?.battleId ?? null) : null };
      },
    },
    ofRooms: {
      async handler(ctx) {
        const open = await openBattleIdsOfRooms(this.mysql, ctx.params.roomIds);
        const battles = await battlesById(this.mysql, [...new Set(open.map(({ battleId }) => battleId))]);
        const views = new Map((await this.views.of(battles)).map((view) => [view.battleId, view]));
        return {
          rooms: open.flatMap(({ roomId, battleId }) => {
            const battle = views.get(battleId);
            return battle ? [{ roomId, battle }] : [];
          }),
        };
      },
    },
    ended: {
      async handler(ctx) {
        const { since, after = "0", limit } = ctx.params;
        const found = await endedAfter(this.mysql, { since: new Date(since ?? 0), after, limit });
        return {
          list: await this.views.of(found),
          nextAfter: found.length === limit ? (found.at(-1)?.id ?? null) : null,
        };
      },
    },
    verify: {
      handler(ctx) {
        return verify(this, ctx.params.battleIds);
      },
    },
  },

  channels: {
    liveScores: liveScoreEvents,
    /** A dead letter whose event is lost is named by `npm run battles -- verify` once it is replayed. */
    deadLetters: onEvent("gift.deadLettered", keepDeadGifts, { inFlight, fromBooks: checkedAnyway }),
    roomClosed: onEvent("room.closed", roomClosed, { inFlight, fromBooks: checkedAnyway }),
    accountFrozen: onEvent("account.frozen", accountFrozen, { inFlight, fromBooks: checkedAnyway }),
  },

  async started() {
    this.clock = new BattleClock(this.jetstream);
    await this.clock.read();
    this.views = new BattleViews(this);
    this.live = new LiveScores(this);
    this.scheduler = new BattleScheduler(this);
    this.battleGauges = keepBattleGauges(this);
    this.jetstreamClock = watchClock(this, "nats", async () => (this.clock.skew ? [this.clock.skew] : []));
  },

  async stopped() {
    await Promise.all([this.battleGauges?.stop(), this.jetstreamClock?.stop()]);
    await this.scheduler?.stop();
    await this.live?.stop();
  },
});
