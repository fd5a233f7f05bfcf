import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, id, integer, limit, operator, reason } from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";

/** A difference of the books that is there now. */
export interface Finding {
  id: number;
  /** A kind of differences.ts. */
  kind: string;
  /** The account, order, row, seal or chain. */
  subject: string;
  detail: string;
  /** When it was first found, or found again after it was gone. */
  foundTime: string;
  /** When it was last found. */
  seenTime: string;
  /** `null`: nobody has accepted it as it is. */
  accepted: { time: string; by: string; reason: string } | null;
}

export const auditorActions = {
  /** Differences of the books that nobody has accepted: how many. Fails: unavailable. */
  figures: action({}).returns<{ findings: number }>(),
  /**
   * Operators: the differences of the books that are there now, oldest first; with `accepted` 1 or 0 only those that are
   * accepted, or not. `cursor` is the id of the last one of the page before.
   */
  findings: action({ accepted: integer(0, 1).optional(), cursor, limit, operator }).returns<{
    list: Finding[];
    nextCursor: string | null;
  }>(),
  /**
   * Operators: accepts a difference as the list has it, with its `detail`. It stays listed, and neither metrics nor
   * readiness count it. It counts again once it changes, or is found again after it was gone. A repeat keeps the first
   * reason. Fails: findingUnknown, also where it is gone; findingChanged, where its detail is another one now;
   * findingRefused, of forged seals, unknown keys, checkpoints and failed checks.
   */
  acceptFinding: action({ id, detail: z.string().max(limits.books.detailChars), reason, operator }).returns<Finding>(),
};

export const auditorEvents = {
  /** Of the seals of the auditor's own audit. */
  "auditor.books-sealed": sealedEvent,
};
