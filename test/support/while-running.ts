/**
 * Does `steps` while `work` goes on, which ends once `isOver` says so, and resolves to its outcome. It ends also where a
 * step fails: work that goes on beyond its test fails when the nodes stop, and hides what failed first.
 */
export async function whileRunning<T>(
  work: (isOver: () => boolean) => Promise<T>,
  steps: () => Promise<unknown>,
): Promise<T> {
  let over = false;
  const running = work(() => over);
  // The step's failure is the one to tell.
  running.catch(() => {});
  try {
    await steps();
  } catch (error) {
    over = true;
    await running.catch(() => {});
    throw error;
  }
  over = true;
  return running;
}
