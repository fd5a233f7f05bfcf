import type { JsMsg } from "nats";
import type { ChannelMessage, HandlingPorts } from "../../../mixins/jetstream/message.ts";
import { SomeNotHandled } from "../../../mixins/jetstream/some-not-handled.ts";

/** A message as JetStream delivers it, that notes what becomes of it. */
export class FakeMessage {
  readonly seq: number;
  readonly key: string;
  readonly data: Uint8Array;
  readonly subject = "subject";
  readonly info: { consumer: string; stream: string };
  readonly headers = undefined;
  acked = 0;
  workings = 0;
  /** The delays asked for. */
  readonly naks: number[] = [];

  constructor(seq: number, key: string, consumer = "durable", stream = "STREAM") {
    this.seq = seq;
    this.key = key;
    this.data = new TextEncoder().encode(JSON.stringify({ key }));
    this.info = { consumer, stream };
  }

  ack(): void {
    this.acked++;
  }

  nak(delayMs = 0): void {
    this.naks.push(delayMs);
  }

  working(): void {
    this.workings++;
  }

  get real(): JsMsg {
    return this as unknown as JsMsg;
  }
}

/** A call of the handler, which the test ends. */
export interface Handling {
  readonly sequences: number[];
  readonly keys: string[];
  done(): void;
  fail(error: unknown): void;
  /** Says which keys were not handled, and why. */
  failSome(why: (key: string) => unknown): void;
}

/** The channel's surroundings: handler calls wait for the test unless it says how they end. */
export class FakePorts implements HandlingPorts {
  readonly running: Handling[] = [];
  /** All calls so far, by their sequences. */
  readonly calls: number[][] = [];
  readonly dead: { sequence: number; item?: number; reason: string; forged?: string }[] = [];
  readonly log = { info: () => {}, warn: () => {}, error: () => {} };
  /** Says at once how a call ends, where it is given: by throwing, or not. */
  judge: ((sequences: number[]) => void) | undefined;
  writeDead: () => Promise<void> = () => Promise.resolve();

  handle(messages: ChannelMessage[]): Promise<void> {
    const sequences = messages.map(({ sequence }) => sequence);
    this.calls.push(sequences);
    return new Promise((resolve, reject) => {
      if (this.judge) {
        this.judge(sequences);
        return resolve();
      }
      const end = (how: () => void) => {
        this.running.splice(this.running.indexOf(one), 1);
        how();
      };
      const one: Handling = {
        ...{ sequences, keys: messages.map(({ data }) => (data as { key: string }).key) },
        done: () => end(resolve),
        fail: (error) => end(() => reject(error)),
        failSome: (why) => {
          const failed = messages.map((message) => [message, why((message.data as { key: string }).key)] as const);
          end(() => reject(new SomeNotHandled(new Map(failed.filter(([, reason]) => reason !== undefined)))));
        },
      };
      this.running.push(one);
    });
  }

  async publishDead(
    _channel: string,
    message: JsMsg,
    index: number | undefined,
    reason: string,
    forged?: string,
  ): Promise<void> {
    await this.writeDead();
    const item = index === undefined ? {} : { item: index };
    this.dead.push({ sequence: message.seq, ...item, reason, ...(forged && { forged }) });
  }
}

/** Lets everything happen that waits for no time to pass. */
export const settled = () => jest.advanceTimersByTimeAsync(0);
export const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
export const fakeTimers = () => jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] });
