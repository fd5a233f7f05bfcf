/** What the processes of the idle benchmark say to each other. */

export interface Memory {
  rss: number;
  heapTotal: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
}

/** `collect` collects the garbage first, so that only what is held is counted. */
export type ToIdleServer = { do: "memory"; collect: boolean };
export type FromIdleServer = { say: "ready"; address?: string } | ({ say: "memory" } & Memory);

export type ToIdleClients = { do: "connect"; urls: string[] } | { do: "report" };
export type FromIdleClients = { say: "connected" } | { say: "report"; open: number; faults: string[] };
