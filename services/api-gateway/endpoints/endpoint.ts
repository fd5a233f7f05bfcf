import type { Context } from "moleculer";
import { z } from "zod";
import type { FailureName } from "../../../config/errors.ts";
import { checkParams } from "../../action-contract.ts";
import type { Fields } from "../request/fields.ts";
import type { Language } from "../wording.ts";

/** The login of the client that sent the request: what its cookie or its Authorization header holds. */
export interface Session {
  readonly token: string | undefined;
  /** Gives a browser its login cookie. */
  open(token: string): void;
  /** Takes the login cookie away. */
  close(): void;
}

interface AnyCaller {
  language: Language;
  session: Session;
}

/** Who may call an endpoint, and what it then knows of the caller: from the token, never from the params. */
export interface Callers {
  public: AnyCaller;
  login: AnyCaller & { userId: string };
  operator: AnyCaller & { operator: string };
}
export type Access = keyof Callers;
/** A caller who was let in, whatever the endpoint asks for. */
export type Caller = AnyCaller & { userId: string; operator: string };

/** How often an endpoint may be called in a minute, from one address or by one user; 0 or left out: without a limit. */
interface CallsPerMinute {
  /** Asked at each call, since it may be a setting. */
  readonly address?: () => number;
  readonly user?: number;
}

type CallingContext = Pick<Context, "call">;

interface Definition<A extends Access, Params extends z.ZodRawShape, Result extends z.ZodType> {
  path: string;
  summary: string;
  /** Details beyond the summary, for the documentation. */
  description?: string;
  access: A;
  params: Params;
  /** What `data` of the envelope holds: documentation, and the type that `run` is held to. */
  result: Result;
  /** The business outcomes it can have, besides success. */
  failures?: readonly FailureName[];
  /** What `data` of a 503 holds where the request may have been carried out all the same (`failShowing`). */
  unsure?: z.ZodType;
  perMinute?: CallsPerMinute;
  run(
    ctx: CallingContext,
    params: z.output<z.ZodObject<Params>>,
    caller: Callers[A],
  ): Promise<z.input<Result>> | z.input<Result>;
}

/** One POST endpoint. Routes, params, documentation and tests are all made of it. */
export interface Endpoint {
  readonly path: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly access: Access;
  readonly params: z.ZodObject;
  readonly fields: readonly string[];
  readonly result: z.ZodType;
  readonly failures: readonly FailureName[];
  readonly unsure: z.ZodType | undefined;
  readonly perMinute: CallsPerMinute;
  /**
   * Checks the fields and carries the request out, unless `passes` rejects: it is asked of requests that make sense.
   * Fails: what the params' schema names, invalidParam, and `failures`.
   */
  handle(ctx: CallingContext, fields: Fields, caller: Caller, passes: () => Promise<void>): Promise<unknown>;
}

export function endpoint<A extends Access, Params extends z.ZodRawShape, Result extends z.ZodType>(
  definition: Definition<A, Params, Result>,
): Endpoint {
  const { path, summary, description, access, result, failures = [], unsure, perMinute = {}, run } = definition;
  const params = z.object(definition.params);
  return {
    path,
    summary,
    description,
    access,
    params: params as unknown as z.ZodObject,
    fields: Object.keys(definition.params),
    result,
    failures,
    unsure,
    perMinute,
    async handle(ctx, fields, caller, passes) {
      const checked = checkParams(params, fields);
      await passes();
      return run(ctx, checked as z.output<z.ZodObject<Params>>, caller);
    },
  };
}
