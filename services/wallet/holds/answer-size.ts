import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import type { AffectedIncome } from "../income.contract.ts";

/**
 * Cuts both lists so that the answer fits into one message, and adds their full lengths. A payer may have spent the
 * refunded coins on thousands of anchors.
 */
export function withinAnswer(all: Omit<AffectedIncome, "anchorCount" | "paidOffCount">): AffectedIncome {
  const { anchors, paidOff } = all;
  const bytes = limits.bus.listBytes / 4;
  return {
    ...all,
    anchors: fittingPage(anchors, bytes),
    anchorCount: anchors.length,
    paidOff: fittingPage(paidOff, bytes),
    paidOffCount: paidOff.length,
  };
}
