/** The room's IM connection on the page: the address, the texts of its states, and the handlers of its messages. */
import { api } from "./api.js";
import { h } from "./dom.js";
import { BIZ, createImClient } from "./im-client.js";
import { say } from "./language.js";

const TOKEN_REFUSED = 4401;
const ROOM_OVER = new Set([4404, 4410]);
const STOPPED = new Map([
  [4409, "imReplaced"],
  [4414, "imBanned"],
  [4429, "imTooMany"],
]);

/**
 * @param {{onChat, onGifts, onGiftFailed, onPayment, onClosed, onGap, onOnline, onRefused, onBattle, onScores, onChatRemoved}} handlers
 * @returns {{status: HTMLElement, sendChat: (content: string) => boolean, close: () => void}}
 */
export function connectRoom(roomId, signal, handlers) {
  const text = h("span", { testid: "im-text" });
  const again = h("button", {
    class: "button small",
    type: "button",
    say: "imConnect",
    testid: "im-reconnect",
    hidden: true,
  });
  const status = h(
    "div",
    { class: "im-status", role: "status", testid: "im-status" },
    h("span", { class: "im-dot" }),
    text,
    again,
  );
  let freshTokenTried = false;

  const client = createImClient({
    version: 2,
    async url() {
      const { token, wsImServerAddress } = await api.imConfig().catch((error) => {
        error.fatal = error.loggedOut;
        throw error;
      });
      const address = new URL(wsImServerAddress);
      address.searchParams.set("token", token);
      address.searchParams.set("roomId", roomId);
      return address.href;
    },
  });

  client.on("state", showState);
  client.on("gap", () => handlers.onGap());
  client.on("refused", (refusal) => handlers.onRefused(refusal));
  client.on("business", ({ bizCode, userId, msgId, data }) => {
    if (bizCode === BIZ.CHAT) handlers.onChat({ ...data, msgId, senderId: String(data.senderId ?? userId) });
    else if (bizCode === BIZ.CHAT_REMOVED) handlers.onChatRemoved(data.msgId);
    else if (bizCode === BIZ.GIFT) handlers.onGifts(data.gifts);
    else if (bizCode === BIZ.GIFT_FAILED) handlers.onGiftFailed(data);
    else if (bizCode === BIZ.PAYMENT) handlers.onPayment(data);
    else if (bizCode === BIZ.BATTLE_STATE) handlers.onBattle(data);
    else if (bizCode === BIZ.BATTLE_SCORES) handlers.onScores(data);
    else if (bizCode === BIZ.ROOM_CLOSED) handlers.onClosed(data);
  });
  again.addEventListener("click", () => client.connect());
  window.addEventListener("online", () => client.state === "waiting" && client.connect(), { signal });
  signal.addEventListener("abort", () => client.close());
  client.connect();

  function showState({ state, code, reason, retryInMs }) {
    status.dataset.state = state;
    again.hidden = state !== "stopped" && state !== "waiting";
    if (state === "idle") say(text, "imIdle");
    if (state === "connecting") say(text, "imConnecting");
    if (state === "waiting") say(text, "imWaiting", { n: Math.max(1, Math.round(retryInMs / 1_000)) });
    if (state === "stopped") say(text, STOPPED.get(code) ?? "imStopped", { reason: reason || code || "–" });
    if (state === "stopped" && ROOM_OVER.has(code)) handlers.onClosed();
    if (state === "online") {
      freshTokenTried = false;
      say(text, "imOnline");
      handlers.onOnline();
    }
    // A machine may have slept between fetching the token and using it: it tries once more with a new token.
    if (state === "stopped" && code === TOKEN_REFUSED && !freshTokenTried) {
      freshTokenTried = true;
      queueMicrotask(() => !signal.aborted && client.connect());
    }
  }

  return {
    status,
    sendChat: (content) => client.send(BIZ.CHAT, { content }),
    close: () => client.close(),
  };
}
