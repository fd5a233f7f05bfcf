/** The messages between the processes of the idle benchmark. */

export interface Memory {
  rss: number;
  heapTotal: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
}

/** `collect`: the garbage is collected first, so that only live memory is counted. */
export type ToIdleServer = { do: "memory"; collect: boolean };
export type FromIdleServer = { kind: "ready"; address?: string } | ({ kind: "memory" } & Memory);

export type ToIdleClients = { do: "connect"; urls: string[] } | { do: "report" };
export type FromIdleClients = { kind: "connected" } | { kind: "report"; open: number; faults: string[] };
