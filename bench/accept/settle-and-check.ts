import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { startServices } from "../support/nodes.ts";
import type { Accepted } from "./duel.ts";

/** Settles the rest of the queue and returns what does not add up in the books. */
export async function settleAndCheck(
  context: BenchContext,
  queue: DurableQueue,
  accepted: Accepted,
): Promise<string[]> {
  const { progress } = context;
  progress("settling what was left in the queue");
  const system = await startServices(context, "all", ["all"]);
  await queue.untilEmpty(await queue.left(), progress);
  await incomesRollUp();
  await system.stop();
  progress("checking conservation over all rows");
  const problems = await conservationProblems(productBooks(accepted.known, accepted.known + accepted.unknown));
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  return problems;
}
