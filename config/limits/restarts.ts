/** For nodes and private servers that end by themselves, in `npm start` and `npm run cluster`. */
export const restartsLimits = Object.freeze({
  most: 5,
  withinMs: 10 * 60_000,
  firstPauseMs: 500,
  maxPauseMs: 15_000,
  nodeStopMs: 20_000,
  /** How long a node lets its own stop take: less, so that it can log the reason before it is killed. */
  ownStopMs: 18_000,
  /** How often the processes and the containers of private servers, and a process's parent, are checked. */
  checkEveryMs: 1_000,
  checkContainersEveryMs: 10_000,
  checkParentEveryMs: 500,
});
