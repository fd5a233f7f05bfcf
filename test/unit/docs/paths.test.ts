import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";

const root = projectRoot();
const decisions = readdirSync(join(root, "docs/decisions")).map((file) => `docs/decisions/${file}`);
const pages = ["README.md", "ARCHITECTURE.md", "docs/events.md", ...decisions];

/** Names of files and folders that a page mentions: links, and code with a slash and an ending or a slash at its end. */
function mentioned(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, "");
  const links = [...prose.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path as string);
  const code = [...prose.matchAll(/`([^`\s]+)`/g)].map(([, path]) => path as string);
  const paths = code.filter((path) => /^[\w./-]+(\.(ts|sql|md|conf|yml)|\/)$/.test(path) && path.includes("/"));
  return [...links, ...paths].filter((path) => !path.startsWith("/") && !path.startsWith(".stack"));
}

describe("the documents", () => {
  test.each(pages)("%s names files and folders that there are", (page) => {
    // ARCHITECTURE.md names the files of a service from services/ on, and those beside it without a folder.
    const exists = (path: string) =>
      ["", "services", "services/im-server"].some((from) => existsSync(join(root, from, path)));
    expect(mentioned(readFileSync(join(root, page), "utf8")).filter((path) => !exists(path))).toEqual([]);
  });

  test("decisions are numbered one after the other and say context, decision and consequences", () => {
    expect(decisions.map((file) => Number(/(\d{4})-[a-z-]+\.md$/.exec(file)?.[1]))).toEqual(
      decisions.map((_, at) => at + 1),
    );
    for (const file of decisions) {
      const text = readFileSync(join(root, file), "utf8");
      expect(text).toMatch(/^# \d{4}\. .+\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n/);
    }
  });
});
