import { readFileSync, watchFile } from "node:fs";

/*
 * Loaded into a node before everything else (--import): its clock differs from the machine's by the milliseconds in the
 * file DRILL_CLOCK, which may change at any time. It covers what JavaScript reads: `Date.now()` and `new Date()`. The
 * servers' clocks, timers, `performance.now()`, and the times that OpenSSL or the kernel take, are the machine's.
 */

const file = process.env.DRILL_CLOCK;
if (file !== undefined) {
  const Real = Date;
  const now = Real.now.bind(Real);
  let shiftMs = 0;
  const read = () => {
    try {
      shiftMs = Number(readFileSync(file, "utf8")) || 0;
    } catch (error) {
      // Nobody has shifted it yet.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  };
  const shifted = () => now() + shiftMs;
  globalThis.Date = new Proxy(Real, {
    get: (target, name, receiver) => (name === "now" ? shifted : Reflect.get(target, name, receiver)),
    apply: () => new Real(shifted()).toString(),
    construct: (target, args, derived) =>
      Reflect.construct(target, args.length === 0 ? [shifted()] : args, derived === globalThis.Date ? target : derived),
  });
  read();
  watchFile(file, { interval: 200 }, read).unref();
}
