/** Formats numbers, times and names for people. */
import { currentLanguage, translate } from "./language.js";

export function number(value) {
  if (value === undefined || value === null) return "–";
  return Number(value).toLocaleString(currentLanguage() === "zh" ? "zh-CN" : "en-GB");
}

/** Points as coins, 100 to a coin: with two decimals where there is a fraction. */
export function pointsAsCoins(points) {
  if (points === undefined || points === null) return "–";
  const digits = points % 100 === 0 ? 0 : 2;
  return (points / 100).toLocaleString(currentLanguage() === "zh" ? "zh-CN" : "en-GB", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** An amount of money in fen. */
export function yuan(fen) {
  return `¥${(Number(fen) / 100).toLocaleString("en-GB", { minimumFractionDigits: 2 })}`;
}

/** An amount of coins, for `say`. */
export function coins(amount) {
  return [Number(amount) === 1 ? "coin" : "coins", { n: () => number(amount) }];
}

export function signed(value) {
  return Number(value) > 0 ? `+${number(value)}` : number(value).replace("-", "−");
}

/** Times come as ISO text or as milliseconds; what is neither is shown as it is. */
export function time(value) {
  const date = new Date(value);
  if (value === undefined || value === null || Number.isNaN(date.getTime())) return String(value ?? "");
  return date.toLocaleString(currentLanguage() === "zh" ? "zh-CN" : "en-GB", {
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

/** A user of whom only the id is known. */
export function shortUser(userId) {
  return translate("userShort", { id: String(userId).slice(-4) });
}
