import { fail } from "../../broker/failure.ts";
import type { RateLimitState } from "../rate-limit.mixin.ts";
import { clientOf } from "./request/client.ts";
import type { GatewayRequest } from "./request-context.ts";

const windowMs = 60_000;

/**
 * Counts a request against the limit of its sender's address in a minute; 0 means no limit. Without Redis the requests
 * at this node count. Fails: tooMany.
 */
export async function countAddress(
  { rateLimit }: RateLimitState,
  name: string,
  request: GatewayRequest,
  limit: number,
): Promise<void> {
  if (limit === 0) return;
  const waitMs = await rateLimit.hitAlways({ name, key: clientOf(request).key, limit, windowMs });
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}
