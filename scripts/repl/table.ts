/** A cell may contain any user's text: characters that a terminal would execute are replaced. */
const plain = (value: string | number) => (typeof value === "number" ? value : value.replace(/\p{C}/gu, " "));

/** Columns side by side, as wide as their widest value; numbers are aligned to the right. */
export function table(heads: readonly string[], values: readonly (readonly (string | number)[])[]): string {
  if (values.length === 0) return "(none)";
  const rows = values.map((row) => row.map(plain));
  const widths = heads.map((head, column) => Math.max(width(head), ...rows.map((row) => width(String(row[column])))));
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, column) => {
        const gap = " ".repeat((widths[column] as number) - width(String(cell)));
        return typeof cell === "number" ? gap + cell : cell + gap;
      })
      .join("  ")
      .trimEnd();
  const isNumeric = (column: number) => typeof rows[0]?.[column] === "number";
  // The head of a column of numbers is aligned to the right too.
  const title = heads.map((head, column) =>
    isNumeric(column) ? " ".repeat((widths[column] as number) - width(head)) + head : head,
  );
  return [line(title), line(widths.map((w) => "-".repeat(w))), ...rows.map(line)].join("\n");
}

/** Names and values, one pair in a line. */
export function pairs(values: Readonly<Record<string, string | number>>): string {
  const widest = Math.max(...Object.keys(values).map(width));
  return Object.entries(values)
    .map(([name, value]) => `${name}${" ".repeat(widest - width(name))}  ${plain(value)}`)
    .join("\n");
}

/** East Asian characters are two columns wide in a terminal. */
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;

function width(text: string): number {
  return text.length + (text.match(wide)?.length ?? 0);
}
