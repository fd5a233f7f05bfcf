export interface Addresses {
  readonly API_URL?: string;
  readonly PAY_NOTIFY_BASE_URL?: string;
  readonly API_PORT: number;
}

const bare = (url: string) => url.replace(/\/+$/, "");

/** Where people reach the gateway: the base of pages to pay at. */
export function pageBase({ API_URL, PAY_NOTIFY_BASE_URL, API_PORT }: Addresses): string {
  return bare(API_URL ?? PAY_NOTIFY_BASE_URL ?? `http://127.0.0.1:${API_PORT}`);
}

/** Where payment providers reach the gateway: the base of their notices. */
export function notifyBase({ API_URL, PAY_NOTIFY_BASE_URL, API_PORT }: Addresses): string {
  return bare(PAY_NOTIFY_BASE_URL ?? API_URL ?? `http://127.0.0.1:${API_PORT}`);
}
