import { onStopSignal } from "../../scripts/stop-signal.ts";
import { openWorkers } from "./settler.ts";

/** A process of the baseline: takes gifts until it is told to stop. The first argument is the number of consumers. */
async function main(): Promise<void> {
  const workers = await openWorkers(Number(process.argv[2]));
  const stopped = onStopSignal(() => workers.stop());
  await workers.begin();
  // Read by the benchmark: keep its form.
  console.log("ready {}");
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
