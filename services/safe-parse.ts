import { z } from "zod";

/**
 * `schema.safeParse` for a value from outside, which throws on none: zod asks also a value that is no text for its
 * `length`, and compares what it finds there, which `{"length":{"valueOf":1,"toString":1}}` does not bear. What zod
 * cannot look at does not fit.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(value);
  } catch {
    return z.never({ error: "unreadable" }).safeParse(null) as z.ZodSafeParseError<never>;
  }
}

/** The same where nothing can go on without it. @throws ZodError */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = safeParse(schema, value);
  if (!parsed.success) throw parsed.error;
  return parsed.data;
}
