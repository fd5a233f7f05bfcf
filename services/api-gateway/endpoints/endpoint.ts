import { z } from "zod";
import type { FailureName } from "../../../config/errors.ts";
import type { CallingContext, EndpointForm } from "../../../mixins/http/endpoint-form.ts";
import type { Fields } from "../../../mixins/http/request/fields.ts";
import type { Language } from "../../../mixins/http/wording.ts";
import { checkParams } from "../../action-contract.ts";
import type { Revocation } from "../../user/user.contract.ts";
import type { RevokeCalls } from "../logins/logins.ts";

/** The login of a request: from its cookie or its Authorization header. */
export interface Session {
  /** Text of the client: any. */
  readonly token: string | undefined;
  /**
   * Resolves to the answer of the call for this kind of login; to `null` without a call where the token is not valid on
   * any node. Requests at the same time with one token share a call. Rejects as the call.
   */
  revoke(calls: RevokeCalls): Promise<Revocation | null>;
  /** Sets the login cookie of a browser. */
  open(token: string): void;
  /** Removes the login cookie, and refuses the revoked tokens on this node at once. */
  close(revoked: Revocation | null): void;
}

interface AnyCaller {
  language: Language;
  session: Session;
  /** The key of the client's address for limits (mixins/http/client-address.ts). */
  address: string;
}

/** The callers of an endpoint, and what it knows of them: from the token, never from the params. */
export interface Callers {
  public: AnyCaller;
  login: AnyCaller & { userId: string };
}
export type Access = keyof Callers;
/** A caller with access, for any kind of endpoint. */
export type Caller = AnyCaller & { userId: string };

/** The most calls of an endpoint in a minute, from one address or by one user; 0 or left out: no limit. */
interface CallsPerMinute {
  /** Read at each call, since it may be a setting. */
  readonly address?: () => number;
  readonly user?: number;
}

/** The most calls of one address in a minute that end with one of these failures; beyond it all its calls are refused. */
interface FailuresPerMinute {
  readonly failures: readonly FailureName[];
  /** Read at each call, since it may be a setting; 0: no limit. */
  readonly address: () => number;
}

interface Definition<A extends Access, Params extends z.ZodRawShape, Result extends z.ZodType> {
  path: string;
  summary: string;
  /** Details beyond the summary, for the documentation. */
  description?: string;
  access: A;
  params: Params;
  /** The schema of the envelope's `data`: it documents the answer and types the result of `run`. */
  result: Result;
  /** The business outcomes besides success. */
  failures?: readonly FailureName[];
  /** The `data` of a 503 after which the request may have been carried out (`failShowing`). */
  unsure?: z.ZodType;
  /**
   * `run` refuses who is banned everywhere. A request that may repeat what was accepted before the ban must not be told
   * `banned` without a look at what it repeats: that is a certain no.
   */
  checksBanItself?: true;
  perMinute?: CallsPerMinute;
  failuresPerMinute?: FailuresPerMinute;
  run(
    ctx: CallingContext,
    params: z.output<z.ZodObject<Params>>,
    caller: Callers[A],
  ): Promise<z.input<Result>> | z.input<Result>;
}

/** One POST endpoint of the users' API. */
export interface Endpoint extends EndpointForm {
  readonly access: Access;
  readonly checksBanItself: boolean;
  readonly perMinute: CallsPerMinute;
  readonly failuresPerMinute: FailuresPerMinute | undefined;
  /**
   * Checks the fields, awaits `passes`, which rejects where the caller exceeds a limit, and carries the request out.
   * Invalid requests do not reach `passes`. Fails: as the params' schema, invalidParam, and `failures`.
   */
  handle(ctx: CallingContext, fields: Fields, caller: Caller, passes: () => Promise<void>): Promise<unknown>;
}

export function endpoint<A extends Access, Params extends z.ZodRawShape, Result extends z.ZodType>(
  definition: Definition<A, Params, Result>,
): Endpoint {
  const {
    path,
    summary,
    description,
    access,
    result,
    failures = [],
    unsure,
    checksBanItself = false,
    perMinute = {},
    failuresPerMinute,
    run,
  } = definition;
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
    checksBanItself,
    perMinute,
    failuresPerMinute,
    async handle(ctx, fields, caller, passes) {
      const checked = checkParams(params, fields);
      await passes();
      return run(ctx, checked as z.output<z.ZodObject<Params>>, caller);
    },
  };
}
