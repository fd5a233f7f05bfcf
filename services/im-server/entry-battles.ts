import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { BattleView } from "../battle/battle.contract.ts";
import { bizCodes, businessFrame } from "../im-frames.ts";
import type { Connection } from "./connection.ts";
import { FrameForms } from "./frame-forms.ts";

type Member = Pick<Connection, "roomId" | "anchorId" | "form" | "sendWire">;

/** The battles of rooms, as `battle.ofRooms` answers. */
export type AskBattles = (roomIds: number[]) => Promise<{ rooms: readonly { roomId: number; battle: BattleView }[] }>;

interface Answer {
  battle: BattleView;
  receivedAt: number;
  /** The frame that was sent last. */
  frame?: { forms: FrameForms; madeAt: number };
}

/** A room that somebody has entered. Times are ms of `performance.now()`. */
interface Room {
  askedAt: number;
  /** `null` where the room has no battle; `undefined` until the answer comes. */
  answer: Answer | null | undefined;
  waiting: Member[];
}

/**
 * Sends the state of a room's battle (5559) to those who enter. The entry does not wait for it, and nothing that fails
 * here reaches the entry. An answer serves all who enter the room within `limits.im.battleStateMs`; calls are at least
 * `limits.im.battleAskEveryMs` apart, one at a time, and each asks for many rooms. While the battle service is away
 * nothing is sent.
 *
 * An answer may be older than a later 5559. So `changed` is called at each 5559 to the room: the cached answer is
 * removed, and those who wait get the answer of a later call.
 */
export class EntryBattles {
  private readonly ask: AskBattles;
  private readonly newMsgId: () => string;
  private readonly log: Log;
  private readonly rooms = new Map<number, Room>();
  /** Rooms that the next calls ask for. */
  private readonly unasked = new Map<number, Room>();
  private membersWaiting = 0;
  private timer: NodeJS.Timeout | undefined;
  private asking = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private awayUntil = Number.NEGATIVE_INFINITY;
  private loggedAt = Number.NEGATIVE_INFINITY;

  constructor({ ask, newMsgId, log }: { ask: AskBattles; newMsgId: () => string; log: Log }) {
    this.ask = ask;
    this.newMsgId = newMsgId;
    this.log = log;
  }

  /** Call it once the member is greeted. */
  enter(member: Member): void {
    const now = performance.now();
    const room = this.rooms.get(member.roomId);
    if (room?.answer !== undefined && now - room.askedAt <= limits.im.battleStateMs)
      this.send(member, room.answer, now);
    else if (now >= this.awayUntil && this.membersWaiting < limits.im.battleEntrantsWaiting) {
      const open = room && room.answer === undefined ? room : this.open(member.roomId);
      open.waiting.push(member);
      this.membersWaiting++;
      this.schedule();
    }
  }

  /** Call it when the room gets a 5559. */
  changed(roomId: number): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    this.close(roomId);
    if (room.waiting.length === 0) return;
    this.open(roomId).waiting = room.waiting;
    room.waiting = [];
    this.schedule();
  }

  /** Call it when the room has no more members here: its next 5559 may not come to this node. */
  forget(roomId: number): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    this.close(roomId);
    this.membersWaiting -= room.waiting.length;
    room.waiting = [];
  }

  stop(): void {
    clearTimeout(this.timer);
    this.awayUntil = Number.POSITIVE_INFINITY;
    for (const roomId of [...this.rooms.keys()]) this.forget(roomId);
  }

  private open(roomId: number): Room {
    const room: Room = { askedAt: Number.POSITIVE_INFINITY, answer: undefined, waiting: [] };
    this.rooms.set(roomId, room);
    this.unasked.set(roomId, room);
    return room;
  }

  private close(roomId: number): void {
    this.rooms.delete(roomId);
    this.unasked.delete(roomId);
  }

  private schedule(): void {
    if (this.timer || this.asking || this.unasked.size === 0) return;
    const inMs = Math.max(0, this.askedAt + limits.im.battleAskEveryMs - performance.now());
    this.timer = setTimeout(() => void this.askNow(), inMs);
  }

  /** Never rejects. */
  private async askNow(): Promise<void> {
    this.timer = undefined;
    const asked = [...this.unasked].slice(0, limits.battle.roomsPerCall);
    this.askedAt = performance.now();
    for (const [roomId, room] of asked) {
      this.unasked.delete(roomId);
      room.askedAt = this.askedAt;
    }
    this.asking = true;
    try {
      const { rooms } = await this.ask(asked.map(([roomId]) => roomId));
      const battles = new Map(rooms.map(({ roomId, battle }) => [roomId, battle]));
      for (const [roomId, room] of asked) this.answered(room, battles.get(roomId));
    } catch (error) {
      this.away(error);
    } finally {
      this.asking = false;
    }
    this.schedule();
  }

  private answered(room: Room, battle: BattleView | undefined): void {
    const now = performance.now();
    room.answer = battle ? { battle, receivedAt: now } : null;
    for (const member of room.waiting) this.send(member, room.answer, now);
    this.membersWaiting -= room.waiting.length;
    room.waiting = [];
  }

  /** Those who wait get nothing, and nobody is asked for a while. */
  private away(error: unknown): void {
    const now = performance.now();
    this.awayUntil = now + limits.im.battleAwayMs;
    const waiting = this.membersWaiting;
    for (const roomId of [...this.rooms.keys()]) this.forget(roomId);
    if (now - this.loggedAt < limits.im.battleAwayLoggedMs) return;
    this.loggedAt = now;
    this.log.warn(
      { waiting, err: error },
      "the battle service does not answer: who enters a room gets no battle; later entries ask again",
    );
  }

  private send(member: Member, answer: Answer | null, now: number): void {
    if (!answer) return;
    if (!answer.frame || now - answer.frame.madeAt > limits.im.battleStateAgedMs)
      answer.frame = { forms: this.formsOf(member, answer, now), madeAt: now };
    member.sendWire(answer.frame.forms.wire(member.form));
  }

  /** The frame for a room's members. Clients take the time from it, so the time in it is as of now. */
  private formsOf({ roomId, anchorId }: Member, { battle, receivedAt }: Answer, now: number): FrameForms {
    const at = Date.parse(battle.serverTime) + Math.round(now - receivedAt);
    const serverTime = Number.isNaN(at) ? battle.serverTime : new Date(at).toISOString();
    const data = { roomId, ...battle, serverTime };
    const message = { msgId: this.newMsgId(), userId: "0", bizCode: bizCodes.battleState, data };
    return new FrameForms(businessFrame(message), anchorId);
  }
}
