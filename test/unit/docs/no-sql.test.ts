import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";

const root = projectRoot();
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => join(folder, file));
const pages = [...markdownIn("."), ...markdownIn("docs"), ...markdownIn("docs/decisions")];

/** A statement that changes a table of the system. */
const change = /\b(INSERT\s+(IGNORE\s+)?INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO)\s+`?t_[a-z_]+/i;

test.each(pages)("%s asks nobody to change a table by hand", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  expect(text).not.toMatch(change);
  expect(text).not.toMatch(/```sql/);
  expect(text).not.toMatch(/\b(delete|change|correct|write) (the|its|a) row\b/i);
});

test("no message to operators asks for it either", () => {
  const services = readdirSync(join(root, "services"), { recursive: true }) as string[];
  const modules = services.filter((file) => file.endsWith(".ts") && !file.endsWith("-store.ts"));
  const asking = modules.filter((file) =>
    /logger\.\w+\([^;]*\bt_[a-z]+_[a-z_]+/.test(readFileSync(join(root, "services", file), "utf8")),
  );
  expect(asking).toEqual([]);
});
