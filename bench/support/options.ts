import { parseArgs } from "node:util";
import { isServiceName, type ServiceName } from "../../broker/service-names.ts";

export const benchNames = [
  "settle",
  "accept",
  "burst",
  "latency",
  "scale",
  "fanout",
  "rooms",
  "idle",
  "storm",
  "battle",
  "webhooks",
  "gate",
] as const;
export type BenchName = (typeof benchNames)[number];
export type Topology = "single" | "cluster";

/** The load of burst and of the IM benchmarks; each benchmark has its own defaults. */
export interface LoadOptions {
  /** Viewers of a room; every given size is measured. */
  viewers?: readonly number[];
  /** Gifts a second in a room; every given rate is measured. */
  rates?: readonly number[];
  /** scale: of the filled books. */
  accounts?: number;
  rooms?: number;
  connections?: number;
  /** How long gifts are sent at each rate. */
  seconds?: number;
  /** Users who send the gifts. The fewer, the more gifts of a tick merge into one entry. */
  senders?: number;
  /** fanout: the highest rate that is tried, gifts a second. */
  most?: number;
  /** burst: how many users send a gift. */
  users?: number;
  /** settle: `--servers`, the MySQL servers with ledgers and gift records, 1 or 2. */
  ledgers?: number;
}

export interface BenchOptions extends LoadOptions {
  /** `undefined` where no existing benchmark was named. */
  name: BenchName | undefined;
  help: boolean;
  json: boolean;
  /** single: one process. cluster: several, at least two each of gift and wallet. */
  topology: Topology;
  /** The number of gifts; 0 means the benchmark's default. */
  gifts: number;
  /** Skips the parts that take minutes. */
  quick: boolean;
  /** scale: only the books of which most is archived, and those that they are compared with. */
  archived: boolean;
  /** settle: whether the wallet seals its rows and the auditor runs. */
  books: boolean;
  /** accept: gifts are sent through the server API, with an API key and by the platform's ids. */
  serverApi: boolean;
  /** accept: systems with and without traces, instead of the empty action. */
  traces: boolean;
  /** accept: services that do not run. */
  without: readonly ServiceName[];
  /** The folder of the servers; `undefined` is the benchmarks' own. */
  dir: string | undefined;
  /** The file for a CPU profile of the measured services. */
  profile: string | undefined;
}

const lists = ["viewers", "rates"] as const;
const numbers = ["accounts", "rooms", "connections", "seconds", "senders", "most", "users", "ledgers"] as const;

/** @throws Error that names the invalid option. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      topology: { type: "string", default: "single" },
      gifts: { type: "string", default: "0" },
      quick: { type: "boolean", default: false },
      archived: { type: "boolean", default: false },
      "no-books": { type: "boolean", default: false },
      "server-api": { type: "boolean", default: false },
      traces: { type: "boolean", default: false },
      without: text,
      stack: text,
      profile: text,
      help: { type: "boolean", default: false },
      ...{
        viewers: text,
        rates: text,
        accounts: text,
        rooms: text,
        connections: text,
        seconds: text,
        senders: text,
        most: text,
        users: text,
        servers: text,
      },
    },
  });
  const { topology, gifts, json, quick, help, profile } = values;
  if (topology !== "single" && topology !== "cluster") throw new Error(`--topology is single or cluster: ${topology}`);
  if (!/^\d{1,8}$/.test(gifts)) throw new Error(`--gifts is a number of at most 8 digits: ${gifts}`);
  if (positionals.length > 1) throw new Error(`one benchmark at a time: ${positionals.join(" ")}`);
  const name = benchNames.find((known) => known === positionals[0]);
  const books = !values["no-books"];
  if (!books && (name !== "settle" || topology !== "single"))
    throw new Error("--no-books is for settle in one process alone");
  const { archived } = values;
  if (archived && name !== "scale") throw new Error("--archived is for scale alone");
  const serverApi = values["server-api"];
  if (serverApi && name !== "accept") throw new Error("--server-api is for accept alone");
  const { traces } = values;
  if (traces && name !== "accept") throw new Error("--traces is for accept alone");
  const without = servicesOf(values.without ?? "");
  if (without.length > 0 && (name !== "accept" || traces)) throw new Error("--without is for accept alone");
  const about = { json, quick, help, profile, archived, books, serverApi, traces, without, dir: values.stack };
  return { ...loadOptions({ ...values, ledgers: values.servers }), ...about, name, topology, gifts: Number(gifts) };
}

/** Names of services with commas between them. */
function servicesOf(list: string): ServiceName[] {
  const names = list === "" ? [] : list.split(",");
  return names.map((name) => {
    if (!isServiceName(name)) throw new Error(`--without names services: ${name}`);
    return name;
  });
}

function loadOptions(values: Partial<Record<keyof LoadOptions, string>>): LoadOptions {
  const options: LoadOptions = {};
  for (const name of lists) {
    const value = values[name];
    if (value === undefined) continue;
    if (!/^[1-9]\d{0,5}(,[1-9]\d{0,5})*$/.test(value)) throw new Error(`--${name} is e.g. 500,5000: ${value}`);
    options[name] = value.split(",").map(Number);
  }
  for (const name of numbers) {
    const value = values[name];
    if (value === undefined) continue;
    if (!/^[1-9]\d{0,5}$/.test(value)) throw new Error(`--${name} is a number from 1 on: ${value}`);
    options[name] = Number(value);
  }
  return options;
}
