import { brokerOptions } from "./broker/options.ts";

/** What moleculer-runner reads; the environment itself is read in config/ alone. */
export default brokerOptions({ role: "all" });
