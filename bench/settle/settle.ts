import { databaseName } from "../../config/config.ts";
import { Baseline } from "../baseline/baseline.ts";
import { conservationProblems, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { rounded } from "../support/percentiles.ts";
import { makeTables, seedAccounts, senderId } from "../support/seed.ts";
import { openGiftQueue, queuedGroups } from "./gifts.ts";
import { measureSettling, timeSettling } from "./measure.ts";
import { runOnServers } from "./on-servers.ts";
import { clusterSystem, singleSystem } from "./systems.ts";

const defaultGifts = 100_000;
/** Gifts that are settled before the clock starts, so that the code is compiled. */
const warmUpGifts = 10_000;
const baselineGiftsAtMost = 10_000;
/** The baseline's parts: half of them run before the product, half after it. */
const baselineParts = 4;

/**
 * The rate at which a burst of accepted gifts of different senders is settled, compared with the usual design on a part
 * of the gifts. That runs before and after it, so that other load of the machine affects both.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  if (context.ledgers === 2) return runOnServers(context);
  const { topology, books, closing, profile, progress } = context;
  const gifts = context.gifts || defaultGifts;
  const warming = Math.min(gifts, warmUpGifts);
  const partOfBaseline = Math.ceil(Math.min(gifts, baselineGiftsAtMost) / baselineParts);
  progress(`seeding ${gifts + warming} accounts`);
  await makeTables();
  await seedAccounts(databaseName("wallet"), gifts + warming, senderId, 1_000, progress);
  const baseline = await Baseline.open(context, baselineParts * partOfBaseline);
  const queue = await openGiftQueue(closing);

  for (let part = 0; part < baselineParts / 2; part++) await baseline.run(partOfBaseline);
  const system =
    topology === "single"
      ? await singleSystem(context, queue)
      : await clusterSystem(context, queue, { gift: 2, wallet: 2 });
  progress(`warming up with ${warming} gifts`);
  const warmUp = await queue.fill(
    queuedGroups(warming, (n) => senderId(gifts + n)),
    progress,
  );
  await timeSettling(system, queue, { messages: warmUp, progress });
  await system.pause();
  progress(`accepting ${gifts} gifts into JetStream`);
  const messages = await queue.fill(queuedGroups(gifts), progress);
  progress(`settling ${gifts} gifts`);
  const settled = await measureSettling(system, queue, { gifts, messages, profile, progress });
  progress(`${settled.rate} gifts a second`);
  for (let part = 0; part < baselineParts / 2; part++) await baseline.run(partOfBaseline);

  progress("checking conservation over all rows");
  const problems = [...(await conservationProblems(productBooks(gifts + warming))), ...(await baseline.problems())];
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  const usual = baseline.result();
  const ratio = rounded(settled.rate / usual.baselineRate, 2);
  return { topology, books, gifts, ...settled, ...usual, ratio, conserved: problems.length === 0 };
}
