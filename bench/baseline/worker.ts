import { onStopSignal } from "../../scripts/stop-signal.ts";
import { openWorkers } from "./settler.ts";

/** A process of the baseline: settles gifts until it gets a stop message. The first argument is the number of consumers. */
async function main(): Promise<void> {
  const workers = await openWorkers(Number(process.argv[2]));
  const stopped = onStopSignal(() => workers.stop());
  await workers.begin();
  // The benchmark parses this line.
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
