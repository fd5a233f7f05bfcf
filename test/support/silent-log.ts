import type { Log } from "../../broker/log.ts";

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
