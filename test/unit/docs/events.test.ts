import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { projectRoot } from "../../../config/root.ts";
import { durableEvents } from "../../../services/contracts.ts";
import { paymentTopics } from "../../../services/payment/payment.contract.ts";

interface Field {
  name: string;
  optional: boolean;
}

/** A section of docs/events.md: the fields of its tables and its example. */
interface Section {
  tables: Field[][];
  example: Record<string, unknown>;
}

const page = readFileSync(join(projectRoot(), "docs/events.md"), "utf8");
/** The fields of a contract's schema. */
function fieldsOf({ shape }: z.ZodObject): Field[] {
  return Object.entries(shape).map(([name, field]) => ({
    name,
    optional: (field as z.ZodType)._zod.optout === "optional",
  }));
}

const membersOf = (schemas: Record<string, z.ZodObject>) =>
  new Map(Object.entries(schemas).map(([name, schema]) => [name, fieldsOf(schema)]));

const settledGift = () => fieldsOf(durableEvents["gift.settled"].shape.gifts.element);

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

const events = membersOf(durableEvents);
const topics = membersOf(paymentTopics);
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
    expect(durableEvents[name as keyof typeof durableEvents].safeParse(example.data).error).toBeUndefined();
    expect(Object.keys(example)).toEqual(["id", "name", "time", "data"]);
    expect(example.name).toBe(name);
    expect(String(example.id)).toMatch(new RegExp(`^${name}:`));
    expectFits(example.data as object, events.get(name) as Field[]);
  });

  test.each([...documentedTopics])("%s: its example is such a message", (name, { example }) => {
    expectFits(example, topics.get(name) as Field[]);
  });
});
