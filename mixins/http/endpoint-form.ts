import type { Context } from "moleculer";
import type { z } from "zod";
import type { FailureName } from "../../config/errors.ts";

/** The context of the calls that a request makes. */
export type CallingContext = Pick<Context, "call" | "broker" | "requestID" | "meta">;

/** What clients send to an endpoint and what it answers: routes, documentation and tests are derived from it. */
export interface EndpointForm {
  readonly path: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly params: z.ZodObject;
  readonly fields: readonly string[];
  readonly result: z.ZodType;
  readonly failures: readonly FailureName[];
  readonly unsure: z.ZodType | undefined;
}
