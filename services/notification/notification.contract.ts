import { z } from "zod";
import { action } from "../action-contract.ts";

/** The notification service as other services see it. */
export const notificationActions = {
  /**
   * Sends a login code by SMS. `shownToCaller` is true only where the provider is the local console, which sends
   * nothing. Fails: unavailable, where the provider did not accept it.
   */
  sendLoginCode: action({ phone: z.string().min(1).max(20), code: z.string().min(4).max(10) }).returns<{
    shownToCaller: boolean;
  }>(),
};
