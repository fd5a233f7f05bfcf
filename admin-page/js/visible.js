/** Work that is repeated while the page is looked at. */

/**
 * Runs after each pause, one run at a time, and at once when the page is seen again. It ends with the signal. A run must
 * not reject.
 * @param {number} everyMs
 * @param {() => Promise<void>} run
 * @param {AbortSignal} signal
 */
export function visibleEvery(everyMs, run, signal) {
  let timer;
  let running = false;
  async function go() {
    clearTimeout(timer);
    if (running || signal.aborted || document.hidden) return;
    running = true;
    try {
      await run();
    } finally {
      running = false;
      if (!signal.aborted) timer = setTimeout(go, everyMs);
    }
  }
  if (signal.aborted) return;
  timer = setTimeout(go, everyMs);
  document.addEventListener("visibilitychange", go, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}
