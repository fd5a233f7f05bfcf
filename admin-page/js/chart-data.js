/** What the charts of the figures are drawn from. */

const MINUTE_MS = 60_000;

/**
 * The minutes that are over at `now`, the oldest first, each once: the running one would look like a fall.
 * @param {{minute: string}[]} perMinute
 * @param {string | number} now the server's time of the figures
 */
export function wholeMinutes(perMinute, now) {
  const until = Math.floor(new Date(now).getTime() / MINUTE_MS) * MINUTE_MS;
  const byTime = new Map(perMinute.map((row) => [new Date(row.minute).getTime(), row]));
  return [...byTime]
    .filter(([time]) => time < until)
    .sort(([a], [b]) => a - b)
    .map(([time, row]) => ({ ...row, time }));
}

/**
 * The columns of one chart: seconds since 1970 and values. A minute that is missing between others is a gap, `null`:
 * nobody knows its value.
 * @param {{time: number}[]} minutes as wholeMinutes answers
 * @param {string} field
 * @returns {[number[], (number | null)[]]}
 */
export function columnsOf(minutes, field) {
  const times = [];
  const values = [];
  for (const row of minutes) {
    const last = times.at(-1);
    if (last !== undefined)
      for (let time = last + MINUTE_MS; time < row.time; time += MINUTE_MS) {
        times.push(time);
        values.push(null);
      }
    times.push(row.time);
    values.push(Number.isFinite(row[field]) ? row[field] : null);
  }
  return [times.map((time) => time / 1_000), values];
}

/** The last minute's value and the sum of all; `null` where nothing is known. */
export function summaryOf(minutes, field) {
  const values = minutes.map((row) => row[field]).filter(Number.isFinite);
  return {
    last: minutes.at(-1)?.[field] ?? null,
    sum: values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null,
  };
}

/** The top of the scale: at least a few steps, so that a quiet hour is a line at the bottom, and a little air. */
export function topOf(values) {
  const most = Math.max(0, ...values.filter(Number.isFinite));
  return Math.max(4, Math.ceil(most * 1.1));
}

/** A number for an axis: 950, 1.2K, 3M. */
export function compact(value) {
  const steps = [
    [1_000_000_000, "B"],
    [1_000_000, "M"],
    [1_000, "K"],
  ];
  const [size, unit] = steps.find(([least]) => value >= least) ?? [1, ""];
  return `${Number((value / size).toFixed(1))}${unit}`;
}

/** Bytes as people read memory: 512 KiB, 96.4 MiB, 1.5 GiB. */
export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${Number(size.toFixed(unit === 0 ? 0 : 1))} ${units[unit]}`;
}

/** The services that are not ready, by name; a service without a node is none either. */
export function notReady(services) {
  return services.filter(({ ready }) => !ready).map(({ name }) => name);
}
