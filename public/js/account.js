/** The account of this window's user: profile, coin balance and debt, income as an anchor (points, 100 to a coin). */
import { api } from "./api.js";
import { onSessionChange, sessionToken } from "./session.js";

const NOTHING = Object.freeze({
  ...{ user: undefined, balance: undefined, debt: undefined },
  ...{ incomePoints: undefined, heldBackPoints: undefined, settledUpTo: undefined },
});
const changes = new EventTarget();
let account = NOTHING;

onSessionChange(() => update(NOTHING, true));

export function currentAccount() {
  return account;
}

/** Calls the listener now and after every change, until the signal. */
export function watchAccount(listener, signal) {
  changes.addEventListener("change", () => listener(account), { signal });
  listener(account);
}

function update(part, afresh = false) {
  account = Object.freeze({ ...(afresh ? {} : account), ...part });
  changes.dispatchEvent(new Event("change"));
}

/** An answer that arrives after the user has changed belongs to another user. */
async function learn(ask, partOf) {
  const token = sessionToken();
  const answer = await ask();
  if (token === sessionToken()) update(partOf(answer));
}

export function loadUser() {
  return learn(api.initPage, (page) => ({ user: { ...page, userId: String(page.userId) } }));
}

export const refreshBalance = oneAtATime(() =>
  learn(api.products, ({ currentBalance, currentDebt }) => ({ balance: currentBalance, debt: currentDebt })),
);

export const refreshIncome = oneAtATime(() =>
  learn(api.income, ({ incomePoints, heldBackPoints, settledUpTo }) => ({
    ...{ incomePoints, heldBackPoints, settledUpTo },
  })),
);

/** The product list has the balance too: whoever fetches it passes the balance on. */
export function noteBalance(balance, debt) {
  update({ balance, debt });
}

/**
 * However often it is called, one request runs and at most one more waits. Its answer is newer than every event that
 * asked for it, and many gifts cause few requests.
 */
function oneAtATime(work) {
  let running;
  let next;
  return function refresh() {
    if (!running) {
      running = work().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  };
}

/**
 * For values that change a little after their event (income is rolled up apart from the gift, coins arrive after the
 * payment): asks a few times with growing pauses, and starts again with every new event.
 */
export function createFollower(refresh, signal, { firstMs = 400, lastMs = 5_000 } = {}) {
  let wait = 0;
  let timer;
  const step = () => {
    timer = undefined;
    refresh().catch(() => {});
    wait *= 1.8;
    if (wait < lastMs) schedule();
  };
  const schedule = () => {
    timer ??= setTimeout(step, wait);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return () => {
    wait = firstMs;
    if (!signal.aborted) schedule();
  };
}
