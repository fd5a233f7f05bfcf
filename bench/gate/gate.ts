import { randomBytes } from "node:crypto";
import { Accepted, Duel, type RoundOptions, rateOf, type SystemRound } from "../accept/duel.ts";
import { fansOfOneAnchor } from "../accept/people.ts";
import { settleAndCheck } from "../accept/settle-and-check.ts";
import { Generator } from "../load/generator-process.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import { incomesRollUp } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { JobProcess } from "../support/job-process.ts";
import { type BenchProcess, startServices } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import type { Behaviour, GateJob, GateReport } from "./gate-process.ts";
import { othersOf } from "./others.ts";

const usualSenders = 200;
/** So many that a gate of 50 ms is not what bounds a closed loop. */
const usualConnections = 512;
/** Of the rounds that look at single gifts: few, so that a gift waits for nothing else for long. */
const fewConnections = 64;
const usualRounds = 3;
/** Longer than the breaker is open, so that each round has a call that tries the gate. */
const roundSeconds = 6;
const timeoutMs = 200;
/** A gift of another group that took longer was held up. */
const heldUpMs = timeoutMs / 2;

const never = { calls: 0, everyMs: 1_000 };
const answers = (answerMs: number): Behaviour => ({ answerMs, hangs: never });
const hangs: Behaviour = { answerMs: 1, hangs: "all" };
/** Single calls, one after the other, that are not answered; the next one comes once the last has timed out. */
const someHang: Behaviour = { answerMs: 1, hangs: { calls: 1, everyMs: 1.5 * timeoutMs } };
/** As many calls at once as the gateway has groups under way. */
const twoHang: Behaviour = { answerMs: 1, hangs: { calls: 2, everyMs: 1.5 * timeoutMs } };

/** What a gift of the rounds of one kind went through. */
interface Case {
  readonly name: string;
  readonly behaviour: Behaviour | undefined;
  readonly few?: true;
}

const open: readonly Case[] = [
  { name: "1 ms", behaviour: answers(1) },
  { name: "50 ms", behaviour: answers(50) },
  { name: "1 ms, few connections", behaviour: answers(1), few: true },
  { name: "single calls hang", behaviour: someHang, few: true },
  { name: "two calls hang at once", behaviour: twoHang, few: true },
  // Last, since the breaker is open for a while afterwards.
  { name: "hangs, accept", behaviour: hangs },
];
const shut: readonly Case[] = [{ name: "hangs, refuse", behaviour: hangs }];
const off: readonly Case[] = [
  { name: "off", behaviour: undefined },
  { name: "off, few connections", behaviour: undefined, few: true },
];

interface CaseRound {
  readonly round: SystemRound;
  readonly gate: GateReport;
}

/** The systems of the benchmark, one at a time. */
class Systems {
  private readonly context: BenchContext;
  private readonly gate: JobProcess;
  private readonly settings: Record<string, string>;
  readonly rounds = new Map<string, CaseRound[]>();

  constructor(context: BenchContext, gate: JobProcess, port: number) {
    this.context = context;
    this.gate = gate;
    this.settings = {
      GIFT_GATE_URL: `http://127.0.0.1:${port}/gate`,
      GIFT_GATE_TIMEOUT_MS: String(timeoutMs),
      GIFT_GATE_SECRET: `whsec_${randomBytes(32).toString("base64")}`,
    };
  }

  start(onFailure: "accept" | "refuse" | "off"): Promise<BenchProcess> {
    const settings = onFailure === "off" ? {} : { ...this.settings, GIFT_GATE_ON_FAILURE: onFailure };
    return startServices(this.context, "all", ["all"], undefined, settings);
  }

  /** A round of each case, on a new system. */
  async measure(
    duel: Duel,
    cases: readonly Case[],
    onFailure: "accept" | "refuse" | "off",
    settled: () => Promise<unknown>,
  ) {
    const { progress } = this.context;
    const system = await this.start(onFailure);
    await this.do({ kind: "behave" });
    await duel.warmUp(system, settled);
    for (const { name, behaviour, few } of cases) {
      await this.do({ kind: "behave", ...(behaviour && { behaviour }) });
      const options: RoundOptions = few ? { connections: fewConnections, slowMs: heldUpMs } : {};
      const round = await duel.round(system, settled, options);
      const gate = await this.do({ kind: "report" });
      this.rounds.set(name, [...(this.rounds.get(name) ?? []), { round, gate }]);
      const { p50Ms, p99Ms } = round.accept;
      const took = `${rounded(p50Ms, 1)} and ${rounded(p99Ms, 1)} ms`;
      progress(
        `gate ${name}: ${rateOf(round.accept)} gifts a second, ${took}, ${gate.calls} calls for ${gate.gifts} gifts`,
      );
    }
    await incomesRollUp();
    await system.stop();
  }

  do(job: GateJob): Promise<GateReport> {
    return this.gate.do<GateReport>(job);
  }
}

/** gift/send over HTTP without a gate, and with one that answers, answers late, and does not answer. */
export async function run(given: BenchContext): Promise<BenchResult> {
  const { closing, progress, quick } = given;
  const { connections = usualConnections, senders = usualSenders, seconds = roundSeconds } = given;
  const context = { ...given, connections, seconds };
  const generator = Generator.start(closing);
  const gate = JobProcess.start(closing, "bench/gate/gate-process.ts");
  const { port } = await gate.do<GateReport>({ kind: "listen" });
  const systems = new Systems(context, gate, port);
  progress("starting every service in one process");
  const first = await systems.start("off");
  process.env.API_URL = `http://127.0.0.1:${first.about.ports?.["api-gateway"]}`;
  const load = await fansOfOneAnchor(senders, progress);
  await first.stop();
  const queue = await openGiftQueue(closing);
  const accepted = new Accepted();
  const duel = new Duel(context, generator, { load, accepted });
  const settled = () => queue.untilEmpty(0, () => {});
  const rounds = quick ? 1 : usualRounds;
  for (let n = 0; n < rounds; n++) {
    await systems.measure(duel, off, "off", settled);
    await systems.measure(duel, open, "accept", settled);
    await systems.measure(duel, shut, "refuse", settled);
    await systems.measure(duel, off, "off", settled);
  }
  const problems = await settleAndCheck(context, queue, accepted);
  return {
    ...{ rounds, senders, connections, fewConnections, timeoutMs, heldUpMs },
    cases: Object.fromEntries([...systems.rounds.keys()].map((name) => [name, figuresOf(systems.rounds, name)])),
    accepted: accepted.known,
    conserved: problems.length === 0,
  };
}

/** What is perhaps accepted is among the refused. */
const answeredOf = ({ accepted, refused }: SystemRound["accept"]) =>
  accepted + Object.values(refused).reduce((sum, times) => sum + times, 0);

/** Medians of a case's rounds. Rates are compared with those without a gate and as many connections. */
function figuresOf(all: ReadonlyMap<string, readonly CaseRound[]>, name: string) {
  const rounds = all.get(name) ?? [];
  const isFew = rounds.some(({ round }) => round.accept.slow !== undefined);
  const without = all.get(isFew ? "off, few connections" : "off") ?? [];
  const middle = (of: (one: CaseRound) => number, among = rounds) => median(among.map(of));
  const rate = middle(({ round }) => rateOf(round.accept));
  const others = rounds.map(({ round, gate }) => othersOf(round.accept, gate.hung));
  return {
    rate: Math.round(rate),
    ofOff: rounded(rate / middle(({ round }) => rateOf(round.accept), without), 3),
    p50Ms: rounded(
      middle(({ round }) => round.accept.p50Ms),
      1,
    ),
    p99Ms: rounded(
      middle(({ round }) => round.accept.p99Ms),
      1,
    ),
    answersPerSecond: Math.round(middle(({ round }) => answeredOf(round.accept) / round.accept.seconds)),
    calls: Math.round(middle(({ gate }) => gate.calls)),
    giftsPerCall: rounded(
      middle(({ gate }) => gate.gifts / Math.max(1, gate.calls)),
      1,
    ),
    servicesMicrosPerAnswer: rounded(
      middle(({ round }) => (round.cpu.services as number) / Math.max(1, answeredOf(round.accept))),
      1,
    ),
    ...(isFew && {
      hung: Math.round(median(others.map(({ hung }) => hung))),
      others: Math.round(median(others.map(({ gifts }) => gifts))),
      othersP99Ms: rounded(median(others.map(({ p99Ms }) => p99Ms)), 1),
      othersHeldUp: Math.round(median(others.map(({ heldUp }) => heldUp))),
    }),
  };
}
