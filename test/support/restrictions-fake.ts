import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { RestrictionsState } from "../../services/restrictions.mixin.ts";
import type { RestrictionFact } from "../../services/user/restrictions.contract.ts";
import { eventually } from "./eventually.ts";

/** A page of the feed that has these restrictions and no more. */
export const restrictionsPage = (list: RestrictionFact[] = []) => ({ list, now: Date.now(), next: null });

/** A user service that knows nobody who is muted or banned. */
export const restrictionsFake: ServiceSchema = {
  name: "user",
  actions: { restrictionsSince: () => restrictionsPage() },
} as unknown as ServiceSchema;

/** Resolves once the im-server of this node has read them: before that it admits nobody. */
export async function admitting(node: ServiceBroker): Promise<ServiceBroker> {
  const state = node.getLocalService("im-server") as unknown as RestrictionsState;
  await eventually("mutes and bans are read", () => {
    try {
      state.requireRestrictions();
      return true;
    } catch {
      return false;
    }
  });
  return node;
}
