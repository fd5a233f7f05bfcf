/** Erasing a user: what keeps the user from it is said first, and another person approves it. */
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { checkField, reasonField } from "../fields.js";
import { coins } from "../format.js";
import { aboutUser } from "./account.js";

/** What giving up answers; the others have to be settled. */
const GIVEN_UP = new Set(["coins", "income"]);

export async function erase(user, after) {
  const { obstacles } = await call("user/erasure", { userId: user.userId });
  const left = obstacles.filter((one) => GIVEN_UP.has(one));
  const open = obstacles.filter((one) => !GIVEN_UP.has(one));
  const giveUp = left.length > 0 ? [checkField({ name: "giveUp", label: "eraseGiveUp" })] : [];
  openAction({
    ...{ testid: "erase", title: "eraseTitle", yes: "eraseYes", danger: true, moves: true, after },
    proposed: "eraseProposed",
    about: [...aboutUser(user), ["balance", coins(user.account?.balance)], ["incomeFree", coins(user.income?.income)]],
    fields: [...giveUp, reasonField({ hint: "eraseReasonHint" })],
    effects: (values) => [
      ...open.map((one) => `eraseObstacle_${one}`),
      ...(left.length > 0 && !values.giveUp ? left.map((one) => `eraseObstacle_${one}`) : []),
      ...["eraseEffectPerson", "eraseEffectBooks", "eraseEffectBack", "eraseEffectOther"],
    ],
    run: ({ reason, giveUp: given }) => call("user/erase", { userId: user.userId, giveUp: given ? 1 : 0, reason }),
    done: () => ({ text: "eraseBegun", note: "noUndo" }),
  });
}
