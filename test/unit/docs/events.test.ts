import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { projectRoot } from "../../../config/root.ts";
import { livingRoomEvents } from "../../../services/living-room/living-room.contract.ts";
import { paymentEvents, paymentTopics } from "../../../services/payment/payment.contract.ts";
import { userEvents } from "../../../services/user/user.contract.ts";
import { walletEvents } from "../../../services/wallet/wallet.contract.ts";

interface Field {
  name: string;
  optional: boolean;
}

/** What a section of docs/events.md says: the fields of its tables and the examples it gives. */
interface Section {
  tables: Field[][];
  example: Record<string, unknown>;
}

const page = readFileSync(join(projectRoot(), "docs/events.md"), "utf8");
const contracts = (readdirSync(join(projectRoot(), "services"), { recursive: true }) as string[])
  .filter((file) => file.endsWith(".contract.ts"))
  .map((file) => readFileSync(join(projectRoot(), "services", file), "utf8").replace(/\/\*[\s\S]*?\*\//g, ""))
  .join("\n");

/** The text between the brace at `from` and the one that closes it. */
function braced(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return text.slice(from + 1, at);
  }
  throw new Error(`a brace is not closed: ${text.slice(from, from + 60)}`);
}

function fieldsOf(body: string): Field[] {
  return [...body.matchAll(/(\w+)(\??):/g)].map(([, name, mark]) => ({ name: name as string, optional: mark === "?" }));
}

/** The members of all interfaces with such a name: `"gift.settled": { ... }` by its name, with the fields inside. */
function membersOf(interfaces: RegExp): Map<string, Field[]> {
  const members = new Map<string, Field[]>();
  for (const match of contracts.matchAll(interfaces)) {
    const body = braced(contracts, match.index + match[0].length - 1);
    for (const member of body.matchAll(/"([a-z]+\.[a-z]+)":\s*\{/g))
      members.set(member[1] as string, fieldsOf(braced(body, member.index + member[0].length - 1)));
  }
  return members;
}

function settledGift(): Field[] {
  const declaration = "export interface SettledGift {";
  return fieldsOf(braced(contracts, contracts.indexOf(declaration) + declaration.length - 1));
}

function readSections(title: string): Map<string, Section> {
  const part = page.split(/^## /m).find((text) => text.startsWith(title)) ?? "";
  const sections = part.split(/^### /m).slice(1);
  return new Map(
    sections.map((text) => {
      const tables = text.split(/^\| field.*$/m).slice(1);
      const example = /```json\n([\s\S]*?)```/.exec(text)?.[1] ?? "{}";
      return [
        text.slice(0, text.indexOf("\n")),
        {
          tables: tables.map((table) =>
            [...table.matchAll(/^\| (\w+) +\| (\w+)(\??) +\|/gm)].map(([, name, , mark]) => ({
              name: name as string,
              optional: mark === "?",
            })),
          ),
          example: JSON.parse(example),
        },
      ];
    }),
  );
}

/** An example has every field that must be there, and none that is not said. */
function expectFits(example: object, fields: readonly Field[]): void {
  const names = Object.keys(example);
  expect(fields.filter(({ name, optional }) => !optional && !names.includes(name))).toEqual([]);
  expect(names.filter((name) => !fields.some((field) => field.name === name))).toEqual([]);
}

const eventSchemas: Record<string, z.ZodObject> = {
  ...userEvents,
  ...livingRoomEvents,
  ...walletEvents,
  ...paymentEvents,
};
const topicSchemas: Record<string, z.ZodObject> = paymentTopics;

/** The fields of schemas, by name. */
function membersOfSchemas(schemas: Record<string, z.ZodObject>): Map<string, Field[]> {
  const members = Object.entries(schemas).map(([name, { shape }]) => {
    const fields = Object.entries(shape).map(([field, schema]) => {
      return { name: field, optional: (schema as z.ZodType).safeParse(undefined).success };
    });
    return [name, fields] as const;
  });
  return new Map(members);
}

const events = new Map([...membersOf(/export interface \w+Events \{/g), ...membersOfSchemas(eventSchemas)]);
const topics = membersOfSchemas(topicSchemas);
const documentedEvents = readSections("Events of stream EVENTS");
const documentedTopics = readSections("Topics of stream PAY");

describe("docs/events.md", () => {
  test("documents exactly the events and topics of the contracts", () => {
    expect(events.size).toBeGreaterThanOrEqual(9);
    expect([...documentedEvents.keys()].sort()).toEqual([...events.keys()].sort());
    expect([...documentedTopics.keys()].sort()).toEqual([...topics.keys()].sort());
  });

  test.each([...events, ...topics])("%s: its table has the fields of the contract", (name, fields) => {
    const { tables } = (documentedEvents.get(name) ?? documentedTopics.get(name)) as Section;
    expect(tables[0]).toEqual(fields);
  });

  test("gift.settled: the gifts inside have the fields of the contract", () => {
    const { tables, example } = documentedEvents.get("gift.settled") as Section;
    expect(tables[1]).toEqual(settledGift());
    const { gifts } = example.data as { gifts: object[] };
    expect(gifts.length).toBeGreaterThan(0);
    for (const gift of gifts) expectFits(gift, settledGift());
  });

  test.each([...documentedEvents])("%s: its example is an event with these data", (name, { example }) => {
    expect(Object.keys(example)).toEqual(["id", "name", "time", "data"]);
    expect(example.name).toBe(name);
    expect(String(example.id)).toMatch(new RegExp(`^${name}:`));
    expectFits(example.data as object, events.get(name) as Field[]);
    expect(eventSchemas[name]?.safeParse(example.data).error).toBeUndefined();
  });

  test.each([...documentedTopics])("%s: its example is such a message", (name, { example }) => {
    expectFits(example, topics.get(name) as Field[]);
    expect(topicSchemas[name]?.safeParse(example).error).toBeUndefined();
  });
});
