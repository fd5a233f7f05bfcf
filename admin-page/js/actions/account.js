/** What staff do to a user's account: freeze it, end its sessions, ask for the phone. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { reasonField } from "../fields.js";
import { coins, number } from "../format.js";

/** Who it concerns, in every dialog about a user. */
export function aboutUser({ userId, nickName }) {
  return [["colUser", nickName ? `${nickName} · ${userId}` : String(userId)]];
}

/** The undo is `unfreeze`: nothing of the account is lost. */
export function freeze(user, after) {
  openAction({
    ...{ testid: "freeze", title: "freezeTitle", yes: "freezeYes", danger: true, after },
    ...{ about: aboutUser(user), fields: [reasonField()] },
    effects: () => [
      "freezeEffect",
      "freezeEffectRoom",
      ["freezeEffectKept", { n: () => coins(user.account?.balance) }],
    ],
    run: ({ reason }) => call("account/freeze", { userId: user.userId, reason }),
    done: () => ({ text: "freezeDone", undo: { say: "unfreezeYes", open: () => unfreeze(user, after) } }),
  });
}

/** The user can send and receive gifts again; the balance was kept. */
export function unfreeze(user, after) {
  openAction({
    ...{ testid: "unfreeze", title: "unfreezeTitle", yes: "unfreezeYes", after },
    ...{ about: aboutUser(user), fields: [reasonField()] },
    effects: () => ["unfreezeEffect"],
    run: ({ reason }) => call("account/unfreeze", { userId: user.userId, reason }),
    done: () => ({ text: "unfreezeDone", undo: { say: "freezeYes", open: () => freeze(user, after) } }),
  });
}

/** Ends all of them, with no undo: the user logs in again. A JWT of the platform is no session here. */
export function endSessions(user, after) {
  openAction({
    ...{ testid: "end-sessions", title: "endSessionsTitle", yes: "endSessionsYes", danger: true, after },
    ...{ about: aboutUser(user), fields: [reasonField()] },
    effects: () => [["endSessionsEffect", { n: () => number(user.sessions) }], "endSessionsEffectPlatform"],
    run: ({ reason }) => call("user/endSessions", { userId: user.userId, reason }),
    done: () => ({ text: "endSessionsDone", note: "endSessionsUndo" }),
  });
}

/** The phone in full is shown in the dialog alone, and is gone with it. */
export function showPhone(user) {
  openAction({
    ...{ testid: "phone", title: "phoneTitle", yes: "phoneYes" },
    ...{ about: aboutUser(user), fields: [reasonField()] },
    effects: () => ["phoneEffect"],
    run: ({ reason }) => call("user/phone", { userId: user.userId, reason }),
    done: ({ phone }) => ({
      text: phone ? "phoneDone" : "phoneNone",
      show: phone && h("p", { class: "phone-number", testid: "phone-number", text: phone }),
    }),
  });
}
