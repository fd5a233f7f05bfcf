/** QR codes, drawn as one SVG path; the squares come from the package lean-qr, which the gateway serves as it is. */
import { generate } from "/vendor/lean-qr.mjs";
import { drawing } from "./dom.js";

const QUIET = 4; // empty modules around the code, by its standard

/** @throws Error where the text is too long for a code */
export function qrCode(text) {
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y += 1)
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
  const side = code.size + 2 * QUIET;
  // Dark on light in every colour scheme: many scanners read nothing else.
  const shapes = [
    ["rect", { width: side, height: side, fill: "#ffffff" }],
    ["path", { d: path, fill: "#000000", "shape-rendering": "crispEdges" }],
  ];
  return drawing(`0 0 ${side} ${side}`, shapes, "qr-code");
}
