import type { HttpReply } from "./http-reply.ts";
import type { Answers } from "./jobs.ts";
import { outcomeOf, reasonOf } from "./outcome.ts";

/** Counts the outcomes of requests. */
export class Tally {
  private readonly success: string;
  private readonly startedAt = performance.now();
  private lastAnswerAt = this.startedAt;
  private readonly refused: Record<string, number> = {};
  private accepted = 0;
  private unknown = 0;

  constructor(success: string) {
    this.success = success;
  }

  /** Whether the answer is a success. */
  answered(reply: HttpReply): boolean {
    this.lastAnswerAt = performance.now();
    const outcome = outcomeOf(reply, this.success);
    if (outcome === "accepted") {
      this.accepted++;
      return true;
    }
    if (outcome === "unknown") this.unknown++;
    const reason = reasonOf(reply);
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    return false;
  }

  unanswered(): void {
    this.unknown++;
  }

  answers(): Answers {
    const { accepted, refused, unknown } = this;
    return { accepted, refused, unknown, seconds: (this.lastAnswerAt - this.startedAt) / 1_000 };
  }
}
