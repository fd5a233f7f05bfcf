import type { Log } from "../broker/log.ts";

/**
 * Wraps `work` for a timer or a listener, where an error would end the process: the error is logged, and the next call
 * runs as usual. `name` names the work in the log.
 */
export function guarded(log: Pick<Log, "error">, name: string, work: () => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      log.error({ err: error, work: name }, "work of a timer or listener failed: it is done again the next time");
    }
  };
}
