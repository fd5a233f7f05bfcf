/** Starts the page and shows the view that the address names: #/rooms, #/room/ID, #/statement, #/gifts. */
import { loadUser, refreshBalance } from "./account.js";
import { hasPhoneLogin } from "./api.js";
import { tellFailure } from "./busy.js";
import { showHeader } from "./header.js";
import { applyLanguage, useStrings } from "./language.js";
import { takeToken } from "./platform-token.js";
import { isOfPlatform, onSessionChange, sessionToken } from "./session.js";
import { strings } from "./strings.js";
import { toast } from "./toast.js";
import { fromPlatformView } from "./views/from-platform.js";
import { giftRecordsView } from "./views/gift-records.js";
import { loginView } from "./views/login.js";
import { roomView } from "./views/room.js";
import { roomsView } from "./views/rooms.js";
import { statementView } from "./views/statement.js";

const routes = [
  [/^#\/room\/(\d{1,16})$/, (host, signal, [, roomId]) => roomView(host, signal, roomId)],
  [/^#\/statement$/, statementView],
  [/^#\/gifts$/, giftRecordsView],
  [/^/, roomsView],
];

const host = document.getElementById("main");
const header = document.getElementById("header");
let shown; // AbortController of the view on show: its requests, timers and sockets end with it
let signedIn; // AbortController of the session on show

function showView() {
  shown?.abort();
  shown = new AbortController();
  host.replaceChildren();
  // The address stays: who followed a link to a room arrives there after logging in.
  const [pattern, view] = sessionToken() ? routes.find(([address]) => address.test(location.hash)) : [/^/, logInView];
  Promise.resolve(view(host, shown.signal, pattern.exec(location.hash))).catch(tellFailure);
  host.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Users of a platform log in there; so does everybody where this server has no login by phone. */
async function logInView(host, signal) {
  const view = isOfPlatform() || !(await hasPhoneLogin()) ? fromPlatformView : loginView;
  if (!signal.aborted) view(host, signal);
}

function showSession() {
  signedIn?.abort();
  signedIn = new AbortController();
  header.hidden = !sessionToken();
  header.replaceChildren();
  if (sessionToken()) {
    showHeader(header, signedIn.signal);
    loadUser().catch(tellFailure);
    refreshBalance().catch(tellFailure);
  }
  showView();
}

useStrings(strings);
applyLanguage();
onSessionChange(({ detail }) => {
  showSession();
  if (detail.expired) toast.say("failLogin");
});
// A token in the address opens a session, which shows the view.
window.addEventListener("hashchange", () => takeToken() || showView());
// Coins may have moved in another window, the cashier's for one.
window.addEventListener("focus", () => sessionToken() && refreshBalance().catch(() => {}));
takeToken() || showSession();
