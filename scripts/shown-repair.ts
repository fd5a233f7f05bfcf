import type { GatesRepaired } from "../services/wallet/buckets.contract.ts";
import { table } from "./repl/table.ts";

/** What a repair of a bucket's gates did, as a person reads it. Pure. */

type OnServer = GatesRepaired["servers"][number];

const doneText = (outcome: OnServer["outcome"], revision: number): string =>
  ({
    ...{ right: "nothing to do", closed: "closed", opened: `opened at ${revision}`, failed: "failed" },
    ...{ toClose: "is to be closed", toOpen: `is to be opened at ${revision}` },
  })[outcome];

const gateText = ({ gate, outcome }: OnServer): string => {
  if (!gate) return outcome === "failed" ? "unknown" : "missing";
  return `${gate.isOpen ? "open" : "closed"} at ${gate.revision}`;
};

/** A table of the servers, that of the map first, and what a person has to look at next. */
export function shownRepair({ servers, revision }: GatesRepaired, bucket: number): string {
  const rows = servers.map((one) => [one.name, gateText(one), doneText(one.outcome, revision), one.why ?? ""]);
  const lines = [
    `bucket ${bucket} is at ${servers[0]?.name} by the map`,
    table(["server", "gate was", "done", "why"], rows),
  ];
  const strays = servers.filter(({ users, isCut }) => users.length > 0 || isCut);
  for (const { name, users, isCut } of strays) {
    const named = users.length > 0 ? users.join(", ") : "none seen";
    lines.push(`users with coins, a debt or new rows at ${name}: ${named}${isCut ? "; there may be more" : ""}`);
  }
  if (strays.length > 0) lines.push("Run npm run verify, and see OvationBucketGates in docs/runbook.md.");
  return lines.join("\n");
}

/** Whether the gates are as they were asked to be. */
export function isRepaired({ servers }: GatesRepaired, closeOnly: boolean): boolean {
  return servers.every(
    ({ outcome }) => outcome !== "failed" && outcome !== "toClose" && (closeOnly || outcome !== "toOpen"),
  );
}
