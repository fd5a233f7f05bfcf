/** Numbers and times for people who work with them: exact, with the year, in the zone of the person's machine. */
import { currentLanguage } from "/js/language.js";

const NOTHING = "–";
const POINTS_OF_A_COIN = 100;

function locale() {
  return currentLanguage() === "zh" ? "zh-CN" : "en-GB";
}

/** A number in the language's digits and groups; a dash for what is not there, any other text as it is. */
export function number(value) {
  if (value === undefined || value === null || value === "") return NOTHING;
  const given = Number(value);
  return Number.isFinite(given) ? given.toLocaleString(locale()) : String(value);
}

/** With its sign, and a minus of the width of the plus. */
export function signed(value) {
  return Number(value) > 0 ? `+${number(value)}` : number(value).replace("-", "−");
}

/** Coins with their unit. */
export function coins(value) {
  if (value === undefined || value === null) return NOTHING;
  if (currentLanguage() === "zh") return `${number(value)} 币`;
  return `${number(value)} ${Math.abs(Number(value)) === 1 ? "coin" : "coins"}`;
}

/** Points in full, and what they are in coins: 100 points are a coin. */
export function points(value) {
  if (value === undefined || value === null) return NOTHING;
  const inCoins = (Number(value) / POINTS_OF_A_COIN).toLocaleString(locale(), { maximumFractionDigits: 2 });
  if (currentLanguage() === "zh") return `${number(value)} 点（${inCoins} 币）`;
  return `${number(value)} points (${inCoins} coins)`;
}

/** An amount of money in fen. */
export function yuan(fen) {
  if (fen === undefined || fen === null) return NOTHING;
  return `¥${(Number(fen) / 100).toLocaleString("en-GB", { minimumFractionDigits: 2 })}`;
}

/** A time to the second, of ISO text or milliseconds. What is no time is shown as it is. */
export function time(value, timeZone = undefined) {
  const date = dateOf(value);
  if (!date) return value === undefined || value === null ? NOTHING : String(value);
  const parts = new Intl.DateTimeFormat("en-GB", { ...NUMERIC, timeZone }).formatToParts(date);
  const of = Object.fromEntries(parts.map(({ type, value: text }) => [type, text]));
  return `${of.year}-${of.month}-${of.day} ${of.hour}:${of.minute}:${of.second}`;
}

const NUMERIC = {
  ...{ year: "numeric", month: "2-digit", day: "2-digit" },
  ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
};

/** The same time in full: with milliseconds and the zone, and in UTC, as logs have it. */
export function fullTime(value, timeZone = undefined) {
  const date = dateOf(value);
  if (!date) return "";
  const local = date.toLocaleString(locale(), { dateStyle: "full", timeStyle: "long", timeZone });
  return `${local} · ${date.toISOString()}`;
}

/** How long something took, from milliseconds: 35 ms, 1.2 s, 4 min 5 s, 3 h 10 min, 2 d 4 h. */
export function duration(ms) {
  if (!Number.isFinite(ms)) return NOTHING;
  const of = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (of < 1_000) return `${sign}${Math.round(of)} ms`;
  if (of < 60_000) return `${sign}${(of / 1_000).toLocaleString("en-GB", { maximumFractionDigits: 1 })} s`;
  const [, bigMs, smallMs, bigUnit, smallUnit] = LONG.find(([most]) => of < most);
  const small = Math.floor((of % bigMs) / smallMs);
  return `${sign}${Math.floor(of / bigMs)} ${bigUnit}${small > 0 ? ` ${small} ${smallUnit}` : ""}`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LONG = [
  [HOUR, MINUTE, 1_000, "min", "s"],
  [DAY, HOUR, MINUTE, "h", "min"],
  [Number.POSITIVE_INFINITY, DAY, HOUR, "d", "h"],
];

function dateOf(value) {
  if (value === undefined || value === null || value === "") return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
