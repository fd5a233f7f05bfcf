import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { sharedFiles } from "../../../services/admin-gateway/page/shared-files.ts";
import { vendoredRoutes } from "../../../services/admin-gateway/page/vendored.ts";

/** What the staff page loads, followed from its HTML: the staff's gateway serves all of it, and nothing is code from data. */

const read = (file: string) => readFileSync(join(projectRoot(), file), "utf8");

/** The file of an address, and whether the gateway serves it. */
function fileOf(address: string): string | undefined {
  if (address.startsWith("/admin/") && !(address in vendoredRoutes)) return address.replace("/admin/", "admin-page/");
  return sharedFiles.has(address) ? join("public", address) : undefined;
}

const html = read("admin-page/index.html");
const linked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address as string);

function importsOf(address: string, file: string): string[] {
  // Imports stand at the beginning of a line, on one line or on several.
  const names = [...read(file).matchAll(/^(?:import (?:[^"]* from )?|export [^"]* from )"([^"]+)";/gm)];
  return names.map(([, name]) => (name?.startsWith("/") ? name : posix.join(dirname(address), name as string)));
}

/** Every address that the page loads at its start. */
function loaded(): Set<string> {
  const seen = new Set<string>();
  const follow = (address: string) => {
    if (seen.has(address)) return;
    seen.add(address);
    const file = fileOf(address);
    if (file?.endsWith(".js") && existsSync(join(projectRoot(), file))) importsOf(address, file).forEach(follow);
  };
  linked.forEach(follow);
  return seen;
}

function scripts(): string[] {
  const files = readdirSync(join(projectRoot(), "admin-page/js"), { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".js")).map((file) => join("admin-page/js", file));
}

describe("the staff page", () => {
  test("loads nothing but what the staff's gateway serves", () => {
    const isServed = (address: string) => {
      const file = fileOf(address);
      return address in vendoredRoutes || (file !== undefined && existsSync(join(projectRoot(), file)));
    };
    const addresses = [...loaded()];
    expect(addresses.length).toBeGreaterThan(20);
    expect(addresses.filter((address) => !isServed(address))).toEqual([]);
  });

  test("loads every script of its folder", () => {
    const used = new Set([...loaded()].map(fileOf));
    expect(scripts().filter((file) => !used.has(file))).toEqual([]);
  });

  test.each(scripts())("%s makes no markup, code or styles of texts", (file) => {
    const risky =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|[\s"{]style[":=]/;
    expect(read(file).match(risky)).toBeNull();
  });

  test("has no scripts or styles in its HTML", () => {
    expect(html.match(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/)).toBeNull();
  });
});
