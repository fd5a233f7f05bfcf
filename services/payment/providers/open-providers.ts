import { fail } from "../../../broker/failure.ts";
import { readConfig, settingsOf } from "../../../config/config.ts";
import type { BaseSettings, SettingsBlock } from "../../../config/settings-block.ts";
import { safeParse } from "../../safe-parse.ts";
import type { OpenChannel } from "../payment.contract.ts";
import { providers, webhookPath } from "../providers.contract.ts";
import type { OpenProvider, OpenProviders, ProviderSurroundings } from "./provider.ts";

interface Addresses extends Pick<BaseSettings, "API_URL" | "PAY_NOTIFY_BASE_URL"> {
  readonly API_PORT: number;
}

const bare = (url: string) => url.replace(/\/+$/, "");

/** The address at which people reach the gateway: the base of payment pages. */
export function pageBase({ API_URL, PAY_NOTIFY_BASE_URL, API_PORT }: Addresses): string {
  return bare(API_URL ?? PAY_NOTIFY_BASE_URL ?? `http://127.0.0.1:${API_PORT}`);
}

/** The address at which payment providers reach the gateway: the base of their webhooks. */
export function notifyBase({ API_URL, PAY_NOTIFY_BASE_URL, API_PORT }: Addresses): string {
  return bare(PAY_NOTIFY_BASE_URL ?? API_URL ?? `http://127.0.0.1:${API_PORT}`);
}

/** The settings of every declared provider. In production a channel needs an address for its webhooks. */
export const providerSettings: readonly SettingsBlock[] = providers.map(({ settings }) => ({
  ...settings,
  problems(given, base) {
    const problems = settings.problems?.(given, base) ?? [];
    if (base.PROFILE !== "production" || base.PAY_NOTIFY_BASE_URL || base.API_URL) return problems;
    return [
      ...problems,
      ["PAY_NOTIFY_BASE_URL", `is needed (or API_URL), so that the webhooks of ${settings.title} arrive`],
    ];
  },
}));

/** @throws Error that lists every problem of this process's settings, including the providers'. */
export function requireUsableSettings(): void {
  readConfig(process.env, providerSettings);
}

/**
 * Opens the channels whose settings are set, by name, in the order in which payers see them. Other channels accept no
 * orders and no webhooks. The caller stops the open ones.
 */
export async function openProviders(
  addresses: Addresses,
  { mysql, logger }: Pick<ProviderSurroundings, "mysql" | "logger">,
): Promise<OpenProviders> {
  const open = new Map<string, OpenProvider>();
  for (const declared of providers) {
    const settings = settingsOf(declared.settings);
    if (!settings) continue;
    const { open: openChannel } = await declared.load();
    const webhookUrl = notifyBase(addresses) + webhookPath(declared);
    const provider = openChannel({ settings, webhookUrl, pageBase: pageBase(addresses), mysql, logger });
    open.set(declared.name, { declared, provider });
  }
  return open;
}

/** The open channels for payers. */
export function openChannels(open: OpenProviders): OpenChannel[] {
  return [...open.values()].map(({ declared: { payChannel, name, title, kind } }) => ({
    payChannel,
    name,
    title,
    kind,
  }));
}

/**
 * The page of an open channel, as HTML. Fails: notFound, also where the fields are not the page's; and as the page
 * does.
 */
export async function pageOf(
  open: OpenProviders,
  { channel, fields, press }: { channel: string; fields: Readonly<Record<string, string>>; press: boolean },
): Promise<string> {
  const { declared, provider } = open.get(channel) ?? {};
  const checked = declared?.page && safeParse(declared.page.fields, fields);
  if (!checked?.success || !provider?.page) throw fail("notFound", { channel });
  return provider.page(checked.data as Record<string, string>, press);
}
