/** Logging in by phone and code; the local profile has no SMS and shows the code itself. */
import { api } from "../api.js";
import { whileBusy } from "../busy.js";
import { h } from "../dom.js";
import { languageButton } from "../header.js";
import { say, sayPlain } from "../language.js";
import { openSession } from "../session.js";

const PHONE = /^(13[0-9]|14[01456879]|15[0-35-9]|16[2567]|17[0-8]|18[0-9]|19[0-35-9])\d{8}$/;
const RESEND_S = 60;

export function loginView(host, signal) {
  const phone = field("phone", "phoneHint", {
    type: "tel",
    inputmode: "numeric",
    autocomplete: "tel-national",
    maxlength: 11,
  });
  const code = field("code", "codeHint", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 10 });
  const getCode = h("button", {
    class: "button",
    type: "button",
    say: "codeGet",
    testid: "get-code",
    on: { click: requestCode },
  });
  const submit = h("button", { class: "button primary large", type: "submit", say: "loginGo", testid: "login" });
  const problem = h("p", { class: "form-problem", role: "alert", testid: "login-error", hidden: true });
  const news = h("p", { class: "form-news", role: "status", testid: "code-news", hidden: true });
  const form = h(
    "form",
    { class: "card login-card", novalidate: true, testid: "login-form", on: { submit: logIn } },
    h("h1", { say: "loginTitle" }),
    h("p", { class: "lead", say: "loginLead" }),
    phone.row,
    h("div", { class: "with-button" }, code.row, getCode),
    news,
    problem,
    submit,
    h("p", { class: "small-print", say: "loginWindows" }),
  );
  host.append(h("div", { class: "login" }, brand(), form, languageButton()));

  const countdown = createCountdown(getCode, phone.input, signal);

  function complain(message) {
    sayPlain(problem, message);
    problem.hidden = !message;
  }

  function phoneNumber() {
    const value = phone.input.value.replace(/\s/g, "");
    const good = PHONE.test(value);
    phone.input.setAttribute("aria-invalid", String(!good));
    if (good) return value;
    say(problem, "phoneBad");
    problem.hidden = false;
    phone.input.focus();
    return undefined;
  }

  function requestCode() {
    complain("");
    const number = phoneNumber();
    // While the countdown runs the server would refuse another code.
    if (!number || countdown.running()) return;
    whileBusy(getCode, () => sendCode(number), complain);
  }

  async function sendCode(number) {
    const answer = await api.sendLoginCode(number);
    if (signal.aborted) return;
    countdown.start(number);
    news.hidden = false;
    if (answer?.devCode) {
      say(news, "codeDev", { code: answer.devCode });
      code.input.value = answer.devCode;
      submit.focus();
    } else {
      say(news, "codeSent");
      code.input.focus();
    }
  }

  function logIn(event) {
    event.preventDefault();
    complain("");
    const number = phoneNumber();
    if (!number) return;
    whileBusy(submit, async () => openSession(await api.login(number, code.input.value.trim())), complain);
  }
}

export function brand() {
  return h(
    "div",
    { class: "login-brand" },
    h("img", { src: "/favicon.svg", alt: "", width: 56, height: 56 }),
    h("p", { class: "login-name", text: "Ovation" }),
    h("p", { class: "lead", say: "brandLine" }),
  );
}

/** Counts down on the button until another code may be asked for; another number may have one at once. */
function createCountdown(button, phoneInput, signal) {
  let timer;
  signal.addEventListener("abort", stop);

  function stop() {
    clearInterval(timer);
    timer = undefined;
  }

  function start(number) {
    let left = RESEND_S;
    const tick = () => {
      if (left > 0 && phoneInput.value.replace(/\s/g, "") === number) {
        say(button, "codeAgain", { n: left });
      } else {
        stop();
        say(button, "codeGet");
      }
      left -= 1;
    };
    stop();
    timer = setInterval(tick, 1_000);
    tick();
  }

  return { start, running: () => timer !== undefined };
}

function field(key, hint, attributes) {
  const id = `login-${key}`;
  const input = h("input", { class: "input", id, testid: key, required: true, hint, ...attributes });
  return { input, row: h("div", { class: "field" }, h("label", { for: id, say: key }), input) };
}
