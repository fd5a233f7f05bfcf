import { limits } from "../config/limits.ts";

/** A person who presses Ctrl-C again after this long will not wait; the same press may arrive twice, through npm. */
const impatienceMs = 1_000;

/** Why a process is to stop: a signal, or the end of its parent. */
type StopReason = NodeJS.Signals | "parent is gone";

/**
 * Resolves once `stop` has run, after the first SIGINT, SIGTERM or SIGHUP (a terminal that is closed), or once `parent` is
 * gone. A SIGINT that comes a second and more later ends the process at once. Without a handler SIGHUP would end the
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
 * Resolves once `stop` has, or when its time is over (then `late` is called): it may wait for a server that hangs. Rejects
 * where `stop` rejects in time.
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

/** Resolves once the process of this pid is no longer this one's parent. Does not keep the process alive. */
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
 * Resolves once npm is gone, where npm started this script. npm passes SIGINT and SIGTERM on, but its child does not
 * notice when npm is killed. Never resolves for a script that was started otherwise.
 */
export function npmGone(script: string): Promise<void> {
  if (process.env.npm_lifecycle_event !== script) return new Promise(() => {});
  return parentGone(process.ppid);
}
