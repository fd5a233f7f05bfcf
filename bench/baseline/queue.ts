import type { StreamDefinition } from "../../mixins/jetstream/streams.ts";

/** The baseline's queue, on the same server with file storage, like the product's. */
export const baselineStream: StreamDefinition = {
  name: "BASELINE",
  subjects: ["baseline.gift.*"],
  kind: "queue",
};

export const baselineDurable = "baseline-settler";
