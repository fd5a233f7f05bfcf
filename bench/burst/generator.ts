import { carryOutJobs } from "../support/job-process.ts";
import { type PartOptions, PartSender } from "./part-sender.ts";

/** A process of the burst's load generator. It sends what it loaded last, once. */

export type GeneratorJob = ({ kind: "load" } & PartOptions) | { kind: "send" };

let loaded: PartSender | undefined;

carryOutJobs<GeneratorJob>(async (job) => {
  if (job.kind === "load") {
    loaded = await PartSender.load(job);
    return null;
  }
  const sender = loaded;
  loaded = undefined;
  if (!sender) throw new Error("nothing is loaded");
  return sender.send();
});
