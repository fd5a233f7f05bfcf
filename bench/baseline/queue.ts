import type { StreamDefinition } from "../../mixins/jetstream/streams.ts";

/** The baseline's own queue on the same server, on file as the product's is. */
export const baselineStream: StreamDefinition = {
  name: "BASELINE",
  subjects: ["baseline.gift.*"],
  kind: "queue",
};

export const baselineDurable = "baseline-settler";
