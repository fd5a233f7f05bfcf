import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/**
 * The rules of the structure:
 * 1. only a service file, a mixin, the broker and scripts import moleculer, mysql2, ioredis or nats as values;
 * 2. a service imports its own folder, services/*.ts, mixins/, config/, broker/, and of another service only its contract;
 * 3. only stores (and tests) have SQL with a service's tables in it, and each table is written by one store alone;
 * 4. service files stay under 175 lines, modules under 260, but for the table of who may call what;
 * 5. no folder or file is called utils, helpers, common or types;
 * 6. Lua is in files of its own, each with a header that states its purpose, and its KEYS, ARGV and replies where it
 *    has them;
 * 7. imports lead down or sideways (scripts, services, mixins, broker, config), types included; values never in a circle.
 *    The tables of who may call what (services/access.ts), and of what may be asked of another node
 *    (services/repeatable-actions.ts), may also be read by the bus (broker/bus/);
 * 8. lines of documents have at most 120 characters, but for rows of tables and for what stands in a block of code.
 */

/** A file, its path relative to the project, with forward slashes. */
interface File {
  path: string;
  text: string;
}

interface Source extends File {
  imports: { from: string; typeOnly: boolean }[];
}

const infrastructure = new Set(["moleculer", "moleculer-web", "mysql2", "mysql2/promise", "ioredis", "nats"]);
const nameless = /(^|\/)(utils?|helpers?|common|types?|misc)(\.ts|\/)/;
/** The layers, lowest first. */
const folders = ["config", "broker", "mixins", "services", "scripts"];
const busTables: ReadonlySet<string> = new Set(["services/access.ts", "services/repeatable-actions.ts"]);

function filesOf(root: string, ending: string): File[] {
  return folders.flatMap((folder) =>
    (readdirSync(join(root, folder), { recursive: true }) as string[])
      .filter((file) => file.endsWith(ending))
      .map((file) => ({
        path: join(folder, file).split(sep).join("/"),
        text: readFileSync(join(root, folder, file), "utf8"),
      })),
  );
}

function luaProblems({ path, text }: File): string[] {
  const lines = text.split("\n");
  const header = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("--")),
  );
  const has = (word: string) => header.some((line) => line.startsWith(`-- ${word}`));
  const wanted = [
    ["Purpose:", true],
    ["KEYS", text.includes("KEYS[")],
    ["ARGV", text.includes("ARGV[")],
    ["Replies", text.includes("KEYS[")],
  ] as const;
  return wanted
    .filter(([word, needed]) => needed && !has(word))
    .map(([word]) => `${path}: its header does not state ${word.replace(":", "")}`);
}

function readSources(root: string): Source[] {
  return filesOf(root, ".ts").map(({ path, text }) => {
    const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["'];/gm);
    const imports = [...statements].map(([whole, type, from]) => ({
      from: from as string,
      typeOnly: Boolean(type) || onlyTypes(whole),
    }));
    return { path, text, imports };
  });
}

/** `import { type A, type B } from` imports no value. */
function onlyTypes(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1];
  if (!names || /^import\s+[A-Za-z_]/.test(statement.replace(/^import\s+type\s/, "import {"))) return false;
  return names
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean)
    .every((name) => name.startsWith("type "));
}

/** The project's file of an import, `undefined` where it is a package. */
function targetOf(path: string, from: string): string | undefined {
  if (!from.startsWith(".")) return undefined;
  return relative(".", join(dirname(path), from))
    .split(sep)
    .join("/");
}

function layerProblems({ path, imports }: Source): string[] {
  const layerOf = (file: string) => folders.indexOf(file.split("/", 1)[0] as string);
  return imports
    .map(({ from }) => targetOf(path, from))
    .filter((target): target is string => target !== undefined && layerOf(target) > layerOf(path))
    .filter((target) => !(busTables.has(target) && path.startsWith("broker/bus/")))
    .map((target) => `${path}: imports ${target} of a layer above it`);
}

/** Files that import each other in a circle, types included: each circle once. */
function circleProblems(sources: readonly Source[]): string[] {
  const targets = new Map(sources.map(({ path, imports }) => [path, imports.map(({ from }) => targetOf(path, from))]));
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) problems.push(`imports in a circle: ${[...way.slice(at), path].join(" → ")}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) if (target !== undefined) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return problems;
}

function serviceOf(path: string): string | undefined {
  return /^services\/([^/]+)\//.exec(path)?.[1];
}

function importProblems(source: Source): string[] {
  const own = serviceOf(source.path);
  if (own === undefined) return [];
  return source.imports.flatMap(({ from, typeOnly }) => {
    const isServiceFile = source.path.endsWith(".service.ts");
    if (infrastructure.has(from)) {
      if (isServiceFile || typeOnly || own === "api-gateway") return [];
      return [`${source.path}: a domain module imports ${from}; take what it needs as a parameter`];
    }
    const target = targetOf(source.path, from);
    if (target === undefined) return [];
    const neighbour = serviceOf(target);
    if (neighbour && neighbour !== own && !target.endsWith(".contract.ts"))
      return [`${source.path}: reaches into ${neighbour} (${target}); call its contract`];
    if (!neighbour && !/^(services|mixins|config|broker)\//.test(target))
      return [`${source.path}: imports ${target}, which services must not know`];
    return [];
  });
}

function sizeProblems({ path, text }: Source): string[] {
  // A line for each action of the system.
  if (path === "services/access.ts") return [];
  const lines = text.split("\n").length - 1;
  const most = path.endsWith(".service.ts") ? 175 : 260;
  return lines > most ? [`${path}: ${lines} lines, ${most} at the most; it has two subjects`] : [];
}

function sqlProblems({ path, text }: Source): string[] {
  if (!path.startsWith("services/") || path.endsWith("-store.ts")) return [];
  return /\b(FROM|INTO|UPDATE|JOIN)\s+t_[a-z_]+/.test(text) ? [`${path}: SQL belongs into the service's store`] : [];
}

/** A table must be written by one module alone. */
function writerProblems(sources: readonly Source[]): string[] {
  const writers = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    if (!path.startsWith("services/") || !path.endsWith("-store.ts")) continue;
    for (const [, table = ""] of text.matchAll(/\b(?:INTO|UPDATE|DELETE\s+FROM)\s+(t_[a-z_]+)/g))
      writers.set(table, (writers.get(table) ?? new Set()).add(path));
  }
  return [...writers]
    .filter(([, paths]) => paths.size > 1)
    .map(([table, paths]) => `${table} is written by ${[...paths].join(" and ")}; it belongs to one store`);
}

/** The documents: those of the root, and of these folders. */
const documentFolders = ["docs", "clients/typescript", "examples"];

function documentsOf(root: string): File[] {
  const there = documentFolders.filter((folder) => existsSync(join(root, folder)));
  const within = there.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, String(file))),
  );
  return [...readdirSync(root), ...within]
    .filter((path) => path.endsWith(".md") && !path.split(sep).includes("node_modules"))
    .map((path) => ({ path: path.split(sep).join("/"), text: readFileSync(join(root, path), "utf8") }));
}

/** Characters of a line of a document. */
const lineMost = 120;

function longLineProblems({ path, text }: File): string[] {
  let isCode = false;
  return text.split("\n").flatMap((line, at) => {
    if (line.trimStart().startsWith("```")) isCode = !isCode;
    const isProse = !isCode && !line.trimStart().startsWith("|");
    const { length } = [...line];
    return isProse && length > lineMost
      ? [`${path}:${at + 1}: a line of ${length} characters, ${lineMost} at the most`]
      : [];
  });
}

/** The problems, one sentence each; empty where every rule is kept. */
export function structureProblems(root: string): string[] {
  const sources = readSources(root);
  const ofOne = sources.flatMap((source) => [
    ...importProblems(source),
    ...layerProblems(source),
    ...sizeProblems(source),
    ...sqlProblems(source),
    ...(/redis\.call\(/.test(source.text) && !source.path.endsWith("check-structure.ts")
      ? [`${source.path}: Lua belongs into a file of its own, see mixins/redis/lua-script.ts`]
      : []),
    ...(nameless.test(source.path)
      ? [`${source.path}: its name has no subject; put the code into the module of its subject`]
      : []),
  ]);
  return [
    ...ofOne,
    ...writerProblems(sources),
    ...circleProblems(sources),
    ...filesOf(root, ".lua").flatMap(luaProblems),
    ...documentsOf(root).flatMap(longLineProblems),
  ];
}
