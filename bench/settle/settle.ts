import { createConnection } from "mysql2/promise";
import { launch } from "../../broker/launch.ts";
import { config, databaseName } from "../../config/config.ts";
import giftService from "../../services/gift/gift.service.ts";
import { conservationProblems } from "../support/conservation.ts";
import type { BenchContext } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import { profiled } from "../support/profile.ts";
import { seedAccounts } from "../support/seed.ts";
import { openServers } from "../support/servers.ts";
import { publishGifts, untilSettled } from "./gifts.ts";

/** Statements the server was sent since it started. */
async function questions(): Promise<number> {
  const connection = await createConnection(config().MYSQL_URL);
  const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
  await connection.end();
  return Number((rows as { Value: string }[])[0]?.Value ?? 0);
}

/** Milliseconds from `startedAt` until the record of a gift stood, at a share of all gifts. */
async function settleTimes(startedAt: number, gifts: number): Promise<{ p50Ms: number; p99Ms: number }> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("gift"), timezone: "Z" });
  const at = async (share: number) => {
    const [rows] = await connection.query(
      "SELECT update_time FROM t_gift_record ORDER BY update_time LIMIT 1 OFFSET ?",
      [Math.min(gifts - 1, Math.floor(gifts * share))],
    );
    return (rows as { update_time: Date }[])[0]!.update_time.getTime() - startedAt;
  };
  const times = { p50Ms: await at(0.5), p99Ms: await at(0.99) };
  await connection.end();
  return times;
}

export async function run({ gifts: wanted, profile, progress }: BenchContext): Promise<Record<string, unknown>> {
  const gifts = wanted || 100_000;
  const servers = await openServers(progress);
  try {
    progress(`seeding ${gifts} accounts`);
    await seedAccounts(gifts, 1_000, progress);
    progress(`accepting ${gifts} gifts into JetStream`);
    await publishGifts(gifts, progress);
    const statementsBefore = await questions();
    progress("settling");
    const broker = await launch(["wallet", "im-router"], "settle");
    const cpuSince = countCpu({ services: process.pid, ...servers.pids });
    const startedAt = Date.now();
    broker.createService(giftService);
    await broker.waitForServices("gift");
    await profiled(profile, () => untilSettled(broker, gifts, progress));
    const endedAt = Date.now();
    const cpu = cpuSince();
    const statements = (await questions()) - statementsBefore;
    const times = await settleTimes(startedAt, gifts);
    await broker.stop();
    const problems = await conservationProblems({ gifts });
    for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
    const seconds = (endedAt - startedAt) / 1000;
    return {
      topology: "single",
      gifts,
      seconds,
      rate: Math.round(gifts / seconds),
      cpuMicrosPerGift: Math.round(Object.values(cpu).reduce((a, b) => a + b, 0) / gifts),
      cpuMicrosPerGiftBy: Object.fromEntries(
        Object.entries(cpu).map(([name, micros]) => [name, Math.round(micros / gifts)]),
      ),
      statementsPerGift: statements / gifts,
      ...times,
      conserved: problems.length === 0,
    };
  } finally {
    await servers.close();
  }
}
