import { randomUUID } from "node:crypto";
import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { frameBytes, type UnnumberedFrame } from "../im-frames.ts";
import { appendTo, type FramesByNode, type NodeCalls } from "./node-calls.ts";
import type { NumberedFrame, RoomNumbers } from "./room-numbers.ts";
import { limitPerRoom, RoomTick } from "./room-tick.ts";

interface Waiting {
  tick: RoomTick;
  /** Settles once everything of the tick was handed to the nodes. */
  handedOver: Promise<void>;
  close(): void;
  timer: NodeJS.Timeout;
}

/** A frame, and the tick whose callers wait until all of its frames were handed to the nodes. */
interface Queued extends UnnumberedFrame {
  origin: { left: number; resolve(): void; reject(error: unknown): void };
}

/**
 * Gathers what is for rooms during a tick, has it numbered, and hands it to the nodes that hold members. Ticks end at
 * least `limits.im.roomTickMs` apart; the first one after a pause is short, so that a single gift is seen at once. Ticks
 * are numbered one after the other; while one is being handed over the next one gathers.
 */
export class RoomSender {
  private readonly numbers: RoomNumbers;
  private readonly nodes: NodeCalls;
  private readonly log: Service["logger"];
  private waiting: Waiting | undefined;
  private numbering: Promise<unknown> = Promise.resolve();
  private readonly handingOver = new Set<Promise<void>>();
  private pending = 0;
  /** When the last tick ended, ms of `performance.now()`. */
  private endedAt = Number.NEGATIVE_INFINITY;
  /** Until when Redis is not tried again, ms; 0 while it answers. */
  private aloneUntil = 0;

  constructor(numbers: RoomNumbers, nodes: NodeCalls, log: Service["logger"]) {
    this.numbers = numbers;
    this.nodes = nodes;
    this.log = log;
  }

  /**
   * Resolves once what `add` put into the tick was handed to the nodes, which takes several ticks where it is more than
   * `limits.im.roomTickBytes` of a room. Fails: unavailable, where too much waits.
   */
  async send(add: (tick: RoomTick) => void): Promise<void> {
    if (this.pending >= limits.im.pendingRoomGifts)
      throw fail("unavailable", { what: "room gifts", waiting: this.pending });
    this.waiting ??= this.open();
    const { tick, handedOver } = this.waiting;
    const before = tick.size;
    add(tick);
    this.pending += tick.size - before;
    await handedOver;
  }

  /** Sends what waits now instead of at the end of its tick, and resolves once all is handed over. */
  async flush(): Promise<void> {
    while (this.waiting) this.waiting.close();
    await Promise.allSettled(this.handingOver);
  }

  /** `carried`: frames of earlier ticks, which go first. */
  private open(carried: readonly Queued[] = []): Waiting {
    const tick = new RoomTick(randomUUID);
    const { promise: handedOver, resolve, reject } = Promise.withResolvers<void>();
    const done = () => {
      this.pending -= tick.size;
    };
    handedOver.then(done, done);
    const close = () => {
      clearTimeout(this.waiting?.timer);
      this.endedAt = performance.now();
      const { giftsPerFrame: orders, roomFrameBytes: bytes, roomTickBytes } = limits.im;
      const frames = tick.frames({ orders, bytes });
      const origin = { left: frames.length, resolve, reject };
      if (frames.length === 0) resolve();
      const { now, later } = limitPerRoom(
        [...carried, ...frames.map((frame) => ({ ...frame, origin }))],
        roomTickBytes,
      );
      this.waiting = later.length > 0 ? this.open(later) : undefined;
      const handing = this.handOver(now).then(
        () => {
          for (const { origin } of now) if (--origin.left === 0) origin.resolve();
        },
        (error) => {
          for (const { origin } of now) origin.reject(error);
        },
      );
      this.handingOver.add(handing);
      void handing.then(() => this.handingOver.delete(handing));
    };
    const { roomTickMs, roomTickLeadMs } = limits.im;
    const gatherMs = Math.max(roomTickLeadMs, this.endedAt + roomTickMs - performance.now());
    return { tick, handedOver, close, timer: setTimeout(close, gatherMs) };
  }

  private async handOver(frames: readonly UnnumberedFrame[]): Promise<void> {
    const bounds = { count: limits.im.framesPerScript, bytes: limits.im.scriptBytes, bytesOf: frameBytes };
    const parts = cutList(frames, bounds, ({ roomId, head }, bytes) =>
      this.log.error({ roomId, bytes, frame: head.slice(0, 200) }, "a room frame is too large for Redis: not sent"),
    );
    const numbered = this.numbering.then(async () => {
      const done: NumberedFrame[] = [];
      for (const part of parts) done.push(...(await this.numberOrAlone(part)));
      return done;
    });
    this.numbering = numbered.then(
      () => undefined,
      () => undefined, // The waiters of this tick are told; the next tick is none of its business.
    );
    await this.nodes.deliver(await this.byNode(await numbered));
  }

  private async numberOrAlone(frames: UnnumberedFrame[]): Promise<NumberedFrame[]> {
    if (Date.now() < this.aloneUntil) return this.numbers.numberAlone(frames);
    try {
      const numbered = await this.numbers.number(frames);
      if (this.aloneUntil > 0) this.log.info("room frames are numbered in Redis again");
      this.aloneUntil = 0;
      return numbered;
    } catch (error) {
      if (this.aloneUntil === 0)
        this.log.error({ err: error }, "room frames cannot be numbered in Redis: they go to every node, kept nowhere");
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
