import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { ImBenchContext } from "./context.ts";
import { end, startScript } from "./processes.ts";
import type { Received } from "./received.ts";

/** The protocol of the viewers' sockets. */
export type Wire = "im" | "socketio";

export type Command =
  | { do: "connect"; wire: Wire; urls: string[] }
  | { do: "begin" }
  | { do: "orders" }
  | { do: "report" };

/**
 * Viewers of rooms, in a separate process, so that their CPU is not counted as the server's. They are plain WebSockets
 * that parse only what the figures need, alike for every kind of server.
 */
export class Viewers {
  private readonly child: ChildProcess;

  constructor(context: ImBenchContext, label: string) {
    this.child = startScript(context, label, "bench/im/viewers-process.ts");
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resolves once all viewers are greeted. The addresses have the rooms (`roomId`). */
  async connect(urls: string[], wire: Wire = "im"): Promise<void> {
    await this.ask({ do: "connect", wire, urls });
  }

  /** Starts counting what they receive. */
  async begin(): Promise<void> {
    await this.ask({ do: "begin" });
  }

  /** Orders received since `begin`, by all viewers together. */
  async orders(): Promise<number> {
    return (await this.ask({ do: "orders" })) as number;
  }

  async report(): Promise<Received> {
    return (await this.ask({ do: "report" })) as Received;
  }

  /** Closes all connections. */
  async end(): Promise<void> {
    await end(this.child);
  }

  private async ask(command: Command): Promise<unknown> {
    const over = new AbortController();
    const exit = once(this.child, "exit", { signal: over.signal }).then(([code]) => {
      throw new Error(`the viewers' process ended with ${code}`);
    });
    exit.catch(() => undefined); // It is the rule that it does not end.
    const answer = once(this.child, "message", { signal: over.signal });
    answer.catch(() => undefined); // Where the process ended first.
    try {
      this.child.send(command);
      const [{ error, result }] = (await Promise.race([answer, exit])) as [{ error?: string; result?: unknown }];
      if (error) throw new Error(error);
      return result;
    } finally {
      over.abort();
    }
  }
}
