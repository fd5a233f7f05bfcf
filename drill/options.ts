import { parseArgs } from "node:util";
import { type Layout, layouts } from "./system/places.ts";

export interface DrillOptions {
  /** Names of rows, or their beginnings; empty: all. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly list: boolean;
  readonly short: boolean;
  readonly help: boolean;
  readonly layout: Layout;
  /** Gifts a second. */
  readonly rate: number;
  readonly dir: string | undefined;
}

const usualRate = 500;
const shortRate = 100;

/** @throws Error that names the invalid option */
export function parseOptions(args: readonly string[]): DrillOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      layout: { type: "string", default: "path" },
      rate: { type: "string" },
      dir: { type: "string" },
    },
  });
  const layout = layouts.find((known) => known === values.layout);
  if (!layout) throw new Error(`--layout is one of ${layouts.join(", ")}: ${values.layout}`);
  const rate = values.rate ?? String(values.short ? shortRate : usualRate);
  if (!/^[1-9]\d{0,4}$/.test(rate)) throw new Error(`--rate is a number from 1 on: ${rate}`);
  const { json, list, short, help, dir } = values;
  return { names: positionals, json, list, short, help, layout, rate: Number(rate), dir };
}
