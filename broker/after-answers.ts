/**
 * Runs `task` once `ms` have passed and what had come to this process by then was read. Where a process stood still, timers
 * may run before its sockets are read: a deadline must not go before an answer that is there. Returns what calls it off.
 */
export function afterAnswers(ms: number, task: () => void): () => void {
  let isOff = false;
  const timer = setTimeout(() => {
    setImmediate(() => {
      if (!isOff) task();
    });
  }, ms);
  return () => {
    isOff = true;
    clearTimeout(timer);
  };
}
