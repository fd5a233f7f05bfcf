import { call } from "../../services/contracts.ts";
import { operatorName, type ReplCommand, TypedWrong } from "./command.ts";
import { table } from "./table.ts";

const findingsShown = 50;

/** The details that this console has shown, by finding: what is accepted is what was read. */
const shown = new Map<number, string>();

const findings: ReplCommand = {
  command: "findings",
  description: `differences of the books, the oldest ${findingsShown}`,
  async run(broker) {
    const page = await call(broker, "auditor.findings", { limit: findingsShown, operator: operatorName(broker) });
    if (page.list.length === 0) return "the books are equal, as far as they are compared";
    for (const { id, detail } of page.list) shown.set(id, detail);
    const rows = page.list.map(({ id, kind, subject, detail, accepted }) => [
      ...[id, kind, subject, detail, accepted ? `by ${accepted.by}: ${accepted.reason}` : ""],
    ]);
    return table(["id", "kind", "subject", "detail", "accepted"], rows) + (page.nextCursor ? "\n(there are more)" : "");
  },
};

const accept: ReplCommand = {
  command: "accept <finding> <reason>",
  description: "accepts a difference of the books as the list findings has shown it; it counts again once it changes",
  async run(broker, args) {
    if (!/^[1-9]\d{0,14}$/.test(args.finding ?? "")) throw new TypedWrong("a finding is a number of the list findings");
    const id = Number(args.finding);
    const read = shown.get(id);
    if (read === undefined) throw new TypedWrong("read it first: findings");
    const { reason = "" } = args;
    const params = { id, detail: read, reason, operator: operatorName(broker) };
    const { kind, subject, detail } = await call(broker, "auditor.acceptFinding", params);
    return `accepted: ${kind}  ${subject}\n    ${detail}`;
  },
};

export const booksCommands: readonly ReplCommand[] = [findings, accept];
