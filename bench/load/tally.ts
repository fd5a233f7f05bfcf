import type { HttpReply } from "./http-reply.ts";
import type { Answers } from "./jobs.ts";

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
  answered({ status, body }: HttpReply): boolean {
    this.lastAnswerAt = performance.now();
    if (status === 200 && body.startsWith(this.success)) {
      this.accepted++;
      return true;
    }
    const what = `${status} ${body.slice(0, 60)}`;
    this.refused[what] = (this.refused[what] ?? 0) + 1;
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
