import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { release } from "../config/release.ts";
import { projectRoot } from "../config/root.ts";
import { presentRecord } from "./support/release-record.ts";

const USAGE = `Writes what the nodes of this release say to each other: the step before it is released (docs/releasing.md).

  npm run release-record              release ${release}, of config/release.ts
  npm run release-record -- --of N    over the record of release N: only where its nodes run nowhere`;

const { values } = parseArgs({ options: { of: { type: "string" }, help: { type: "boolean" } } });
if (values.help) console.log(USAGE);
else {
  const number = Number(values.of ?? release);
  const file = join(projectRoot(), `test/unit/releases/${number}.json`);
  if (values.of === undefined && existsSync(file))
    throw new Error(`release ${number} has a record: raise config/release.ts`);
  writeFileSync(file, `${JSON.stringify(presentRecord(), null, 1)}\n`);
  console.log(`${file} is written: npx biome format --write it`);
}
