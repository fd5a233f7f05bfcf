import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";

/** The texts of both pages: that of the users and that of the staff. */

type Table = Record<string, readonly [string, string]>;

const staff = require("../../../admin-page/js/strings.js") as { strings: Table; tables: Record<string, Table> };
const users = require("../../../public/js/strings.js") as { strings: Table };

/** Modules of public/js that the staff's page uses too, and their texts with them. */
const SHARED = ["api-error.js", "busy.js", "dialog.js", "language.js", "toast.js", "views/tabs.js"];

function scripts(folder: string): string[] {
  return readdirSync(join(projectRoot(), folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js") && !/(strings(-\w+)?|^dom)\.js$/.test(file))
    .map((file) => join(folder, file));
}

/** Keys that stand in the code as they are; those that are put together are not seen. */
function keysIn(file: string): string[] {
  const text = readFileSync(join(projectRoot(), file), "utf8");
  const props = /\b(?:say|label|hint|tip|title|key|caption|empty|yes|lead|note|text): \[?"([a-z]\w*)"/g;
  const calls = /\b(?:translate|say|toast\.say)\((?:\w+, )?"(\w+)"/g;
  return [...text.matchAll(props), ...text.matchAll(calls)].map(([, key]) => key as string);
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string).sort();
}

describe.each([
  ["the users' page", users.strings, scripts("public/js")],
  ["the staff page", staff.strings, [...scripts("admin-page/js"), ...SHARED.map((file) => `public/js/${file}`)]],
])("the texts of %s", (_page, strings, files) => {
  test("each is there in Chinese and in English, with the same variables", () => {
    const wrong = Object.entries(strings).filter(([, pair]) => {
      const isThere = pair.length === 2 && pair.every((text) => typeof text === "string" && text.trim() !== "");
      return !isThere || placeholders(pair[0]).join() !== placeholders(pair[1]).join();
    });
    expect(wrong).toEqual([]);
  });

  test("every text that the code names is there", () => {
    const missing = files.flatMap((file) => keysIn(file).map((key) => `${file}: ${key}`));
    expect(missing.filter((entry) => !((entry.split(": ")[1] as string) in strings))).toEqual([]);
  });
});

test("no text of the staff page stands in two of its tables", () => {
  const keys = Object.values(staff.tables).flatMap((table) => Object.keys(table));
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});
