/** What other services may use of the notification service. */
export interface NotificationActions {
  /**
   * Sends a login code by SMS. `shownToCaller` is true only where the provider is the local console, which has no
   * phone to send to. Fails: unavailable, where the provider did not take it.
   */
  sendLoginCode: { params: { phone: string; code: string }; result: { shownToCaller: boolean } };
}

export const notificationParams = {
  sendLoginCode: { phone: { type: "string", min: 1, max: 20 }, code: { type: "string", min: 4, max: 10 } },
} as const;
