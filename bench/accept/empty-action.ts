import { runWebAction } from "../support/web-action.ts";

/** The action that gift/send is compared with: it does nothing. */
runWebAction(async () => ({ node: "empty", run: () => ({}) }));
