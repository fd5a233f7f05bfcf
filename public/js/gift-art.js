/**
 * A picture for each gift, drawn here by gift id: the cover files of the catalogue belong to the mobile apps and are
 * not served. A gift without a drawing of its own gets a wrapped box.
 */
import { drawing } from "./dom.js";

const p = (d, fill, more) => ["path", { d, fill, ...more }];
const line = (d, stroke, width = 2.5) =>
  p(d, "none", { stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" });
const dot = (cx, cy, r, fill) => ["circle", { cx, cy, r, fill }];
const oval = (cx, cy, rx, ry, fill) => ["ellipse", { cx, cy, rx, ry, fill }];

const angel = [
  p("M22 34C8 32 3 22 5 14c6 1 15 5 19 14z", "#cfe3ff"),
  p("M42 34c14-2 19-12 17-20-6 1-15 5-19 14z", "#cfe3ff"),
  p("M23 31C13 30 9 24 9 19c6 1 12 4 15 9z", "#eef5ff"),
  p("M41 31c10-1 14-7 14-12-6 1-12 4-15 9z", "#eef5ff"),
  p("M32 27c8 0 14 20 15 30H17c1-10 7-30 15-30z", "#7aa7f8"),
  p("M32 27c3 0 6 20 6 30H26c0-10 3-30 6-30z", "#a9c8ff"),
  dot(32, 21, 8, "#ffd9bd"),
  p("M23 22c0-8 4-11 9-11s9 3 9 11c-3-1-5-4-6-6-2 3-7 5-12 6z", "#c9793b"),
  ["ellipse", { cx: 32, cy: 8, rx: 8, ry: 2.6, fill: "none", stroke: "#ffc53d", "stroke-width": 2.4 }],
];

const crown = [
  p("M10 46 6 20l14 10L32 11l12 19 14-10-4 26z", "#ffbe2e"),
  p("M10 46 6 20l14 10L32 11v35z", "#ffd366"),
  p("M10 46h44v7a2 2 0 0 1-2 2H12a2 2 0 0 1-2-2z", "#e8930c"),
  dot(32, 11, 4, "#ff5d73"),
  dot(6, 20, 3.5, "#4ea8ff"),
  dot(58, 20, 3.5, "#4ea8ff"),
  dot(32, 50, 3, "#ff5d73"),
  dot(21, 50, 2.4, "#fff1c9"),
  dot(43, 50, 2.4, "#fff1c9"),
];

const heartBubble = [
  dot(32, 32, 27, "#ffd9e1"),
  dot(32, 32, 23, "#ffedf1"),
  p("M32 48S14 37 14 26.5C14 16 27 14 32 23c5-9 18-7 18 3.5C50 37 32 48 32 48z", "#f5365c"),
  p("M20 25c0-3 2-5 5-5", "none", { stroke: "#ffb3c2", "stroke-width": 3, "stroke-linecap": "round" }),
  p("M13 20c2-5 6-8 10-9", "none", { stroke: "#fff", "stroke-width": 3, "stroke-linecap": "round" }),
  dot(50, 46, 2, "#fff"),
];

const sportsCar = [
  oval(32, 50, 28, 3, "#0002"),
  p("M4 40c0-5 5-7 13-8 6-7 11-10 19-10 9 0 13 4 17 9 5 1 7 3 7 8v5a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3z", "#e5273f"),
  p("M20 32c5-5 9-7 15-7v7z", "#bfe2ff"),
  p("M38 25c6 0 9 3 12 7H38z", "#bfe2ff"),
  p("M4 40h56v3H4z", "#b5142c"),
  p("M54 34h6v3h-4z", "#ffd366"),
  p("M4 37h5v3H4z", "#ffd9c2"),
  dot(17, 46, 7, "#23262f"),
  dot(17, 46, 3, "#c9ced8"),
  dot(47, 46, 7, "#23262f"),
  dot(47, 46, 3, "#c9ced8"),
];

const rocket = [
  p("M20 42c-6 2-9 9-9 15 6 0 13-3 15-9z", "#ff8a1f"),
  p("M20 45c-3 2-5 5-5 9 4 0 7-2 9-5z", "#ffd54a"),
  p("M18 30 8 34l9 8zM34 46l-4 10-8-9z", "#e0354b"),
  p("M56 8c-14-1-26 7-34 22l-4 9 7 7 9-4C49 34 57 22 56 8z", "#eef1f6"),
  p("M56 8C44 20 32 32 21.5 42.5L25 46l9-4C49 34 57 22 56 8z", "#cdd5e1"),
  p("M56 8c-5 0-9 1-13 3l10 10c2-4 3-8 3-13z", "#e0354b"),
  dot(39, 25, 6, "#3b82d6"),
  dot(39, 25, 3.5, "#9bd0ff"),
];

const pumpkinWitch = [
  oval(20, 41, 12, 14, "#f08a1d"),
  oval(44, 41, 12, 14, "#f08a1d"),
  oval(32, 41, 12, 16, "#ff9d2e"),
  p("M20 40l5-6 4 6zM35 40l4-6 5 6z", "#3a1d52"),
  p("M20 45c7 3 17 3 24 0-1 7-6 9-12 9s-11-2-12-9z", "#3a1d52"),
  p("M27 47h4v3h-4zM35 51h4v3h-4z", "#ffd366"),
  p("M6 27c10-4 42-4 52 0 0 3-12 5-26 5S6 30 6 27z", "#4d2a73"),
  p("M19 26 30 4c4 1 9 3 13 8l-6 1 8 13c-8-3-18-3-26 0z", "#6a3d9a"),
  p("M19 26c8-3 18-3 26 0v-3c-8-3-17-3-25 0z", "#ffb020"),
];

const magicLamp = [
  p("M41 24c-5-2-2-7 2-8s5-5 1-7c8-1 11 4 8 8-2 3-5 3-4 7z", "#b59cf5"),
  p("M46 25c-2-2 0-4 2-5s4-3 3-6c4 2 4 6 2 8s-3 2-3 4z", "#d9ccff"),
  p("M14 34c-9-4-11 3-8 8 3 6 9 8 14 8v-4c-5-1-9-3-10-7-1-3 1-4 5-1z", "#d98a0b"),
  p("M12 34c8-4 24-6 32-2l13-7c2 9-6 20-18 22H24c-7-1-11-6-12-13z", "#ffbe2e"),
  p("M15 38c8 4 22 4 32-3-2 7-7 11-13 12H24c-5-1-8-4-9-9z", "#e89f14"),
  p("M21 32c1-6 4-8 8-8s7 2 8 6c-5-1-11-1-16 2z", "#ffd366"),
  dot(29, 22, 3, "#ff5d73"),
  p("M23 47h16l4 7H19z", "#d98a0b"),
];

const box = [
  p("M10 28h44v26a3 3 0 0 1-3 3H13a3 3 0 0 1-3-3z", "#f26d7d"),
  p("M6 19h52v10H6z", "#ff8b98"),
  p("M27 19h10v38H27z", "#ffd366"),
  line("M32 19c-9 0-16-3-15-8s12-3 15 8c3-11 14-13 15-8s-6 8-15 8z", "#ffb020", 3.5),
];

const byGiftId = new Map([
  [22, angel],
  [23, crown],
  [24, heartBubble],
  [25, sportsCar],
  [27, rocket],
  [28, pumpkinWitch],
  [29, magicLamp],
]);

export function giftArt(giftId, className = "gift-art") {
  return drawing("0 0 64 64", byGiftId.get(Number(giftId)) ?? box, className);
}

export function coinArt(className = "coin-art") {
  return drawing(
    "0 0 24 24",
    [
      dot(12, 12, 11, "#e89f14"),
      dot(12, 12, 8.6, "#ffcf57"),
      p("m12 6.5 1.7 3.6 3.9.5-2.9 2.7.8 3.9L12 15.3l-3.5 1.9.8-3.9-2.9-2.7 3.9-.5z", "#e89f14"),
    ],
    className,
  );
}
