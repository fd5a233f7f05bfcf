/** Delivers the events of a time again, part by part, with its progress; it can be stopped between two parts. */
import { ApiError } from "/js/api-error.js";
import { openDialog } from "/js/dialog.js";
import { h } from "/js/dom.js";
import { say } from "/js/language.js";
import { call } from "../api.js";
import { timeField } from "../fields.js";
import { number, time } from "../format.js";
import { button } from "../pieces.js";
import { replayRange } from "../replay-range.js";

/** `after` is called once a run has ended: all delivered, stopped or failed. */
export function openReplayRange({ webhookId }, after) {
  const from = timeField({ name: "from", label: "webhookReplayFrom", required: true });
  const to = timeField({ name: "to", label: "webhookReplayTo", required: true });
  const note = h("p", { class: "form-news", role: "status", testid: "replay-progress", hidden: true });
  const bar = h("progress", { hidden: true, label: "webhookReplayRange", testid: "replay-bar", max: "1" });
  const problem = h("p", { class: "form-problem", role: "alert", testid: "replay-problem", hidden: true });
  const go = h("button", { class: "button primary", type: "submit", say: "webhookReplay", testid: "replay-yes" });
  const { close, signal } = openDialog({
    title: "webhookReplayRange",
    testid: "replay",
    wide: true,
    body: () => form(),
  });
  const stop = button("cancel", "replay-stop", () => close(), "");

  function form() {
    return h(
      "form",
      { class: "form", novalidate: true, on: { submit: send } },
      ...[from.row, to.row],
      h("div", { class: "effects-box" }, h("p", { class: "effects-title", say: "willHappen" }), what()),
      ...[bar, note, problem],
      h("div", { class: "dialog-actions", testid: "replay-actions" }, go),
    );
  }

  function what() {
    return h("ul", { class: "effects" }, h("li", { say: "webhookReplayWhat" }));
  }

  async function send(event) {
    event.preventDefault();
    if (go.getAttribute("aria-busy") === "true") return;
    const span = spanOf();
    if (!span) return;
    go.setAttribute("aria-busy", "true");
    go.before(stop);
    say(stop, "webhookReplayStop");
    bar.hidden = false;
    const outcome = await replayRange((next) => call("webhooks/replay", { webhookId, from: next, to: span.to }), {
      ...{ from: span.from, signal },
      onPart: (replayed, nextFrom) => showPart(span, replayed, nextFrom),
    });
    showOutcome(outcome);
    after();
  }

  function spanOf() {
    problem.hidden = true;
    const values = {};
    for (const field of [from, to]) {
      const { value, problem: why } = field.read();
      if (why) return complain(field, why);
      values[field.name] = value;
    }
    if (values.from >= values.to) return complain(to, ["webhookTimeBad", {}]);
    return values;
  }

  function complain({ input }, [key, vars]) {
    say(problem, key, vars);
    problem.hidden = false;
    input.focus();
    return undefined;
  }

  function showPart(span, replayed, nextFrom) {
    const [first, last, at] = [span.from, span.to, nextFrom ?? span.to].map((value) => new Date(value).getTime());
    bar.value = (at - first) / (last - first);
    note.hidden = false;
    say(note, "webhookReplaying", { n: () => number(replayed) });
  }

  function showOutcome({ replayed, stoppedAt, error }) {
    if (error && !(error instanceof ApiError)) throw error;
    go.remove();
    bar.hidden = true;
    say(stop, "close");
    stop.focus();
    const n = () => number(replayed);
    if (stoppedAt === null) {
      note.hidden = false;
      say(note, "webhookReplayed", { n });
      return;
    }
    note.hidden = true;
    problem.hidden = false;
    say(problem, "webhookReplayStopped", { n, msg: error?.message ?? "", time: () => time(stoppedAt) });
  }
}
