/** What the anchor and her moderators may do with a line of the chat. */
import { api } from "../api.js";
import { tellFailure } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

const MUTES = [
  ["muteTen", 10],
  ["muteHour", 60],
];

/** @param {{roomId: number, userId: string, msgId: string, name: string}} line */
export function openChatMenu({ roomId, userId, msgId, name }) {
  openDialog({ title: "chatMenu", testid: "chat-menu", body });

  function body({ close }) {
    const act = (work, done) => async () => {
      close();
      try {
        await work();
        toast.say(done, { name });
      } catch (error) {
        tellFailure(error);
      }
    };
    const button = (say, testid, click) => h("button", { class: "button", type: "button", say, testid, on: { click } });
    return h(
      "div",
      { class: "chat-menu" },
      h("p", { class: "chat-menu-name", text: name }),
      MUTES.map(([say, minutes]) =>
        button(
          say,
          `mute-${minutes}`,
          act(() => api.mute({ roomId, userId, minutes }), "muteDone"),
        ),
      ),
      button(
        "unmute",
        "unmute",
        act(() => api.unmute({ roomId, userId }), "unmuteDone"),
      ),
      button(
        "removeChat",
        "remove-chat",
        act(() => api.removeChat({ roomId, msgId }), "removeChatDone"),
      ),
    );
  }
}
