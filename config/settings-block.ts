import type { z } from "zod";

/** Settings that a part of the system declares beside its code: all of the needed ones are set, or none of the block. */
export interface SettingsBlock {
  /** What they are for, e.g. `WeChat Pay`. */
  readonly title: string;
  /** By variable name, in the order of `.env.example`. */
  readonly settings: Readonly<Record<string, BlockSetting>>;
  /** What no single value shows: problems by variable name. Asked where each value is valid by itself. */
  problems?(given: Readonly<Record<string, string | undefined>>, base: BaseSettings): SettingProblem[];
}

/** What a block may depend on besides itself. */
export interface BaseSettings {
  readonly PROFILE: "local" | "production";
  readonly API_URL?: string;
  readonly PAY_NOTIFY_BASE_URL?: string;
}

export interface BlockSetting {
  readonly kind: z.ZodType<string, string>;
  /** May be left out while the others are set. */
  readonly optional?: true;
  /** Opens nothing by itself: it may be set where the others are not, and then counts for nothing. */
  readonly alone?: true;
  /** Its comment in `.env.example`, lines of at most 118 characters. */
  readonly text?: readonly string[];
}

export type SettingProblem = readonly [name: string, message: string];

/** The settings of a block as `.env.example` has them. */
export function settingsText({ settings }: SettingsBlock): string {
  const lines = Object.entries(settings).flatMap(([name, { text = [] }]) => [
    ...text.map((line) => `# ${line}`),
    `${name}=`,
  ]);
  return `${lines.join("\n")}\n`;
}
