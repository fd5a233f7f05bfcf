import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";

const root = projectRoot();
const decisions = readdirSync(join(root, "docs/decisions")).map((file) => `docs/decisions/${file}`);
const markdownIn = (folder: string) => readdirSync(join(root, folder)).filter((file) => file.endsWith(".md"));
const packages = ["clients/typescript/README.md", "examples/platform/README.md"];
const pages = [...markdownIn("."), ...markdownIn("docs").map((file) => `docs/${file}`), ...packages, ...decisions];
const textOf = (page: string) => readFileSync(join(root, page), "utf8");

/** Links to other pages and to files, as written: `im.md#frames`, `#frames`, `../public/js/im-client.js`. */
function links(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to as string).filter((to) => !/^https?:/.test(to));
}

/** The anchors that a page's headings get where it is shown: small letters, hyphens for spaces, no other signs. */
function anchors(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function isBroken(page: string, link: string): boolean {
  const [path, anchor] = link.split("#") as [string, string | undefined];
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !anchors(textOf(target)).includes(anchor);
}

/** Files and folders that a page names in code: with a slash inside, and an ending or a slash at the end. */
function mentioned(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, "");
  const code = [...prose.matchAll(/`([^`\s]+)`/g)].map(([, path]) => path as string);
  const paths = code.filter((path) => /^[\w./-]+(\.(ts|sql|md|conf|yml)|\/)$/.test(path) && path.includes("/"));
  return paths.filter((path) => !path.startsWith("/") && !path.startsWith(".stack"));
}

describe("the documents", () => {
  test.each(pages)("%s names files and folders that there are", (page) => {
    // ARCHITECTURE.md names the files of a service from services/ on, and those beside it without a folder.
    const exists = (path: string) =>
      ["", "services", "services/im-server"].some((from) => existsSync(join(root, from, path)));
    expect(mentioned(textOf(page)).filter((path) => !exists(path))).toEqual([]);
  });

  test.each(pages)("%s: its links lead to files and headings that there are", (page) => {
    expect(links(textOf(page)).filter((link) => isBroken(page, link))).toEqual([]);
  });

  test.each(pages)("%s: the npm commands it names are in package.json", (page) => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const named = [...textOf(page).matchAll(/npm run ([a-z][a-z-]*)/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("README.md is short enough to be read: at most 130 lines", () => {
    expect(textOf("README.md").split("\n").length - 1).toBeLessThanOrEqual(130);
  });

  test("decisions are numbered one after the other and say context, decision and consequences", () => {
    expect(decisions.map((file) => Number(/(\d{4})-[a-z-]+\.md$/.exec(file)?.[1]))).toEqual(
      decisions.map((_, at) => at + 1),
    );
    for (const file of decisions) {
      const text = textOf(file);
      expect(text).toMatch(/^# \d{4}\. .+\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n/);
    }
  });
});
