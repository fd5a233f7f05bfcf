import { z } from "zod";
import { action } from "../action-contract.ts";

/** What other services may use of the notification service. */
export const notificationActions = {
  /**
   * Sends a login code by SMS. `shownToCaller` is true only where the provider is the local console, which has no
   * phone to send to. Fails: unavailable, where the provider did not take it.
   */
  sendLoginCode: action({ phone: z.string().min(1).max(20), code: z.string().min(4).max(10) }).returns<{
    shownToCaller: boolean;
  }>(),
};
