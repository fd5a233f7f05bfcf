const never = new Int32Array(new SharedArrayBuffer(4));

/** This process stands still for so long, as on a machine that gives it no time; what comes meanwhile stays in its sockets. */
export function standStill(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}
