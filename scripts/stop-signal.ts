/** A person who presses Ctrl-C again after this long will not wait; the same press may arrive twice, through npm. */
const impatienceMs = 1_000;

/**
 * Resolves once `stop` has run, after the first SIGINT or SIGTERM. A SIGINT that comes a second and more later ends the
 * process at once.
 */
export function onStopSignal(stop: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stoppingSince: number | undefined;
    const obey = (signal: NodeJS.Signals) => {
      if (stoppingSince !== undefined) {
        if (signal === "SIGINT" && Date.now() - stoppingSince > impatienceMs) process.exit(130);
        return;
      }
      stoppingSince = Date.now();
      stop().then(() => resolve(), reject);
    };
    process.on("SIGINT", obey);
    process.on("SIGTERM", obey);
  });
}
