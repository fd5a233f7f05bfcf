import { z } from "zod";
import { settingsOf } from "../../config/config.ts";
import type { SettingsBlock } from "../../config/settings-block.ts";
import { type CheckId, checks, type Finding, isCheck } from "./checks.ts";

const idsIn = (value: string) => value.split(",").map((id) => id.trim());

/** Of every node: which findings that cost money are accepted. */
export const preflightSettings: SettingsBlock = {
  title: "Preflight",
  settings: {
    PREFLIGHT_ACCEPT: {
      kind: z.string().superRefine((value, ctx) => {
        const unknown = idsIn(value).filter((id) => !isCheck(id));
        if (unknown.length === 0) return;
        const shown = unknown.map((id) => JSON.stringify(id.slice(0, 40))).join(", ");
        const known = Object.keys(checks).join(", ");
        ctx.addIssue({ code: "custom", message: `has no check of this name: ${shown}; there are ${known}` });
      }),
      optional: true,
      text: [
        "What the preflight may find and a node in production starts all the same, although it costs money: names of checks,",
        "separated by commas, e.g. nats.replicas,mysql.flush. npm run preflight shows what is found, and what it risks.",
      ],
    },
  },
};

/** The checks whose findings do not stop a start. @throws Error with the names that are no check's */
export function acceptedChecks(): ReadonlySet<CheckId> {
  const given = settingsOf(preflightSettings)?.PREFLIGHT_ACCEPT;
  return new Set(given === undefined ? [] : idsIn(given).filter(isCheck));
}

/** What stops the start of a node in production. */
export function refusing(findings: readonly Finding[], accepted: ReadonlySet<CheckId>): Finding[] {
  return findings.filter(({ check, severity }) => severity === "money" && !accepted.has(check));
}
