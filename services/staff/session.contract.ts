import { z } from "zod";

/**
 * Who calls: the session's token as it was presented, or `token:` and OPERATOR_TOKEN. The latter is the person
 * `operator` of role admin, in the local profile alone. Anything else is nobody: notLoggedIn.
 */
export const session = z.string().max(300);
