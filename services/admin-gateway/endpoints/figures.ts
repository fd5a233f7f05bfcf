import { z } from "zod";
import { figuresOf } from "../figures/figures.ts";
import { staffEndpoint } from "./endpoint.ts";

const count = z.int();

export const figureEndpoints = [
  staffEndpoint({
    path: "figures",
    summary:
      "The system in numbers: nodes, connections, the gift queue, what waits for people, and the last 60 minutes",
    description:
      "At most two seconds old. `missing` names the services that did not answer: what they know is 0 or empty, and not known.",
    right: "read",
    audited: false,
    params: {},
    result: z.object({
      time: z.string(),
      services: z.array(
        z.object({
          name: z.string(),
          ready: z.boolean(),
          nodes: z.array(
            z.object({
              nodeId: z.string(),
              ready: z.boolean(),
              problem: z.string().nullable().meta({ description: "What is wrong; also where the node is degraded." }),
              uptimeS: z.number().nullable(),
              cpuPercent: z.number().nullable().meta({ description: "Of its process, lately; 100 is one core." }),
              memoryBytes: z.number().nullable(),
            }),
          ),
        }),
      ),
      connections: count.meta({ description: "Of users at im-servers." }),
      rooms: count.meta({ description: "Live rooms." }),
      queue: z.object({
        gifts: count.meta({ description: "That wait or are being settled; of a long queue an estimate." }),
        oldestMs: z.number().nullable(),
        partitions: z.array(z.object({ partition: count, gifts: count })),
      }),
      deadLetters: count,
      parked: count.meta({ description: "Payment orders that wait for a person." }),
      openProposals: count,
      differences: count.meta({ description: "Of the reconciliation." }),
      findings: count.meta({ description: "Differences of the books that nobody has accepted." }),
      perMinute: z.array(
        z.object({ minute: z.string(), gifts: count, coins: count, paidOrders: count, chargedCoins: count }),
      ),
      missing: z.array(z.string()),
    }),
    run: ({ broker }) => figuresOf(broker),
  }),
];
