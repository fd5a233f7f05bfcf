import { close, write as writeInThread, writeSync } from "node:fs";
import { limits } from "../config/limits.ts";
import { type Descriptor, openTarget, openTargetSync, type Target } from "./descriptor.ts";
import { type Gap, LineQueue } from "./line-queue.ts";

/** Receives one sentence when an output fails or works again; at most every `limits.log.reportEveryMs`. */
type Complain = (sentence: string) => void;

/**
 * idle -> opening | writing (in a thread) -> idle; pausing after a write that failed or wrote nothing, then idle.
 */
type Phase = "idle" | "opening" | "writing" | "pausing";

const retriable = new Set(["EAGAIN", "EWOULDBLOCK", "EINTR", "EBUSY"]);

function textOfGap({ lines, since, reason }: Gap): string {
  return `[${lines} lines are missing here, dropped since ${since.toISOString()}: ${reason}]`;
}

/**
 * Writes lines to a file or a stream without blocking the process: no method blocks or throws, except `flushSync`,
 * which waits until its deadline. While the destination accepts nothing, lines wait in memory, up to
 * `limits.log.waitingBytes`. Further lines are dropped and counted, and later one line has the number of dropped lines.
 * A file that fails is opened again every `limits.log.retryEveryMs`, with its folder.
 *
 * Files are written in a thread. Everything else (pipes, FIFOs, sockets, terminals, devices) is written without one, by
 * descriptors that do not block: a thread that is stuck in a write would keep the process from ending.
 */
export class LineOutput {
  /** Makes the line in place of dropped lines, without its line feed. */
  gapLine: (gap: Gap) => string = textOfGap;
  /** Whether the disk blocks a thread: `flushed` has waited for it, or it takes longer than `limits.log.flushAtExitMs`. */
  isStuck = false;
  private readonly target: Target;
  private readonly tell: Complain | undefined;
  private readonly queue = new LineQueue();
  private readonly lossWatchers = new Set<(lines: number) => void>();
  private phase: Phase = "idle";
  private opened: Descriptor | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** The time limit of the running opening or writing. */
  private patience: NodeJS.Timeout | undefined;
  private failure: string | undefined;
  private complainedAt = Number.NEGATIVE_INFINITY;
  private settled: (() => void)[] = [];

  constructor(target: Target, complain?: Complain) {
    this.target = target;
    this.tell = complain;
  }

  /** Its name in messages for people. */
  get name(): string {
    if ("file" in this.target) return this.target.file;
    return this.target.fd === 1 ? "standard output" : "standard error";
  }

  /** Adds one line, with its line feed. It is written with others, after `limits.log.flushEveryMs` at the latest. */
  write(line: string): void {
    this.take(line);
    if (this.queue.bytes >= limits.log.bufferBytes) this.pump();
    else this.later(limits.log.flushEveryMs);
  }

  /** Adds one line, with its line feed, and writes it at once where possible. */
  writeNow(line: string): void {
    this.take(line);
    this.pump();
  }

  /** Calls `watcher` with the number of lines that are dropped. Returns a function that ends this. */
  onLoss(watcher: (lines: number) => void): () => void {
    this.lossWatchers.add(watcher);
    return () => void this.lossWatchers.delete(watcher);
  }

  /** Resolves when no line waits or nothing more can be written, after `deadlineMs` at the latest. */
  flushed(deadlineMs: number): Promise<void> {
    this.pump();
    if (this.hasSettled) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.isStuck = this.isBusy;
        resolve();
      }, deadlineMs);
      this.settled.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** For the end of the process: writes what the destination accepts until the deadline (of Date.now()). */
  flushSync(deadline: number): void {
    if (this.isStuck || (this.queue.lines === 0 && !this.queue.hasGap)) return;
    // A chunk that a thread is writing must not be written twice.
    if (this.phase === "writing") this.queue.forgetChunk();
    this.queue.closeGap(this.gapLine);
    try {
      this.opened ??= openTargetSync(this.target);
      for (let chunk = this.queue.chunk(); chunk; chunk = this.queue.chunk())
        this.writeSync(this.opened.fd, chunk, deadline);
    } catch (error) {
      this.failure ??= isRetriable(error) ? undefined : messageOf(error);
    }
    if (this.queue.lines === 0) return;
    this.tell?.(`${this.queue.lines} lines for ${this.name} are lost at the end: ${this.trouble}`);
  }

  /** Closes the file. A later write opens it again. */
  close(): void {
    if (this.isBusy) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.phase = "idle";
    this.letGo();
  }

  private take(line: string): void {
    if (this.queue.add(line, this.trouble, this.gapLine)) return;
    for (const watcher of this.lossWatchers) watcher(1);
    this.complain(`${this.name} accepts no lines (${this.trouble})`);
  }

  /** Why the waiting lines are not written. */
  private get trouble(): string {
    return this.failure ?? (this.opened?.mayBlock === false ? "nobody reads it" : "the disk is too slow");
  }

  private get isBusy(): boolean {
    return this.phase === "writing" || this.phase === "opening";
  }

  private get hasSettled(): boolean {
    return this.phase === "idle" ? this.queue.lines === 0 : this.phase === "pausing" && this.failure !== undefined;
  }

  private pump(): void {
    if (this.phase === "idle") {
      clearTimeout(this.timer);
      this.timer = undefined;
      if (this.opened) this.writeTo(this.opened);
      else if (this.queue.lines > 0) this.open();
    }
    if (!this.hasSettled) return;
    for (const resolve of this.settled.splice(0)) resolve();
  }

  private open(): void {
    this.begin("opening");
    openTarget(this.target, (error, opened) => {
      this.done();
      this.opened = opened;
      if (error) this.failed(error);
      this.pump();
    });
  }

  private writeTo({ fd, mayBlock }: Descriptor): void {
    for (let chunk = this.queue.chunk(); chunk && this.phase === "idle"; chunk = this.queue.chunk()) {
      if (mayBlock) {
        this.begin("writing");
        writeInThread(fd, chunk, (error, bytes) => {
          this.done();
          if (error) this.failed(error);
          else this.wrote(bytes);
          this.pump();
        });
      } else {
        try {
          this.wrote(writeSync(fd, chunk));
        } catch (error) {
          this.failed(error);
        }
      }
    }
  }

  private begin(phase: "opening" | "writing"): void {
    this.phase = phase;
    const patience = setTimeout(() => {
      // Where this process itself was blocked, the thread's completion is handled before an immediate.
      setImmediate(() => {
        if (this.patience === patience) this.isStuck = true;
      });
    }, limits.log.flushAtExitMs).unref();
    this.patience = patience;
  }

  private done(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.phase = "idle";
    this.isStuck = false;
  }

  private wrote(bytes: number): void {
    this.queue.took(bytes);
    if (this.queue.hasRoom) this.queue.closeGap(this.gapLine);
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.complainedAt = Number.NEGATIVE_INFINITY;
    this.tell?.(`${this.name} can be written again`);
  }

  private failed(error: unknown): void {
    this.phase = "pausing";
    if (isRetriable(error)) {
      this.later(limits.log.againMs);
      return;
    }
    this.failure = messageOf(error);
    this.complain(`${this.name} cannot be written (${this.failure})`);
    this.letGo();
    this.later(limits.log.retryEveryMs);
  }

  private complain(what: string): void {
    const now = performance.now();
    if (now - this.complainedAt < limits.log.reportEveryMs) return;
    this.complainedAt = now;
    const mib = limits.log.waitingBytes / 1024 / 1024;
    this.tell?.(`${what}: up to ${mib} MiB of lines wait, more are dropped and counted; the node keeps working`);
  }

  /** Does not keep the process alive: waiting lines are written at its end. */
  private later(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.phase === "pausing") this.phase = "idle";
      this.pump();
    }, ms).unref();
  }

  private writeSync(fd: number, chunk: Buffer, deadline: number): void {
    try {
      this.queue.took(writeSync(fd, chunk));
    } catch (error) {
      if (!isRetriable(error) || Date.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }

  private letGo(): void {
    const fd = this.opened?.fd;
    this.opened = undefined;
    // An error of closing is ignored: the file is not needed any more.
    if (fd !== undefined && fd > 2) close(fd, () => undefined);
  }
}

function isRetriable(error: unknown): boolean {
  return retriable.has((error as NodeJS.ErrnoException).code ?? "");
}

function messageOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).message;
}
