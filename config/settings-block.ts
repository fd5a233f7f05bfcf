import type { z } from "zod";

/**
 * Settings that a part of the system declares beside its code. Either all required settings of a block are set, or
 * none.
 */
export interface SettingsBlock {
  /** The title of the block, e.g. `WeChat Pay`. */
  readonly title: string;
  /** Where the process does not start without this block: who needs it. */
  readonly neededBy?: string;
  /** By variable name, in the order of `.env.example`. */
  readonly settings: Readonly<Record<string, BlockSetting>>;
  /** Problems of several values together, by variable name. Called where each value is valid. */
  problems?(given: Readonly<Record<string, string | undefined>>, base: BaseSettings): SettingProblem[];
  /** What else a process with this block needs in its environment. Called also where none of the block's own is set. */
  needs?(base: BaseSettings, env: Readonly<Record<string, string | undefined>>): SettingProblem[];
}

/** The base settings that a block may depend on. */
export interface BaseSettings {
  readonly PROFILE: "local" | "production";
  readonly API_URL?: string;
  readonly PAY_NOTIFY_BASE_URL?: string;
  readonly METRICS_TOKEN?: string;
  readonly CALL_TIMEOUT_MS: number;
  readonly PLAINTEXT_HOSTS: readonly string[];
}

export interface BlockSetting {
  readonly kind: z.ZodType<string, string>;
  /** Whether it may be unset while the others are set. */
  readonly optional?: true;
  /** Opens nothing by itself: it may be set where the others are not, and then counts for nothing. */
  readonly alone?: true;
  /** Its name in the release before: it is read where the present one is not set, with a warning, for one release. */
  readonly formerly?: string;
  /** Its comment in `.env.example`, lines of at most 118 characters. */
  readonly text?: readonly string[];
}

export type SettingProblem = readonly [name: string, message: string];

/** The names of the release before that are set where the present ones are not, each with the present one. */
export function formerNamesIn(
  { settings }: SettingsBlock,
  env: Readonly<Record<string, string | undefined>>,
): { readonly former: string; readonly name: string }[] {
  return Object.entries(settings).flatMap(([name, { formerly }]) =>
    formerly !== undefined && env[formerly] && !env[name] ? [{ former: formerly, name }] : [],
  );
}

/** The settings of a block as `.env.example` has them. */
export function settingsText({ settings }: SettingsBlock): string {
  const lines = Object.entries(settings).flatMap(([name, { text = [] }]) => [
    ...text.map((line) => `# ${line}`),
    `${name}=`,
  ]);
  return `${lines.join("\n")}\n`;
}
