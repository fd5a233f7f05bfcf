import type { CallingContext } from "../../mixins/http/endpoint-form.ts";
import { call, type ParamsOf, type ResultOf } from "../contracts.ts";
import type { CarriedOut, carriedOut } from "../staff/carried-out.contract.ts";

type ActionOf<What extends CarriedOut> = (typeof carriedOut)[What]["action"];

/**
 * Has the staff service carry out what this gateway may not do itself. The staff service checks the session and the right
 * again, and names the person as the operator. Fails: notLoggedIn, roleMissing, and as the action does.
 */
export function carriedOutByStaff<What extends CarriedOut>(
  ctx: CallingContext,
  session: string,
  what: What,
  params: Omit<ParamsOf<ActionOf<What>>, "operator">,
): Promise<ResultOf<ActionOf<What>>> {
  // The result was checked by no schema: it is the answer of the service that carried it out.
  return call(ctx, "staff.carryOut", { session, what, params }) as Promise<ResultOf<ActionOf<What>>>;
}
