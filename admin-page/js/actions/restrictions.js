/** Mutes and bans, their end, and chat that is removed. */
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { localTime } from "../audit-filter.js";
import { choiceField, numberField, reasonField, textField, timeField } from "../fields.js";
import { time } from "../format.js";
import { aboutUser } from "./account.js";

const MINUTE_MS = 60_000;
const OWN_TIME = "own";
const FOR_EVER = "ever";
const LENGTHS = [
  ["10", ["for_minutes", { n: 10 }]],
  ["60", ["for_hours", { n: 1 }]],
  ["1440", ["for_hours", { n: 24 }]],
  ["10080", ["for_days", { n: 7 }]],
  ["43200", ["for_days", { n: 30 }]],
  [FOR_EVER, "for_ever"],
  [OWN_TIME, "for_own"],
];

/**
 * @param {{userId: string, nickName?: string}} user
 * @param {"mute" | "ban"} kind
 * @param {{roomId?: number | string, until?: string | null, after: () => void}} options `roomId` is filled in where the
 *   room is at hand, `until` (null: for ever) where a restriction that was lifted is put back
 */
export function restrict(user, kind, { roomId = "", until: former, after }) {
  const value = former === undefined ? "60" : former === null ? FOR_EVER : OWN_TIME;
  const length = choiceField({ name: "length", label: "restrictLength", choices: LENGTHS, value });
  const start = localTime(former ?? undefined);
  const given = timeField({ name: "until", label: "restrictUntil", value: start, future: true, required: true });
  const isFormer = () => start !== "" && given.input.value === start;
  // Asked for only where it was chosen. The field has whole minutes, the former end is to be put back as it was.
  const own = {
    ...given,
    read: () => {
      if (length.input.value !== OWN_TIME) return { value: undefined };
      return isFormer() ? { value: former } : given.read();
    },
  };
  const room = numberField({
    ...{ name: "roomId", label: "restrictRoom", hint: "restrictRoomHint", required: false, value: roomId, min: 1 },
  });
  // Of one dialog: sent again after a failure, it is the same restriction, with the same end.
  const writeId = crypto.randomUUID?.() ?? undefined;
  const ends = new Map();
  const endSent = (values) => {
    const { length: chosen } = values;
    if (chosen === OWN_TIME) return until(values);
    if (!ends.has(chosen)) ends.set(chosen, until(values));
    return ends.get(chosen);
  };
  const until = ({ length: chosen, until: at }) => {
    if (chosen === FOR_EVER) return undefined;
    return chosen === OWN_TIME ? at : new Date(Date.now() + Number(chosen) * MINUTE_MS).toISOString();
  };
  openAction({
    ...{ testid: kind, title: `${kind}Title`, yes: `${kind}Yes`, danger: true, after },
    ...{ about: aboutUser(user), fields: [length, own, room, reasonField()] },
    effects: (values) => {
      own.row.hidden = values.length !== OWN_TIME;
      const where = values.roomId === undefined ? "Everywhere" : "Room";
      const end = until(values);
      return [[`${kind}Effect${where}`, { id: values.roomId }], endEffect(values, end), `${kind}EffectKept`];
    },
    run: (values) => {
      const end = endSent(values);
      return call("restriction/add", {
        ...(writeId && { writeId }),
        ...{ userId: user.userId, kind, reason: values.reason },
        ...(values.roomId === undefined ? {} : { roomId: values.roomId }),
        ...(end === undefined ? {} : { until: end }),
      });
    },
    done: (added) => ({
      text: `${kind}Done`,
      undo: { say: "liftYes", open: () => lift({ ...added, userId: user.userId, kind }, after) },
    }),
  });
}

function endEffect({ length, roomId }, end) {
  if (end) return ["restrictEffectUntil", { time: () => time(end) }];
  if (length !== FOR_EVER) return "restrictEffectPick";
  return roomId === undefined ? "restrictEffectEver" : "restrictEffectEverRoom";
}

export function lift(restriction, after) {
  openAction({
    ...{ testid: "lift", title: "liftTitle", yes: "liftYes", after },
    ...{ about: aboutUser(restriction), fields: [reasonField()] },
    effects: () => [[`liftEffect_${restriction.kind}`, {}]],
    run: ({ reason }) => call("restriction/lift", { restrictionId: restriction.restrictionId, reason }),
    done: () => ({
      text: "liftDone",
      undo: {
        say: `${restriction.kind}Yes`,
        open: () => restrict(restriction, restriction.kind, formerOf(restriction, after)),
      },
    }),
  });
}

function formerOf({ roomId, until }, after) {
  return { roomId: roomId ?? "", until: until ?? null, after };
}

/** @param {{msgId?: string, senderId?: string, text?: string}} [message] the one that was chosen */
export function removeChat(roomId, after, { msgId = "", senderId, text } = {}) {
  openAction({
    ...{ testid: "remove-chat", title: "chatTitle", yes: "chatYes", danger: true, after },
    about: [["colRoom", String(roomId)], senderId && ["colUser", senderId], text && ["chatText", text]],
    fields: [
      textField({ name: "msgId", label: "chatId", hint: "chatIdHint", value: msgId, maxlength: 64 }),
      reasonField(),
    ],
    effects: () => ["chatEffect"],
    run: (values) => call("chat/remove", { roomId, ...values }),
    done: () => ({ text: "chatDone", note: "noUndo" }),
  });
}

export function closeRoom({ roomId, roomName, watchNum }, after) {
  openAction({
    ...{ testid: "close-room", title: "closeRoomTitle", yes: "closeRoomYes", danger: true, after },
    ...{ about: [["colRoom", `${roomName ?? ""} · ${roomId}`]], fields: [reasonField()] },
    effects: () => [["closeRoomEffect", { n: watchNum ?? 0 }], "closeRoomEffectGifts"],
    run: ({ reason }) => call("room/close", { roomId, reason }),
    done: () => ({ text: "closeRoomDone", note: "closeRoomUndo" }),
  });
}
