interface GuardLog {
  error(about: object, text: string): void;
}

/**
 * `work` for a timer or a listener, where nobody catches what it throws and the process would end of it: that is logged,
 * and the next time comes. `name` says in the log what was not done.
 */
export function guarded(log: GuardLog, name: string, work: () => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      log.error({ err: error, work: name }, "work of a timer or listener failed: it is done again the next time");
    }
  };
}
