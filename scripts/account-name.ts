import { userInfo } from "node:os";

/**
 * The account that runs this process, for audit rows; `uid-N` where this machine has no name for it, as in a container.
 */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
