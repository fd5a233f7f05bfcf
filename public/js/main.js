/** Starts the page and shows the view that the address names: #/rooms, #/room/ID, #/statement, #/gifts. */
import { loadUser, refreshBalance } from "./account.js";
import { tellFailure } from "./busy.js";
import { showHeader } from "./header.js";
import { applyLanguage } from "./language.js";
import { onSessionChange, sessionToken } from "./session.js";
import { toast } from "./toast.js";
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
  const [pattern, view] = sessionToken() ? routes.find(([address]) => address.test(location.hash)) : [/^/, loginView];
  Promise.resolve(view(host, shown.signal, pattern.exec(location.hash))).catch(tellFailure);
  host.focus({ preventScroll: true });
  window.scrollTo(0, 0);
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

applyLanguage();
onSessionChange(({ detail }) => {
  showSession();
  if (detail.expired) toast.say("failLogin");
});
window.addEventListener("hashchange", showView);
// Coins may have moved in another window, the cashier's for one.
window.addEventListener("focus", () => sessionToken() && refreshBalance().catch(() => {}));
showSession();
