import type { Command, Outcome } from "./posting.ts";

/**
 * The commands that a caller submitted together, and their outcomes in the same order. The first rejection is the
 * caller's answer. Commands that wait at that time are not begun: the caller submits all of them again, and a later
 * command of a user must not be written before an earlier one.
 */
export class Submission {
  readonly answer: Promise<Outcome[]>;
  readonly commands: readonly Command[];
  private readonly outcomes: Outcome[];
  private open: number;
  private failed = false;
  private readonly resolve: (outcomes: Outcome[]) => void;
  private readonly fail: (error: unknown) => void;

  constructor(commands: readonly Command[]) {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome[]>();
    this.answer = promise;
    this.commands = commands;
    this.outcomes = new Array<Outcome>(commands.length);
    this.open = commands.length;
    this.resolve = resolve;
    this.fail = reject;
  }

  /** Whether a command was rejected, so that the others need not be begun. */
  get isRejected(): boolean {
    return this.failed;
  }

  answered(index: number, outcome: Outcome): void {
    this.outcomes[index] = outcome;
    this.open--;
    if (this.open === 0) this.resolve(this.outcomes);
  }

  reject(error: unknown): void {
    this.failed = true;
    this.fail(error);
  }
}

/** A command that waits or is in a batch; the key is its user. */
export interface QueuedCommand {
  readonly key: string;
  readonly command: Command;
  readonly arrivedAt: number;
  readonly of: Submission;
  /** Its place in its submission. */
  readonly index: number;
  /** Its user's lock was held elsewhere. */
  waitsForLock: boolean;
}

/** Commands by user. */
export type Batch = Map<string, QueuedCommand[]>;
