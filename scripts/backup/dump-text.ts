/**
 * Rows of a table as SQL, one statement a line. Pure. Lines can be read by `npm run restore` and by the command-line
 * client alike.
 */

/** How a column's values are written; by its type in information_schema. */
export type LiteralKind = "number" | "text" | "bytes";

const numbers = new Set(["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year"]);
const texts = new Set([
  ...["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum", "set"],
  ...["date", "datetime", "timestamp", "time"],
]);
const bytes = new Set(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"]);

/** @throws Error where values of this type cannot be written */
export function literalKindOf(dataType: string): LiteralKind {
  const type = dataType.toLowerCase();
  if (numbers.has(type)) return "number";
  if (texts.has(type)) return "text";
  if (bytes.has(type)) return "bytes";
  throw new Error(`a dump cannot hold columns of type ${dataType}`);
}

const escapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\x1a": "\\Z",
  "'": "\\'",
  "\\": "\\\\",
};

/** A text in quotes and without line breaks. */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that SQL wants escaped
  return `'${text.replace(/[\0\n\r\x1a'\\]/g, (char) => escapes[char] as string)}'`;
}

/** A value as SQL; `raw` is as the server's text protocol has it. */
export function literal(kind: LiteralKind, raw: Buffer | null): string {
  if (raw === null) return "NULL";
  if (kind === "number") return raw.toString("latin1");
  if (kind === "text") return quoted(raw.toString("utf8"));
  return raw.length === 0 ? "''" : `0x${raw.toString("hex")}`;
}

/** A name in backticks. */
export function named(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** Statements of a table's definition, each in one line: comments and strings of ours hold no line breaks. */
export function oneLine(statement: string): string {
  return statement.replace(/\s*\n\s*/g, " ");
}

export interface DumpedColumn {
  readonly name: string;
  readonly kind: LiteralKind;
}

/** Puts rows together into INSERT statements of bounded bytes. */
export class Inserts {
  private readonly head: string;
  private readonly columns: readonly DumpedColumn[];
  private readonly most: number;
  private rows: string[] = [];
  private size = 0;

  constructor(table: string, columns: readonly DumpedColumn[], most: number) {
    this.head = `INSERT INTO ${named(table)} (${columns.map(({ name }) => named(name)).join(", ")}) VALUES `;
    this.columns = columns;
    this.most = most;
  }

  /** Adds a row; returns a line that is full, else `undefined`. */
  add(row: readonly (Buffer | null)[]): string | undefined {
    const text = `(${row.map((value, at) => literal((this.columns[at] as DumpedColumn).kind, value)).join(",")})`;
    const full = this.size + text.length > this.most ? this.rest() : undefined;
    this.rows.push(text);
    this.size += text.length + 1;
    return full;
  }

  /** The line of the rows that are left, where there are some. */
  rest(): string | undefined {
    if (this.rows.length === 0) return undefined;
    const line = `${this.head}${this.rows.join(",")};\n`;
    this.rows = [];
    this.size = 0;
    return line;
  }
}
