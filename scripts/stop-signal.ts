import { limits } from "../config/limits.ts";

/**
 * A second Ctrl-C after this time ends the process at once. An earlier one may be the same key press, passed on by npm.
 */
const impatienceMs = 1_000;

/** Why a process must stop: a signal, or the end of its parent. */
type StopReason = NodeJS.Signals | "parent is gone";

/**
 * Resolves once `stop` has run, after the first SIGINT, SIGTERM or SIGHUP (a closed terminal), or once `parent` has
 * ended. A SIGINT that comes a second or more later ends the process at once. Without a handler SIGHUP would end the
 * process at once, also under nohup, since Node resets the signal.
 */
export function onStopSignal(stop: (reason: StopReason) => Promise<unknown>, parent?: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stoppingSince: number | undefined;
    const obey = (reason: StopReason) => {
      if (stoppingSince !== undefined) {
        if (reason === "SIGINT" && Date.now() - stoppingSince > impatienceMs) process.exit(130);
        return;
      }
      stoppingSince = Date.now();
      stop(reason).then(() => resolve(), reject);
    };
    process.on("SIGINT", obey);
    process.on("SIGTERM", obey);
    process.on("SIGHUP", obey);
    void parent?.then(() => obey("parent is gone"));
  });
}

/**
 * Resolves once `stop` has, or when its time is over, after calling `late`: `stop` may wait for a server that hangs.
 * Rejects where `stop` rejects in time.
 */
export async function stopWithin(deadlineMs: number, stop: () => Promise<unknown>, late: () => void): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    late();
    over.resolve();
  }, deadlineMs);
  try {
    await Promise.race([stop(), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once the process of this pid is not the parent of this one. Does not keep the process alive. */
export function parentGone(pid: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === pid) return;
      clearInterval(timer);
      resolve();
    }, limits.restarts.checkParentEveryMs);
    timer.unref();
  });
}

/**
 * Resolves once npm has ended, if npm started this script. npm passes SIGINT and SIGTERM on, but its child is not
 * notified when npm is killed. Never resolves for a script that was started otherwise.
 */
export function npmGone(script: string): Promise<void> {
  if (process.env.npm_lifecycle_event !== script) return new Promise(() => {});
  return parentGone(process.ppid);
}
