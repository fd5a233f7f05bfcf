/** A line of values over minutes, drawn by uPlot, which the gateway serves as it is in its package. */
import uPlot from "/admin/vendor/uplot.js";
import { h } from "/js/dom.js";
import { compact, topOf } from "./chart-data.js";

const HEIGHT = 150;
const LEAST_WIDTH = 120;
const MINUTE_S = 60;

/**
 * @param {{label: string | [string, object], testid: string, signal: AbortSignal}} options `label` for who does not see
 *   it: the numbers are in a table beside it
 * @param {(index: number | undefined) => void} pointed at a value, or at none
 * @returns {{element: HTMLElement, show: (columns: [number[], (number | null)[]]) => void}}
 */
export function createChart({ label, testid, signal }, pointed) {
  const element = h("div", { class: "chart", role: "img", label, testid });
  let chart;
  const watch = new ResizeObserver(() => chart?.setSize(sizeOf(element)));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => chart?.redraw(), { signal });
  signal.addEventListener("abort", () => {
    watch.disconnect();
    chart?.destroy();
  });
  return {
    element,
    show(columns) {
      if (signal.aborted) return;
      if (chart) {
        chart.setData(columns);
        return;
      }
      chart = new uPlot(optionsOf(element, pointed), columns, element);
      watch.observe(element);
    },
  };
}

function sizeOf(element) {
  return { width: Math.max(LEAST_WIDTH, element.clientWidth), height: HEIGHT };
}

/** A colour of the style sheet; read at each drawing, since it follows the system's choice of light and dark. */
const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function optionsOf(element, pointed) {
  const axis = {
    stroke: colour("--muted"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    ...sizeOf(element),
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_chart, _least, most) => [0, topOf([most])] } },
    axes: [
      {
        ...axis,
        size: 26,
        incrs: [5, 10, 15, 30].map((minutes) => minutes * MINUTE_S),
        values: (_c, at) => at.map(clock),
      },
      { ...axis, size: 46, space: 32, incrs: wholeSteps(), values: (_chart, at) => at.map(compact) },
    ],
    series: [{}, { stroke: colour("--link"), fill: colour("--chart-fill"), width: 2, points: { show: false } }],
    hooks: { setCursor: [({ cursor }) => pointed(cursor.idx ?? undefined)] },
  };
}

function clock(seconds) {
  const date = new Date(seconds * 1_000);
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

/** Steps of an axis of whole numbers: 1, 2, 5, 10, 20, 50, ... */
function wholeSteps() {
  return Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
}
