import { parseArgs } from "node:util";
import { serviceNames } from "../broker/service-names.ts";
import { acceptedChecks, refusing } from "../mixins/preflight/accepted.ts";
import { type CheckId, checks, type Finding, promisesOf } from "../mixins/preflight/checks.ts";
import { type Looked, look } from "../mixins/preflight/look.ts";
import { shownFinding } from "../mixins/preflight/shown.ts";
import { archiveFilterBytes } from "../services/archive-settings.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { loginsOfPerson } from "./preflight-logins.ts";
import { table } from "./repl/table.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

const USAGE = `Looks at what durability rests on at NATS, MySQL and Redis, and says which promise does not hold with it.
It changes nothing.

  npm run preflight -- [--json]

It logs in with NATS_ADMIN_URL, MYSQL_ADMIN_URL and REDIS_URL of the environment or of .stack/env; where one of the first
two is not set, with the services' logins that are. Exit code 0: no money is at risk, or what is has been accepted by
PREFLIGHT_ACCEPT; 2: money is at risk; 1: it could not look at every server.`;

const order = { money: 0, speed: 1, note: 2 } as const;

function show({ findings, seen, unseen }: Looked, accepted: ReadonlySet<CheckId>): void {
  const rows = findings.map(({ check, severity, server, found, wanted }) => [
    ...[check, severity === "money" && accepted.has(check) ? "money, accepted" : severity, server, found, wanted],
  ]);
  const filterMb = archiveFilterBytes() / 1_048_576;
  console.log(`Filters of the archive may take ${filterMb} MB of each wallet and gift node (ARCHIVE_FILTER_MB).`);
  console.log(`Looked at ${seen.join(", ") || "nothing"}.`);
  for (const { server, why } of unseen) console.log(`NOT looked at ${server}: ${why}`);
  if (findings.length === 0) console.log("Everything is as wanted.");
  else console.log(`\n${table(["check", "severity", "server", "found", "wanted"], rows)}`);
  for (const finding of findings) console.log(`\n${shownFinding(finding, accepted)}`);
  const surplus = [...accepted].filter((id) => !findings.some(({ check }) => check === id));
  if (surplus.length > 0) console.log(`\nPREFLIGHT_ACCEPT names what is not found: ${surplus.join(", ")}`);
}

const asJson = (finding: Finding, accepted: ReadonlySet<CheckId>) => ({
  ...finding,
  accepted: accepted.has(finding.check),
  promises: checks[finding.check].promises,
  promise: promisesOf(finding.check),
});

async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  useStackEnv(defaultStackDir());
  const accepted = acceptedChecks();
  const looked = await look(loginsOfPerson(serviceNames));
  const findings = looked.findings.toSorted((one, other) => order[one.severity] - order[other.severity]);
  const risks = refusing(findings, accepted).length;
  if (values.json) {
    const { seen, unseen } = looked;
    console.log(JSON.stringify({ risks, findings: findings.map((one) => asJson(one, accepted)), seen, unseen }));
  } else show({ ...looked, findings }, accepted);
  if (risks > 0) return 2;
  return looked.unseen.length > 0 || looked.seen.length === 0 ? 1 : 0;
}

runCommand(main);
