import { limits } from "../config/limits.ts";

/** A run of lines that were dropped: how many, since when, and why nothing could be written. */
export interface Gap {
  readonly lines: number;
  readonly since: Date;
  readonly reason: string;
}

/**
 * Lines that wait to be written, oldest first, bounded by `limits.log.waitingBytes`. When the queue is full, new lines
 * are dropped until half of it is free. One line takes their place and states how many were dropped.
 */
export class LineQueue {
  private readonly waiting: string[] = [];
  /** The next bytes to write; the first of them may have been written. */
  private next: { rest: Buffer; lines: number } | undefined;
  private gap: { lines: number; since: Date; reason: string } | undefined;
  private held = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.held;
  }

  /** The number of waiting lines; a partly written line counts. */
  get lines(): number {
    return this.waiting.length + (this.next?.lines ?? 0);
  }

  get hasGap(): boolean {
    return this.gap !== undefined;
  }

  /** Whether lines are accepted again after some were dropped. */
  get hasRoom(): boolean {
    return this.held <= limits.log.waitingBytes / 2;
  }

  /** Adds a line with its line feed. False where it was dropped, for the reason that the gap's line will have. */
  add(line: string, reason: string, gapLine: (gap: Gap) => string): boolean {
    if (this.gap && this.hasRoom) this.closeGap(gapLine);
    const bytes = Buffer.byteLength(line);
    if (!this.gap && this.held + bytes <= limits.log.waitingBytes) {
      this.push(line, bytes);
      return true;
    }
    this.gap ??= { lines: 0, since: new Date(), reason };
    this.gap.lines++;
    return false;
  }

  /** Appends the line that states how many lines were dropped, where there are any. */
  closeGap(gapLine: (gap: Gap) => string): void {
    if (!this.gap) return;
    const line = `${gapLine(this.gap)}\n`;
    this.gap = undefined;
    this.push(line, Buffer.byteLength(line));
  }

  /**
   * The oldest lines as bytes, the same ones until `took` confirms that they are written; undefined where none wait.
   */
  chunk(): Buffer | undefined {
    if (!this.next && this.waiting.length > 0) {
      let [lines, chars] = [0, 0];
      while (lines < this.waiting.length && (lines === 0 || chars < limits.log.writeBytes))
        chars += (this.waiting[lines++] as string).length;
      this.next = { rest: Buffer.from(this.waiting.splice(0, lines).join("")), lines };
    }
    return this.next?.rest;
  }

  /** This many bytes of the chunk were written. */
  took(bytes: number): void {
    if (!this.next) return;
    this.held -= bytes;
    this.next.rest = this.next.rest.subarray(bytes);
    if (this.next.rest.length === 0) this.next = undefined;
  }

  /** Drops the chunk: a thread is writing it. */
  forgetChunk(): void {
    this.held -= this.next?.rest.length ?? 0;
    this.next = undefined;
  }

  private push(line: string, bytes: number): void {
    this.waiting.push(line);
    this.held += bytes;
  }
}
