/** The rows of a bill as fields by the names of its heading; what stands before the heading or after the rows is left out. */
export function tableOf(
  text: string,
  heading: (line: string) => boolean,
  fieldsOf: (line: string) => string[] | null,
): Record<string, string>[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const at = lines.findIndex(heading);
  if (at < 0) throw new RangeError("a bill without its heading");
  const names = (lines[at] as string).split(",").map((name) => name.trim());
  const rows: Record<string, string>[] = [];
  for (const line of lines.slice(at + 1)) {
    const fields = fieldsOf(line);
    if (fields === null) break;
    rows.push(Object.fromEntries(names.map((name, index) => [name, (fields[index] ?? "").trim()])));
  }
  return rows;
}
