import { z } from "zod";

/** Compiled at their first use, which costs a fraction of a millisecond; a check then costs a seventh. */
const compiled = new WeakMap<z.ZodType, z.ZodType>();

function compiledOf<Schema extends z.ZodType>(schema: Schema): Schema {
  const known = compiled.get(schema);
  if (known) return known as Schema;
  const made = z.compile(schema);
  compiled.set(schema, made);
  return made;
}

/**
 * `schema.safeParse` for a value from outside; never throws. The schema must be one that stays, as it is compiled. zod reads and compares the `length` of values that are no
 * strings, which throws on `{"length":{"valueOf":1,"toString":1}}`. A value on which zod throws does not fit the
 * schema.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return compiledOf(schema).safeParse(value);
  } catch {
    return z.never({ error: "unreadable" }).safeParse(null) as z.ZodSafeParseError<never>;
  }
}

/**
 * A message of a stream as its schema reads it; fields that the schema does not name are left out.
 * @throws Error naming the field that does not fit, without its value: such a message goes to the dead letters at once.
 */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, message: unknown): z.output<Schema> {
  const parsed = safeParse(schema, message);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`no message of this kind: field "${issue?.path.join(".")}" does not fit (${issue?.code})`);
}

/** The parsed value. @throws ZodError where it does not fit. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = safeParse(schema, value);
  if (!parsed.success) throw parsed.error;
  return parsed.data;
}
