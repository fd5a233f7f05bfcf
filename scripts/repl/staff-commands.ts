import { call } from "../../services/contracts.ts";
import { operatorName, type ReplCommand } from "./command.ts";
import { table } from "./table.ts";

const callsShown = 30;

/** Whether a text can be the name of a person of the staff. */
const isNamed = (text: string) => /^[a-z][a-z0-9-]{0,39}$/.test(text);

const audit: ReplCommand = {
  command: "audit [what]",
  description: `what the staff did, the latest ${callsShown}: all of it, of a person, or about an id`,
  async run(broker, { what }) {
    const operator = operatorName(broker);
    const calls = (filter: { person?: string; about?: string }) =>
      call(broker, "staff.audit", { ...filter, limit: callsShown, operator });
    // An id may look like a name: what a person of this name did comes first.
    const ofPerson =
      what === undefined || isNamed(what) ? await calls(what === undefined ? {} : { person: what }) : null;
    const page = what !== undefined && !ofPerson?.list.length ? await calls({ about: what }) : ofPerson;
    if (!page?.list.length) return what === undefined ? "nobody did anything" : `nothing by or about ${what}`;
    const rows = page.list.map(({ time, person, role, address, route, about, outcome, params }) => [
      ...[time, `${person} (${role ?? "-"})`, address, route, about ?? "", outcome ?? "NO OUTCOME"],
      JSON.stringify(params),
    ]);
    const head = ["time", "person", "address", "route", "about", "outcome", "params"];
    return table(head, rows) + (page.nextCursor ? "\n(there are more)" : "");
  },
};

export const staffCommands: readonly ReplCommand[] = [audit];
