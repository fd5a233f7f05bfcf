import type { Generator } from "../load/generator-process.ts";
import type { FloodReport, Sender } from "../load/jobs.ts";
import type { BenchContext } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import type { BenchProcess } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import { countServiceLogins, type ServiceUses } from "../support/service-logins.ts";
import { statementsSoFar } from "../support/statements.ts";

const usualConnections = 64;
const giftId = 22;
const warmUpSeconds = 3;
const roundSeconds = 5;

/** Gifts that were accepted, and that may have been, in all rounds: the books are compared with them. */
export class Accepted {
  known = 0;
  unknown = 0;

  add({ accepted, unknown }: FloodReport): void {
    this.known += accepted;
    this.unknown += unknown;
  }
}

/** What one round of the system says, settling included. */
export interface SystemRound {
  accept: FloodReport;
  /** µs by process. */
  cpu: Record<string, number>;
  statements: number;
  /** The database server's part by service. */
  mysql: ServiceUses;
}

export interface Round extends SystemRound {
  empty: FloodReport;
}

/** Who sends; with an API key the gifts go through the server API. */
export interface Load {
  readonly people: readonly Sender[];
  readonly apiKey?: string;
}

export type Runner = Pick<BenchProcess, "about" | "pid">;

/** How a round differs from the usual ones. */
export interface RoundOptions {
  connections?: number;
  /** The report has the orders of gifts that took longer, and the times of all. */
  slowMs?: number;
}

/** One system and the empty action in alternating rounds; only one of them runs at a time. */
export class Duel {
  private readonly context: BenchContext;
  private readonly generator: Generator;
  private readonly empty: BenchProcess | undefined;
  private readonly load: Load;
  private readonly accepted: Accepted;

  /** Without `empty` there are rounds of systems alone. */
  constructor(
    context: BenchContext,
    generator: Generator,
    { empty, load, accepted }: { empty?: BenchProcess; load: Load; accepted: Accepted },
  ) {
    this.context = context;
    this.generator = generator;
    this.empty = empty;
    this.load = load;
    this.accepted = accepted;
  }

  get connections(): number {
    return this.context.connections ?? usualConnections;
  }

  /** `afterwards` is awaited after every round of the system, so that its remaining work does not slow the other's round. */
  async fight(system: Runner, count: number, afterwards: () => Promise<unknown>): Promise<Round[]> {
    await this.warmUp(system, afterwards);
    const port = this.empty?.about.port as number;
    await this.flood(port, this.warmUpSeconds, "{}");
    const results: Round[] = [];
    for (let i = 0; i < count; i++) {
      const round = await this.round(system, afterwards);
      const empty = await this.flood(port, this.roundSeconds, "{}");
      results.push({ ...round, empty });
      this.context.progress(`gift/send ${rateOf(round.accept)} a second, the empty action ${rateOf(empty)}`);
    }
    return results;
  }

  /** Gifts before the clock starts, so that the code is compiled. */
  async warmUp(system: Runner, afterwards: () => Promise<unknown>): Promise<void> {
    this.context.progress("warming up");
    await this.accept(system, this.warmUpSeconds);
    await afterwards();
  }

  /** Gifts to the system alone. */
  async round(system: Runner, afterwards: () => Promise<unknown>, options: RoundOptions = {}): Promise<SystemRound> {
    const { servers } = this.context;
    const cpuSince = countCpu({ services: system.pid, generator: this.generator.pid, ...servers.pids });
    const mysqlSince = await countServiceLogins(servers);
    const statementsBefore = await statementsSoFar();
    const accept = await this.accept(system, this.roundSeconds, options);
    await afterwards();
    const cpu = cpuSince();
    return { accept, cpu, statements: (await statementsSoFar()) - statementsBefore, mysql: await mysqlSince() };
  }

  private get roundSeconds(): number {
    return this.context.seconds ?? roundSeconds;
  }

  private get warmUpSeconds(): number {
    return Math.min(this.roundSeconds, warmUpSeconds);
  }

  private async accept({ about }: Runner, seconds: number, options: RoundOptions = {}): Promise<FloodReport> {
    const { apiKey } = this.load;
    const port = about.ports?.["api-gateway"] as number;
    const more = { ...(apiKey !== undefined && { apiKey }), ...options };
    const report = await this.flood(port, seconds, '{"code":200,', more);
    this.accepted.add(report);
    return report;
  }

  /** The empty action is asked without an API key: it answers at the path of gift/send alone. */
  private async flood(
    port: number,
    seconds: number,
    success: string,
    more: RoundOptions & { apiKey?: string } = {},
  ): Promise<FloodReport> {
    const target = { host: "127.0.0.1", port, connections: this.connections };
    const job = { kind: "flood", ...target, senders: this.load.people, giftId, ...more, success, seconds } as const;
    const report = await this.generator.do(job);
    for (const [answer, times] of Object.entries(report.refused))
      this.context.progress(`refused ${times} times: ${answer}`);
    return report;
  }
}

export function rateOf({ accepted, seconds }: FloodReport): number {
  return Math.round(accepted / seconds);
}

/** Rate and times are medians of the rounds; the other figures are of all rounds together. */
export function summaryOfSystem(results: readonly SystemRound[]) {
  const accepted = results.reduce((sum, { accept }) => sum + accept.accepted, 0);
  const names = Object.keys(results[0]?.cpu ?? {});
  const micros = (name: string) => results.reduce((sum, { cpu }) => sum + (cpu[name] ?? 0), 0);
  return {
    rate: Math.round(median(results.map(({ accept }) => rateOf(accept)))),
    p50Ms: rounded(median(results.map(({ accept }) => accept.p50Ms)), 2),
    p99Ms: rounded(median(results.map(({ accept }) => accept.p99Ms)), 2),
    cpuMicrosPerGiftBy: Object.fromEntries(names.map((name) => [name, rounded(micros(name) / accepted, 1)])),
    statementsPerGift: rounded(results.reduce((sum, { statements }) => sum + statements, 0) / accepted, 3),
    ...ofMysql(results, accepted),
  };
}

/** µs of the database server for each service, and its statements that read or write rows. */
function ofMysql(results: readonly SystemRound[], accepted: number) {
  const services = [...new Set(results.flatMap(({ mysql }) => Object.keys(mysql)))];
  const sum = (service: string, of: "micros" | "statements") =>
    results.reduce((all, { mysql }) => all + (mysql[service]?.[of] ?? 0), 0);
  const perGift = (of: "micros" | "statements", digits: number) =>
    Object.fromEntries(services.map((service) => [service, rounded(sum(service, of) / accepted, digits)]));
  return { mysqlMicrosPerGiftOf: perGift("micros", 1), statementsPerGiftOf: perGift("statements", 4) };
}

/** The same beside the empty action. */
export function summary(results: readonly Round[]) {
  return {
    ...summaryOfSystem(results),
    emptyRate: Math.round(median(results.map(({ empty }) => rateOf(empty)))),
    ratio: rounded(median(results.map(({ accept, empty }) => rateOf(accept) / rateOf(empty))), 3),
  };
}
