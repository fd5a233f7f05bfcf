import { z } from "zod";
import { fail } from "../broker/failure.ts";
import { isFailureName } from "../config/errors.ts";
import { safeParse } from "./safe-parse.ts";

/**
 * The contract of an action: the schema of its parameters, which gives the types, the validation and the public
 * documentation; and the type of its result.
 */
export interface ActionContract<Params extends z.ZodType = z.ZodType, Result = unknown> {
  readonly params: Params;
  /** For the compiler alone; no such value exists. */
  readonly result?: Result;
}

/** The data of the events of a contract, by name. */
export type EventsOf<Schemas extends Readonly<Record<string, z.ZodType>>> = {
  [Name in keyof Schemas]: z.output<Schemas[Name]>;
};

export type ActionContracts = Readonly<Record<string, ActionContract>>;

/** Declares an action of a contract: `action({ userId }).returns<Balance>()`. */
export function action<Shape extends z.ZodRawShape>(shape: Shape) {
  const params = z.object(shape);
  return { returns: <Result>(): ActionContract<z.ZodObject<Shape>, Result> => ({ params }) };
}

/**
 * The parameters as parsed by the schema, without unknown fields and with defaults. Fails: the failure that the first
 * problem's message names, if it is one, else invalidParam. Its data name the field and, for the parameters of a call,
 * the action that refuses them.
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
