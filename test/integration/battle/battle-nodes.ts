/** Nodes for the tests of battles: real battle nodes, and neighbours whose answers the tests decide. */
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { type JetStreamState, jetstreamMixin } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { BattleView } from "../../../services/battle/battle.contract.ts";
import battle from "../../../services/battle/battle.service.ts";
import type { BattleSettings } from "../../../services/battle/battle-service.ts";
import { BattleClock } from "../../../services/battle/clock.ts";
import { call, type DurableEventName, type DurableEvents } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import { battleStream, eventStream } from "../../../services/streams.ts";
import { eventually, startNode } from "../../support/system.ts";

/** Longer than a test takes: tests change times in the database instead of waiting. */
export const settings: Partial<BattleSettings> = {
  ...{ inviteMs: 30_000, awayMs: 60_000, roundMs: 50, leaseMs: 1_500, attendanceEveryMs: 100, attendanceGapMs: 10_000 },
  forgetEveryMs: 100,
};

interface Params {
  roomId: number;
  roomIds: number[];
  userId: string;
  userIds: string[];
  guestId: string;
  battleId: string;
}
type Ctx<P = Params> = { params: P };

export interface Frame {
  kind: "state" | "scores";
  battleId: string;
  rooms: number[];
  msgId?: string;
  data?: BattleView;
  scores?: { userId: string; score: number }[];
}

interface GiftOf {
  roomId: number;
  receiverId: string;
  senderId?: string;
  coins?: number;
  /** JetStream's time, ms. */
  time: number;
}

/** What the neighbours answer. */
export class World {
  readonly rooms = new Map<number, { anchorId: string; type: number }>();
  readonly unusable = new Set<string>();
  /** By user: the room in which she is connected. */
  readonly presence = new Map<string, number>();
  readonly guests = new Map<number, { guestId: string; battleId: string }>();
  readonly frames: Frame[] = [];
  presenceKnown = true;
  presenceEpoch = "1";
  settled = true;
  routerAway = false;
  linking: "allowed" | "refused" = "allowed";
  /** Whether every im-server answers who is asked for certain. */
  certainty = true;
  /** The gift records: gifts that succeeded. */
  readonly records: SettledGift[] = [];
  private ids = 0;
  private gift: (Service & JetStreamState) | undefined;
  clock: BattleClock | undefined;

  room(type = 1): { roomId: number; userId: string } {
    const roomId = 7_000 + ++this.ids;
    const userId = String(372_345_678_900_000_000n + BigInt(roomId));
    this.rooms.set(roomId, { anchorId: userId, type });
    this.presence.set(userId, roomId);
    return { roomId, userId };
  }

  giftOf({ roomId, receiverId, senderId = "11", coins = 10, time }: GiftOf): SettledGift {
    const id = ++this.ids;
    return {
      ...{ orderId: `order-${id}`, recordId: String(id), status: "succeeded", senderId, receiverId, roomId },
      ...{ giftId: 1, count: 1, price: coins, income: 0, incomePoints: 0, type: 0, url: "" },
      time: new Date(time).toISOString(),
    };
  }

  /** Records gifts and publishes their event, each time as another message. */
  async settle(...gifts: SettledGift[]): Promise<void> {
    for (const gift of gifts) if (!this.records.includes(gift)) this.records.push(gift);
    await this.publish("gift.settled", { gifts });
  }

  async deadLetter(gift: SettledGift): Promise<void> {
    const { orderId, senderId, receiverId, roomId, giftId, count, price, time } = gift;
    await this.publish("gift.deadLettered", {
      gifts: [{ orderId, senderId, receiverId, roomId, giftId, count, price, time }],
    });
  }

  async publish<N extends DurableEventName>(name: N, data: DurableEvents[N]): Promise<void> {
    const { subject, msgId, payload } = durableEvent(name, `test-${++this.ids}`, data);
    await this.gift?.jetstream.publish(subject, payload, { msgId });
  }

  schemas(): ServiceSchema[] {
    const world = this;
    const living = {
      find({ params: { roomId } }: Ctx) {
        const room = world.rooms.get(roomId);
        return room ? { roomId, ...room, roomName: "r" } : null;
      },
      anchorsOf: ({ params: { roomIds } }: Ctx) => ({
        list: roomIds.flatMap((roomId) => {
          const room = world.rooms.get(roomId);
          return room ? [{ roomId, anchorId: room.anchorId }] : [];
        }),
      }),
      linkGuest({ params: { roomId, guestId, battleId } }: Ctx) {
        const linked = world.guests.get(roomId);
        if ((linked && linked.battleId !== battleId) || world.linking === "refused") throw fail("alreadyLinked", {});
        world.guests.set(roomId, { guestId, battleId });
        return null;
      },
      unlinkGuest({ params: { roomId, battleId } }: Ctx) {
        if (world.guests.get(roomId)?.battleId === battleId) world.guests.delete(roomId);
        return null;
      },
    };
    const router = {
      battleState({ params }: Ctx<{ rooms: number[]; msgId: string; data: BattleView }>) {
        if (world.routerAway) throw fail("unavailable", {});
        world.frames.push({ kind: "state", battleId: params.data.battleId, ...params });
        return null;
      },
      battleScores({ params }: Ctx<{ battles: { battleId: string; roomIds: number[]; scores: Frame["scores"] }[] }>) {
        for (const { battleId, roomIds, scores } of params.battles)
          world.frames.push({ kind: "scores", battleId, rooms: roomIds, scores });
        return { tickEndsInMs: 0 };
      },
      attendance({ params }: Ctx<{ rooms: { roomId: number; anchorId: string }[]; certain: boolean }>) {
        if (!world.presenceKnown) return { known: false };
        const rooms = params.rooms.map(({ roomId, anchorId }) => {
          const here = world.presence.get(anchorId) === roomId;
          return { roomId, members: 1, anchor: params.certain && !world.certainty && !here ? null : here };
        });
        return { known: true, epoch: world.presenceEpoch, rooms };
      },
    };
    const gift = {
      settledBefore: () => ({ settled: world.settled, oldest: null }),
      totals: ({ params }: Ctx<Parameters<World["totals"]>[0]>) => world.totals(params),
      settledSince: () => ({ gifts: [], nextCursor: null, until: "0" }),
    };
    return [
      { name: "living-room", actions: living },
      { name: "im-router", actions: router },
      {
        name: "user",
        actions: {
          profiles: ({ params: { userIds } }: Ctx) => ({
            list: userIds.map((userId) => ({ userId, nickName: `n${userId}`, avatar: "a" })),
          }),
        },
      },
      {
        name: "wallet",
        actions: {
          unusableOf: ({ params: { userIds } }: Ctx) => ({ userIds: userIds.filter((id) => world.unusable.has(id)) }),
        },
      },
      {
        name: "gift",
        mixins: [jetstreamMixin([eventStream, battleStream])],
        actions: gift,
        async started(this: Service & JetStreamState) {
          world.gift = this;
          world.clock = new BattleClock(this.jetstream);
        },
      },
    ] as unknown as ServiceSchema[];
  }

  totals({
    sides,
    from,
    until,
    without = [],
    topSenders = true,
  }: {
    sides: { roomId: number; receiverId: string }[];
    from: string;
    until: string;
    without?: string[];
    topSenders?: boolean;
  }) {
    const ofSide = ({ roomId, receiverId }: { roomId: number; receiverId: string }) =>
      this.records.filter(
        (one) => one.roomId === roomId && one.receiverId === receiverId && one.time >= from && one.time < until,
      );
    const leftOut = sides.flatMap((side) =>
      ofSide(side).flatMap(({ orderId }) => (without.includes(orderId) ? [orderId] : [])),
    );
    const totals = sides.map((side) => {
      const own = ofSide(side).filter(({ orderId }) => !without.includes(orderId));
      const coins = ({ count, price }: SettledGift) => count * price;
      const bySender = [...Map.groupBy(own, ({ senderId }) => senderId)].map(([userId, gifts]) => ({
        ...{ userId, coins: gifts.reduce((sum, one) => sum + coins(one), 0) },
      }));
      return {
        score: own.reduce((sum, one) => sum + coins(one), 0),
        gifts: own.length,
        topSenders: topSenders ? bySender.sort((a, b) => b.coins - a.coins).slice(0, 3) : [],
      };
    });
    return { sides: totals, leftOut };
  }
}

export function startBattles(label: string, changes: Partial<BattleSettings> = {}): Promise<ServiceBroker> {
  return startNode(label, [
    { ...battle, settings: { ...battle.settings, ...settings, ...changes } as ServiceSchema["settings"] },
  ]);
}

export const battleDatabase = () => new Database(databaseName("battle"));

export const excludedShown = limits.battle.excludedShown;

/** A battle as the service shows it. */
export const shown = (caller: ServiceBroker, battleId: string): Promise<BattleView> =>
  call(caller, "battle.show", { battleId });

export function inState(caller: ServiceBroker, battleId: string, state: BattleView["state"]): Promise<BattleView> {
  return eventually(`battle ${battleId} is ${state}`, async () => {
    const view = await shown(caller, battleId);
    return view.state === state ? view : undefined;
  });
}
