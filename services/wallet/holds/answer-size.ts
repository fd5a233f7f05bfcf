import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import type { AffectedIncome } from "../income.contract.ts";

/**
 * The answer with as many entries of its open-ended lists as a message carries beside each other, and how many there are:
 * a payer may have spent the refunded coins on more anchors than that.
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
