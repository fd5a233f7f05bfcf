import type { Middleware, ServiceBroker } from "moleculer";
import type { Gap } from "./line-queue.ts";
import { outputTo } from "./outputs.ts";

/** What pino writes to. */
interface LogDestination {
  write(line: string): void;
}

const warning = 40;
const droppedLines = "ovation.log.lines.dropped";

/** The line in place of dropped lines, in the log's own form. */
function gapLine({ lines, since, reason }: Gap): string {
  const msg = `${lines} log lines are missing here: they were dropped since they could not be written`;
  return JSON.stringify({ level: warning, time: Date.now(), dropped: lines, since: since.toISOString(), reason, msg });
}

/**
 * The destination of log lines: standard output or a file. Several lines are one write, since a write for each would
 * cost a request as much as its routing. No destination delays the work or the end of the process (`LineOutput`).
 * Waiting lines are written when the process exits; a `kill -9` loses at most `limits.log.flushEveryMs` of lines.
 */
export function logDestination(file: string | undefined): LogDestination {
  const output = outputTo(file);
  output.gapLine = gapLine;
  return { write: (line) => output.write(line) };
}

/** Counts the dropped log lines of this destination, among the node's metrics. */
export function logMetrics(file: string | undefined): Middleware {
  let stop = () => {};
  return {
    created({ metrics }: ServiceBroker) {
      metrics.register({
        name: droppedLines,
        type: "counter",
        description: "Log lines that were dropped, since their destination accepted none for too long",
      });
      // The series begins at 0, so that its first increase is visible.
      metrics.increment(droppedLines, {}, 0);
      stop = outputTo(file).onLoss((lines) => metrics.increment(droppedLines, {}, lines));
    },
    async stopped() {
      stop();
    },
  };
}
