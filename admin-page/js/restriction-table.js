/** Mutes and bans in a table, with the button that ends one. */
import { h } from "/js/dom.js";
import { lift } from "./actions/restrictions.js";
import { badge, timeOf } from "./cells.js";
import { roomLink, userLink } from "./columns.js";

/** Whether it is in force by this machine's clock; the server's decides. */
export function isInForce({ liftedTime, until }) {
  return !liftedTime && (!until || new Date(until).getTime() > Date.now());
}

/** @param {{session: object, after: () => void, withUser?: boolean}} options */
export function restrictionColumns({ session, after, withUser = true }) {
  return [
    { key: "colTime", cell: ({ createTime }) => timeOf(createTime) },
    ...(withUser ? [{ key: "colUser", cell: ({ userId }) => userLink(userId) }] : []),
    { key: "colKind", cell: ({ kind }) => badge("bad", `restriction_${kind}`) },
    {
      key: "restrictWhere",
      cell: ({ roomId }) => (roomId ? roomLink(roomId) : h("span", { say: "restrictEverywhere" })),
    },
    { key: "restrictUntil", cell: ({ until }) => (until ? timeOf(until) : h("span", { say: "for_ever" })) },
    { key: "reason", wide: true, cell: ({ reason }) => reason },
    { key: "colBy", cell: ({ by }) => by },
    { key: "colState", cell: stateOf },
    { key: "colActions", hideLabel: true, cell: liftCell },
  ];

  function liftCell(restriction) {
    if (!isInForce(restriction) || !session.has("restrict")) return " ";
    const button = h("button", { class: "button small", type: "button", say: "liftYes", testid: "lift-open" });
    button.addEventListener("click", () => lift(restriction, after));
    return button;
  }
}

function stateOf(restriction) {
  if (restriction.liftedTime)
    return [badge("plain", "restrictLifted"), " ", timeOf(restriction.liftedTime), ` ${restriction.liftedBy ?? ""}`];
  return isInForce(restriction) ? badge("bad", "restrictInForce") : badge("plain", "restrictOver");
}
