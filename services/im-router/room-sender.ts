import { randomUUID } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { UnnumberedFrame } from "../im-frames.ts";
import type { BattleScores } from "./im-router.contract.ts";
import { appendTo, type FramesByNode, type NodeCalls } from "./node-calls.ts";
import { ChatInFlight, RoomBacklog, Share, type WaitingFrame } from "./room-backlog.ts";
import type { NumberedFrame, RoomNumbers } from "./room-numbers.ts";
import { RoomTick } from "./room-tick.ts";
import { WaitingScores } from "./waiting-scores.ts";

interface Waiting {
  tick: RoomTick;
  close(): void;
  timer: NodeJS.Timeout;
  /** When its timer ends it, ms of `performance.now()`. */
  endsAt: number;
}

/**
 * Collects the gifts and messages for rooms during a tick, has their frames numbered, and passes them to the nodes with
 * members. Ticks end at least `limits.im.roomTickMs` apart. The first tick after a pause is short, so that a single gift
 * is shown at once.
 *
 * Modes and moves of the tick:
 *   idle        `waiting` is undefined
 *     → gathering   `send`
 *   gathering   a timer runs; `send` adds to the tick
 *     → gathering   the timer ends, or `flush`: the tick's frames go into the backlog, and each room's share of bytes is
 *                   numbered and sent; frames are left, so a next tick starts
 *     → idle        the same, and no frames are left
 * Ticks are numbered one after the other, and sent while the next ones gather.
 *
 * Modes and moves of the numbering:
 *   shared      `aloneUntil` is 0: Redis numbers the frames and keeps them in the history
 *     → alone       Redis did not answer
 *   alone       this router numbers the frames; they go to every node, without a history
 *     → shared      after `limits.im.numberRetryMs`, once Redis answers again
 */
export class RoomSender {
  private readonly numbers: RoomNumbers;
  private readonly nodes: NodeCalls;
  private readonly log: Log;
  private waiting: Waiting | undefined;
  private numbering: Promise<unknown> = Promise.resolve();
  private readonly handingOver = new Set<Promise<void>>();
  /** Frames of ended ticks that are not sent yet. */
  private readonly backlog = new RoomBacklog<WaitingFrame>();
  private readonly scores = new WaitingScores(randomUUID);
  private readonly chat: ChatInFlight;
  /** Gifts and messages of ended ticks that are not passed to the nodes yet, without viewers' chat. */
  private pending = 0;
  /** When the last tick ended, ms of `performance.now()`. */
  private endedAt = Number.NEGATIVE_INFINITY;
  /** Until when Redis is not tried again, ms; 0 while it answers. */
  private aloneUntil = 0;

  constructor(numbers: RoomNumbers, nodes: NodeCalls, log: Log) {
    this.numbers = numbers;
    this.nodes = nodes;
    this.log = log;
    this.chat = new ChatInFlight(log);
  }

  /**
   * Resolves once the shares that `add` returns were passed to the nodes, without waiting for other rooms. It takes
   * several ticks where a room has more than `limits.im.roomTickBytes`. Fails: unavailable, where too much waits; and
   * as the methods of RoomTick do.
   */
  async send(add: (tick: RoomTick) => Share | Share[]): Promise<void> {
    const pending = this.pending + (this.waiting?.tick.size ?? 0);
    if (pending >= limits.im.pendingRoomGifts) throw fail("unavailable", { what: "room gifts", waiting: pending });
    this.waiting ??= this.open();
    const shares = [add(this.waiting.tick)].flat();
    await Promise.all(shares.map(({ handedOver }) => handedOver));
  }

  /**
   * The scores of battles, for the end of the tick. Nobody waits for them, and they may be lost. Returns how long the
   * tick lasts, ms.
   */
  sendScores(battles: readonly BattleScores[]): number {
    this.scores.set(battles, performance.now());
    this.waiting ??= this.open();
    return Math.max(0, Math.round(this.waiting.endsAt - performance.now()));
  }

  /** Ends the tick now, and resolves once everything was passed to the nodes. */
  async flush(): Promise<void> {
    while (this.waiting) this.waiting.close();
    await Promise.allSettled(this.handingOver);
  }

  private open(): Waiting {
    const tick = new RoomTick(randomUUID, (roomId, bytes) => this.chat.enter(roomId, bytes));
    const close = () => {
      clearTimeout(this.waiting?.timer);
      this.endedAt = performance.now();
      const { giftsPerFrame: orders, roomFrameBytes: bytes, roomTickBytes } = limits.im;
      this.backlog.add(tick.frames({ orders, bytes }));
      for (const share of tick.shares()) this.count(share);
      const now = [...this.backlog.take(roomTickBytes), ...this.scoreFrames(this.endedAt)];
      this.waiting = this.backlog.empty ? undefined : this.open();
      const handing = this.handOver(now).then(
        () => this.gone(now, (share) => share.passed()),
        (error) => this.gone(now, (share) => share.failed(error)),
      );
      this.handingOver.add(handing);
      void handing.then(() => this.handingOver.delete(handing));
    };
    const { roomTickMs, roomTickLeadMs } = limits.im;
    const gatherMs = Math.max(roomTickLeadMs, this.endedAt + roomTickMs - performance.now());
    return { tick, close, timer: setTimeout(close, gatherMs), endsAt: performance.now() + gatherMs };
  }

  private scoreFrames(now: number): WaitingFrame[] {
    const share = new Share("first");
    share.handedOver.catch(() => {}); // Nobody waits for it.
    return this.scores.take(now).map((frame) => share.frame(frame));
  }

  /** Counts the messages of an ended tick until they are passed to the nodes. Chat is counted by its bytes. */
  private count({ lane, size, handedOver }: Share): void {
    if (lane === "first") this.pending += size;
    const done = () => {
      if (lane === "first") this.pending -= size;
    };
    handedOver.then(done, done);
  }

  private gone(frames: readonly WaitingFrame[], settle: (share: Share) => void): void {
    for (const { roomId, bytes, share } of frames) {
      if (share.lane === "chat") this.chat.left(roomId, bytes);
      settle(share);
    }
  }

  private async handOver(frames: readonly WaitingFrame[]): Promise<void> {
    const { framesPerScript: count, scriptBytes } = limits.im;
    const bounds = { count, bytes: scriptBytes, bytesOf: ({ bytes }: WaitingFrame) => bytes };
    const parts = cutList(frames, bounds, ({ roomId, head }, bytes) =>
      this.log.error(
        { roomId, bytes, frame: head.slice(0, 200) },
        "a room frame is too large for Redis: it is not sent",
      ),
    );
    const numbered = this.numbering.then(async () => {
      const done: NumberedFrame[] = [];
      for (const part of parts) done.push(...(await this.numberOrAlone(part)));
      return done;
    });
    this.numbering = numbered.then(
      () => undefined,
      () => undefined, // The callers of this tick get the error; the next tick continues.
    );
    await this.nodes.deliver(await this.byNode(await numbered));
  }

  private async numberOrAlone(frames: UnnumberedFrame[]): Promise<NumberedFrame[]> {
    if (Date.now() < this.aloneUntil) return this.numbers.numberAlone(frames);
    try {
      const numbered = await this.numbers.number(frames);
      if (this.aloneUntil > 0) this.log.info({}, "room frames are numbered in Redis again");
      this.aloneUntil = 0;
      return numbered;
    } catch (error) {
      if (this.aloneUntil === 0)
        this.log.error(
          { err: error },
          "room frames cannot be numbered in Redis: they go to every node, without a history",
        );
      this.aloneUntil = Date.now() + limits.im.numberRetryMs;
      return this.numbers.numberAlone(frames);
    }
  }

  private async byNode(frames: readonly NumberedFrame[]): Promise<FramesByNode> {
    const everywhere = frames.some(({ nodes }) => nodes === undefined) ? await this.nodes.live() : [];
    const byNode: FramesByNode = new Map();
    for (const { nodes = everywhere, ...frame } of frames) for (const nodeId of nodes) appendTo(byNode, nodeId, frame);
    return byNode;
  }
}
