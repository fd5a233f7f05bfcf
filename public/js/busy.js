/** Work started by a button: shown as under way, never started twice, its failure always shown. */
import { ApiError } from "./http.js";
import { toast } from "./toast.js";

/**
 * The button stays focusable (disabling it would throw the keyboard user's place away) and ignores what comes meanwhile.
 * @param {(message: string) => void} [tell] where a failure is shown; a toast by default
 */
export async function whileBusy(button, work, tell = toast.failure) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  setBusy(button, true);
  try {
    return await work();
  } catch (error) {
    tellFailure(error, tell);
    return undefined;
  } finally {
    setBusy(button, false);
  }
}

export function tellFailure(error, tell = toast.failure) {
  if (!(error instanceof ApiError)) throw error;
  // A dead session took the person to the login page, which shows the reason.
  if (!error.loggedOut) tell(error.message);
}

function setBusy(button, busy) {
  if (busy) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
  button.setAttribute("aria-disabled", String(busy));
}
