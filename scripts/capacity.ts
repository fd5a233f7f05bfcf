import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchOf, type FigureName, type Figures, figuresOf, readBench } from "./capacity-figures.ts";
import { type Capacity, capacityOf, type Target, usualTarget } from "./capacity-model.ts";
import { requireNode } from "./node-version.ts";
import { messageOf } from "./stack/wait.ts";

const optionNames = {
  online: "online",
  senders: "senders",
  "burst-seconds": "burstSeconds",
  gifts: "steadyGifts",
  "gifts-a-day": "giftsPerDay",
  busy: "busyShare",
  usable: "usable",
  "books-factor": "booksFactor",
  "core-speed": "coreSpeed",
  "machine-cores": "coresPerMachine",
  "machine-gb": "machineGb",
  "machine-gbit": "machineGbitPerSecond",
  "mysql-cores": "mysqlCores",
  "mysql-gb": "mysqlGb",
  "nats-cores": "natsCores",
  "connections-a-node": "connectionsPerNode",
  "core-price": "corePrice",
} as const satisfies Record<string, keyof Target>;

const USAGE = `What a system of a size needs, computed from what benches measured: docs/capacity.md explains it.

  npm run capacity -- [BENCH.json...] [options]

BENCH.json   the output of npm run bench -- burst|idle|fanout|scale --json; of several of one bench the last one counts.
             A figure that none of them has is assumed, and said so.
--json       one JSON object on standard output

The target, with what it is where it is left out:
${Object.entries(optionNames)
  .map(([option, name]) => `  --${option.padEnd(19)} ${name} (${usualTarget[name]})`)
  .join("\n")}`;

const whole = (value: number) => Math.ceil(value).toLocaleString("en");
const about = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

function textOf(figures: Figures, target: Target, found: Capacity): string {
  const { nodes, cores, memoryGb, database, limits } = found;
  const rows: [string, string][] = [
    ["online, senders at once", `${whole(target.online)}, ${whole(target.senders)} within ${target.burstSeconds} s`],
    ["gifts a second at the peak", whole(found.peakGifts)],
    ["service nodes (one core each)", whole(nodes.services)],
    ["im-servers (one core each)", `${whole(nodes.imServers)}, of which CPU needs ${about(cores.imServers)}`],
    ["cores of NATS, Redis, MySQL", [cores.nats, cores.redis, cores.mysql].map(about).join(", ")],
    ["cores in all", whole(found.totalCores)],
    ["memory: im-servers, services", `${about(memoryGb.imServers)} GB, ${about(memoryGb.services)} GB`],
    ["network to viewers", `${about(found.networkGbitPerSecond)} Gbit/s`],
    ["machines", whole(found.machines)],
    ["statements a second", whole(database.statementsPerSecond)],
    ["books a day, a year", `${about(database.gigabytesPerDay)} GB, ${about(database.gigabytesPerYear)} GB`],
    ["books that fit into memory", `of ${about(database.daysInMemory)} days`],
    ["CPU for a million gifts", `${about(found.cpuSecondsPerMillion)} core seconds`],
    ["cost of a million gifts", `${about(found.costPerMillion)} at ${target.corePrice} a core and hour`],
    ["cost of the im-servers", `${about(found.costPerOnlineHour)} for an hour`],
    ["an im-server is lost: back in", `${about(found.reconnectSeconds)} s`],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(32)}${value}`);
  lines.push("", "What breaks first (share used at the peak; gifts a second at which it is all used; then):");
  for (const { name, used, giftsPerSecond, then } of limits)
    lines.push(`  ${name.padEnd(30)}${`${about(used * 100)} %`.padEnd(9)}${whole(giftsPerSecond).padEnd(10)}${then}`);
  const entries = Object.entries(figures) as [FigureName, Figures[FigureName]][];
  lines.push("", "Figures:");
  for (const [name, { value, from, source }] of entries)
    lines.push(`  ${name.padEnd(26)}${about(value).padEnd(10)}${from}: ${source}`);
  const lacking = entries.filter(([, { from }]) => from === "assumed").map(([name]) => name);
  const benches = [...new Set(lacking.map((name) => benchOf[name]))];
  if (lacking.length > 0)
    lines.push(
      "",
      `Not measured, so assumed: ${lacking.join(", ")}.`,
      ...benches.map((bench) => `  npm run bench -- ${bench} --json > ${bench}.json`),
    );
  return lines.join("\n");
}

function main(): void {
  requireNode();
  const options = Object.fromEntries(Object.keys(optionNames).map((name) => [name, { type: "string" as const }]));
  const { values, positionals } = parseArgs({
    options: { ...options, json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const given = Object.entries(optionNames).flatMap(([option, name]) => {
    const value = (values as Record<string, unknown>)[option];
    return value === undefined ? [] : [[name, Number(value)] as const];
  });
  const target: Target = { ...usualTarget, ...Object.fromEntries(given) };
  const figures = figuresOf(positionals.map((file) => readBench(readFileSync(file, "utf8"))));
  const found = capacityOf(figures, target);
  console.log(values.json ? JSON.stringify({ target, figures, ...found }) : textOf(figures, target, found));
}

try {
  main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
