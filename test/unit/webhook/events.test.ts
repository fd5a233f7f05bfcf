import { readFileSync } from "node:fs";
import { join } from "node:path";
import { webhookEventNames } from "../../../services/webhook-events.ts";

test("webhooks have every event of docs/events.md but the seals of the books", () => {
  const text = readFileSync(join(__dirname, "../../../docs/events.md"), "utf8");
  const [events = ""] = text.slice(text.indexOf("## Events of stream EVENTS")).split("## Topics");
  const documented = [...events.matchAll(/^### (\S+)$/gm)].map(([, name]) => name as string);
  const sealed = documented.filter((name) => /books[.-]sealed$/.test(name));
  expect(sealed.length).toBeGreaterThan(0);
  expect([...webhookEventNames].sort()).toEqual(documented.filter((name) => !sealed.includes(name)).sort());
});
