/** Work that a button starts: shown as running, never started twice, its failure always shown. */
import { ApiError } from "./api-error.js";
import { toast } from "./toast.js";

/**
 * The button stays focusable, since disabling it would lose the focus of keyboard users. It ignores clicks meanwhile.
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
  // An expired session has led to the login page, which shows the reason.
  if (!error.loggedOut) tell(error.message);
}

function setBusy(button, busy) {
  if (busy) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
  button.setAttribute("aria-disabled", String(busy));
}
