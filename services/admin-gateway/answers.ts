import { isFailure, isUnavailable } from "../../broker/failure.ts";
import type { ServiceName } from "../../broker/service-names.ts";
import type { FailureName } from "../../config/errors.ts";

/**
 * Answers of several services for one page. A service that is away leaves its part empty, and is named: the rest is shown
 * all the same.
 */

/** What a service answered; `undefined` where it is away. Every other failure rejects. */
export async function unlessAway<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** The same; `null` where it has nothing of what was asked for, by this failure. */
export async function foundUnlessAway<T>(answer: Promise<T>, nothing: FailureName): Promise<T | null | undefined> {
  try {
    return await unlessAway(answer);
  } catch (error) {
    if (isFailure(error, nothing)) return null;
    throw error;
  }
}

/** The services whose part is missing. */
export function awayOf(parts: Partial<Record<ServiceName, unknown>>): ServiceName[] {
  return (Object.keys(parts) as ServiceName[]).filter((service) => parts[service] === undefined);
}
