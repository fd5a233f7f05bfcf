import { action } from "../action-contract.ts";
import type { ErasureObstacle } from "../erasure.contract.ts";
import { userId } from "../fields.ts";
import { session } from "./session.contract.ts";

/** The erasure of a user as a person of the staff sees it. */
export interface ShownErasure {
  /** `null`: none has begun. */
  state: "erasing" | "erased" | null;
  /** Before it begins: what keeps the user from being erased, if nothing is given up. */
  obstacles: ErasureObstacle[];
  /** Of erasing: the service that is asked again, and what it waits for. */
  problem: string | null;
  beganTime: string | null;
  erasedTime: string | null;
}

export const erasureStaffActions = {
  /** Right `read`. Fails: notLoggedIn, roleMissing, unavailable. */
  erasure: action({ session, userId }).returns<ShownErasure>(),
};
