/** Saying something to the room. */
import { h } from "../dom.js";
import { toast } from "../toast.js";

const MOST_CHARS = 500;

/** @param {{sendChat: (content: string) => boolean, onSent: (content: string) => void}} options */
export function createChatBox({ sendChat, onSent }) {
  const input = h("input", {
    class: "input",
    maxlength: MOST_CHARS,
    autocomplete: "off",
    enterkeyhint: "send",
    hint: "chatHint",
    label: "chatHint",
    testid: "chat-input",
  });
  const send = h("button", { class: "button", type: "submit", say: "chatSend", testid: "chat-send" });
  const form = h("form", { class: "chat-box", on: { submit } }, input, send);

  function submit(event) {
    event.preventDefault();
    const content = input.value.trim();
    if (!content) return;
    if (!sendChat(content)) {
      toast.say("chatOffline"); // what was written stays to be sent later
      return;
    }
    input.value = "";
    onSent(content);
  }

  return {
    form,
    disable() {
      input.disabled = true;
      send.disabled = true;
    },
  };
}
