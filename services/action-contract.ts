import { z } from "zod";
import { fail } from "../broker/failure.ts";
import { isFailureName } from "../config/errors.ts";
import { safeParse } from "./safe-parse.ts";

/**
 * What a contract says of an action: the schema of its parameters, from which types, validation and the public
 * documentation come, and the type of what it returns.
 */
export interface ActionContract<Params extends z.ZodType = z.ZodType, Result = unknown> {
  readonly params: Params;
  /** For the compiler alone; there is no such value. */
  readonly result?: Result;
}

/** The data of events whose schemas a contract states, by name. */
export type EventsOf<Schemas extends Readonly<Record<string, z.ZodType>>> = {
  [Name in keyof Schemas]: z.output<Schemas[Name]>;
};

export type ActionContracts = Readonly<Record<string, ActionContract>>;

/** States an action of a contract: `action({ userId }).returns<Balance>()`. */
export function action<Shape extends z.ZodRawShape>(shape: Shape) {
  const params = z.object(shape);
  return { returns: <Result>(): ActionContract<z.ZodObject<Shape>, Result> => ({ params }) };
}

/**
 * The parameters as the schema lets them through: unknown fields left out, defaults filled in. Fails: what the first
 * problem's message names, where it is the name of a failure, else invalidParam. Its data name the field and, where the
 * parameters are those of a call, the action that refuses them.
 */
export function checkParams<Schema extends z.ZodType>(
  schema: Schema,
  params: unknown,
  refusedBy?: string,
): z.output<Schema> {
  const checked = safeParse(schema, params);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const about = {
    field: issue?.path.join("."),
    problem: issue?.code,
    ...(refusedBy === undefined ? {} : { refusedBy }),
  };
  throw fail(isFailureName(issue?.message) ? issue.message : "invalidParam", about);
}
