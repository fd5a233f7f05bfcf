import type { Log } from "../broker/log.ts";

/**
 * Wraps `work` for a timer or a listener, where an uncaught error would end the process: the error is logged with
 * `name`, and the next call runs as usual.
 */
export function guarded(log: Pick<Log, "error">, name: string, work: () => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      log.error({ err: error, work: name }, "a timer or listener failed: it runs again the next time");
    }
  };
}
