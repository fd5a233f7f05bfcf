/**
 * Follows a payment to its end: asks for the order until its outcome is known, then for the balance until it has
 * changed.
 */
import { currentAccount, refreshBalance } from "./account.js";
import { api, PAY_STATUS } from "./api.js";

const ASK_EVERY_MS = 1_500;
const ASK_AFTER_MS = 3 * 60_000; // for which an expired order is asked about: it is closed, or was paid, by then
const CREDIT_EVERY_MS = 400;
const CREDIT_TRIES = 25;

const NEWS = new Map([
  [PAY_STATUS.PAID, "paid"],
  [PAY_STATUS.CANCELLED, "cancelled"],
  [PAY_STATUS.INVALID, "invalid"],
  [PAY_STATUS.REFUNDED, "invalid"],
]);

let askNow = () => {};

/** A payment was reported over IM (5561): whoever waits for one asks at once. */
export function notePayment() {
  askNow();
}

/**
 * @param {{forMs: number, onNews: (news: "paid" | "credited" | "cancelled" | "invalid", order: object) => void}} watch
 *   `forMs`: how long the order can be paid
 */
export async function watchPayOrder({ orderId, forMs, signal, before, onNews }) {
  const until = Date.now() + forMs + ASK_AFTER_MS;
  while (!signal.aborted && Date.now() < until) {
    const order = await api.payOrder(orderId).catch(() => undefined); // asked again: the answer is only late
    if (signal.aborted) return;
    const news = NEWS.get(order?.status);
    if (news) {
      onNews(news, order);
      if (news === "paid") await awaitCoins({ before, signal, done: () => onNews("credited", order) });
      return;
    }
    await pause(ASK_EVERY_MS, signal);
  }
}

/** The order is paid in one service and credited in another soon after. */
async function awaitCoins({ before, signal, done }) {
  for (let tries = 0; tries < CREDIT_TRIES && !signal.aborted; tries += 1) {
    await refreshBalance().catch(() => {});
    if (currentAccount().balance !== before) return done();
    await pause(CREDIT_EVERY_MS, signal);
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("focus", end);
      signal.removeEventListener("abort", end);
      askNow = () => {};
      resolve();
    };
    const timer = setTimeout(end, ms);
    askNow = end;
    // People come back from the provider's window and want to see the result.
    window.addEventListener("focus", end);
    signal.addEventListener("abort", end);
  });
}
