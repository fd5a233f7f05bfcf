/** How the system is: services and nodes, connections, the queue, and what each of the last minutes had. */
import { ApiError } from "/js/api-error.js";
import { h } from "/js/dom.js";
import { say, sayPlain, translate } from "/js/language.js";
import { call } from "../api.js";
import { badge, timeOf, viewHead } from "../cells.js";
import { createChart } from "../chart.js";
import { bytes, columnsOf, notReady, summaryOf, wholeMinutes } from "../chart-data.js";
import { duration, number, time } from "../format.js";
import { knownFigures } from "../known-figures.js";
import { part } from "../pieces.js";
import { staticTable } from "../static-table.js";
import { visibleEvery } from "../visible.js";

export const figuresView = { path: "figures", title: "figuresTitle", right: "read", nav: "system", show };

const EVERY_MS = 5_000;
const CHARTS = [
  ["gifts", "figureGiftsMinute"],
  ["coins", "figureCoinsMinute"],
  ["paidOrders", "figurePaidMinute"],
  ["chargedCoins", "figureChargedMinute"],
];

async function show(root, _params, session) {
  const asOf = h("p", { class: "lead", testid: "figures-time" });
  const problem = h("p", { class: "form-problem", role: "alert", testid: "figures-problem", hidden: true });
  const tiles = h("dl", { class: "tiles", testid: "tiles" });
  const charts = CHARTS.map(([field, title]) => chartCard(field, title, session.signal));
  const minutes = minutesTable();
  const services = servicesTable();
  const verdict = h("p", { testid: "services-verdict" });
  const partitions = partitionsTable();
  for (const { element } of [services, minutes, partitions]) element.classList.add("compact-cards");
  let last; // the time of the figures on show

  const first = await read();
  if (session.signal.aborted) return;
  root.append(
    ...[viewHead("figuresTitle"), asOf, problem, tiles],
    h(
      "div",
      { class: "charts" },
      charts.map(({ element }) => element),
    ),
    h("details", { testid: "minutes" }, h("summary", { say: "figureTable" }), minutes.element),
    part("servicesTitle", verdict, services.element),
    h("details", { testid: "partitions" }, h("summary", { say: "partitionsTitle" }), partitions.element),
  );
  showFigures(first);
  visibleEvery(EVERY_MS, refresh, session.signal);

  async function read() {
    return knownFigures(await call("figures", {}, session));
  }

  async function refresh() {
    try {
      const figures = await read();
      if (!session.signal.aborted) showFigures(figures);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (session.signal.aborted || error.loggedOut) return;
      say(problem, "figuresStale", { msg: error.message, time: () => time(last) });
      problem.hidden = false;
    }
  }

  function showFigures(figures) {
    last = figures.time;
    showMissing(problem, figures.missing ?? []);
    say(asOf, "figuresAt", { time: () => time(last), s: EVERY_MS / 1_000 });
    tiles.replaceChildren(...tilesOf(figures));
    const whole = wholeMinutes(figures.perMinute, figures.time);
    for (const chart of charts) chart.show(whole);
    minutes.show(whole.toReversed());
    services.show(figures.services.flatMap(rowsOf));
    showVerdict(verdict, figures.services);
    partitions.show(figures.queue.partitions);
  }
}

function showMissing(line, missing) {
  line.hidden = missing.length === 0;
  say(line, "figuresMissing", { names: missing.join(", ") });
}

function tilesOf({ connections, rooms, queue, missing = [] }) {
  return [
    tile("figureConnections", number(connections), "connections"),
    tile("figureRooms", number(rooms), "rooms"),
    tile("figureQueue", number(queue.gifts), "queue"),
    tile("figureOldest", missing.includes("gift") ? number(null) : oldestOf(queue), "oldest"),
  ];
}

function oldestOf({ oldestMs }) {
  return oldestMs === null ? h("span", { class: "quiet-text", say: "figureNothingWaits" }) : duration(oldestMs);
}

function tile(label, value, name) {
  return h("div", { class: "card tile" }, h("dt", { say: label }), h("dd", { testid: `figure-${name}` }, value));
}

function chartCard(field, title, signal) {
  const latest = h("span", { class: "chart-number", testid: `chart-${field}-last` });
  const note = h("span", { class: "quiet-text" });
  let shown = [];
  let columns = [[], []];
  let pointedAt;
  const label = ["figureChart", { title: () => translate(title) }];
  const chart = createChart({ label, testid: `chart-${field}`, signal }, point);
  const empty = h("p", { class: "quiet-text chart-empty", say: "figureNoData" });
  const element = h(
    "section",
    { class: "card chart-card" },
    h("h2", { say: title }),
    h("p", { class: "chart-head" }, latest, note),
    chart.element,
    empty,
  );

  /** What the pointer is at, else the last whole minute. */
  function point(index) {
    pointedAt = index;
    if (index !== undefined && columns[0][index] !== undefined) {
      latest.textContent = number(columns[1][index]);
      sayPlain(note, time(columns[0][index] * 1_000));
      return;
    }
    const { last, sum } = summaryOf(shown, field);
    latest.textContent = number(last);
    say(note, "figureLastMinute", { n: () => number(sum) });
  }

  return {
    element,
    show(minutes) {
      shown = minutes;
      columns = columnsOf(minutes, field);
      empty.hidden = minutes.length > 0;
      chart.element.hidden = minutes.length === 0;
      if (minutes.length > 0) chart.show(columns);
      point(pointedAt);
    },
  };
}

function minutesTable() {
  return staticTable({
    ...{ caption: "figureTable", testid: "minutes-table" },
    columns: [
      { key: "thMinute", head: true, cell: ({ minute }) => timeOf(minute) },
      ...CHARTS.map(([field, key]) => ({ key, number: true, cell: (row) => number(row[field]) })),
    ],
  });
}

/** A row for each node of a service; one without a node has a row that says so. */
function rowsOf({ name, ready, nodes }) {
  if (nodes.length === 0) return [{ name, ready, node: undefined }];
  return nodes.map((node) => ({ name, ready: node.ready, node }));
}

function servicesTable() {
  const ofNode = (show) => (row) => (row.node ? show(row.node) : undefined);
  return staticTable({
    ...{ caption: "servicesTitle", testid: "services" },
    columns: [
      { key: "thService", head: true, cell: ({ name }) => name },
      { key: "thReady", wide: true, cell: readyCell },
      { key: "thNode", cell: ofNode(({ nodeId }) => h("span", { class: "id", text: nodeId })) },
      { key: "thCpu", number: true, cell: ofNode(({ cpuPercent }) => percent(cpuPercent)) },
      { key: "thMemory", number: true, cell: ofNode(({ memoryBytes }) => bytes(memoryBytes)) },
      {
        key: "thUptime",
        number: true,
        cell: ofNode(({ uptimeS }) => (uptimeS === null ? undefined : duration(uptimeS * 1_000))),
      },
    ],
  });
}

function readyCell({ ready, node }) {
  if (!node) return badge("bad", "noNode");
  const state = ready ? badge(node.problem ? "wait" : "good", "isReady") : badge("bad", "isNotReady");
  return h("span", {}, state, " ", node.problem ?? "");
}

function percent(value) {
  return Number.isFinite(value) ? `${Math.round(value)} %` : "–";
}

function showVerdict(line, services) {
  const names = notReady(services);
  line.className = names.length === 0 ? "form-news" : "form-problem";
  if (names.length === 0) say(line, "servicesAllReady", { n: services.length });
  else say(line, "servicesNotReady", { n: names.length, names: names.join(", ") });
}

function partitionsTable() {
  return staticTable({
    ...{ caption: "partitionsTitle", testid: "partitions-table" },
    columns: [
      { key: "thPartition", head: true, cell: ({ partition }) => String(partition) },
      { key: "thGifts", number: true, cell: ({ gifts }) => number(gifts) },
    ],
  });
}
