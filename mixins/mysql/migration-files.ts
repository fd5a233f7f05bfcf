import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";

/**
 * A file of a folder of migrations. Its first line says what it is:
 *
 *   -- expand, release 3
 *   -- contract, release 4, needs 3
 *
 * An expand adds what this release needs; nodes of the release before run on with it. A contract removes what nodes of
 * the release `needs`, and of later ones, do not use. The files of release 1 have no such line: they are expands.
 */
export interface Migration {
  /** Folder and file, e.g. `services/wallet/migrations/0001-accounts.sql`; never changed. */
  readonly name: string;
  readonly statements: readonly string[];
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
  readonly kind: "expand" | "contract";
  /** The release that brings it. */
  readonly release: number;
  /** Of a contract: nodes of this release and later ones run without what it removes. 0 of an expand. */
  readonly needs: number;
}

export function statementsOf(text: string): string[] {
  return text
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, "").trim() !== "");
}

const header = /^-- (?:(expand), release (\d{1,6})|(contract), release (\d{1,6}), needs (\d{1,6}))$/;

/** @throws Error where the first line begins as a header and is none. */
function kindOf(name: string, text: string): Pick<Migration, "kind" | "release" | "needs"> {
  const [line = ""] = text.split(/\r?\n/, 1);
  const [, expand, expandRelease, contract, contractRelease, needs] = header.exec(line) ?? [];
  if (contract) return { kind: "contract", release: Number(contractRelease), needs: Number(needs) };
  if (expand) return { kind: "expand", release: Number(expandRelease), needs: 0 };
  if (/^--\s*(expand|contract)\b/i.test(line))
    throw new Error(`${name}: its first line is neither "-- expand, release N" nor "-- contract, release N, needs M"`);
  return { kind: "expand", release: 1, needs: 0 };
}

/** A migration by its file's text. @throws Error where its first line is malformed. */
export function migrationOf(name: string, text: string): Migration {
  const checksum = createHash("sha256").update(text).digest("hex");
  return { name, statements: statementsOf(text), checksum, ...kindOf(name, text) };
}

/** The migrations of the folders (relative to the project), in the order of folders and numbers. */
export function readMigrations(folders: readonly string[]): Migration[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot(), folder))
      .filter((file) => /^\d{4}-.+\.sql$/.test(file))
      .sort()
      .map((file) => migrationOf(`${folder}/${file}`, readFileSync(join(projectRoot(), folder, file), "utf8"))),
  );
}
