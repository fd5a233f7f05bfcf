import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import type { NamedKeys } from "../../config/named-keys.ts";
import { staffKeys } from "../staff-keys.ts";

/** What a MAC is of: a token, bound to its person and to the time until which it is valid. */
export interface BoundToken {
  readonly token: string;
  readonly name: string;
  readonly expires: Date;
}

/** The key is derived, so that it is no key of the apps' secrets. */
const macKey = (secret: KeyObject) => Buffer.from(hkdfSync("sha256", secret, "", "ovation staff tokens", 32));

function mac(key: Buffer, kind: "session" | "setup", { token, name, expires }: BoundToken): Buffer {
  return createHmac("sha256", key).update([kind, name, expires.getTime(), token].join("\0")).digest();
}

/**
 * MACs of sessions and setup codes, by keys that only staff nodes have. Whoever can write the staff database can make no
 * session and no setup code, give none of his own to another person, and make none valid for longer. He can write a row
 * again that he copied, until the end that its MAC names.
 */
export class TokenMacs {
  private readonly keys: readonly Buffer[];

  /** The first key makes MACs, all of them are accepted. */
  constructor({ signing, all }: NamedKeys) {
    const others = [...all.values()].filter(({ id }) => id !== signing.id);
    this.keys = [signing, ...others].map(({ secret }) => macKey(secret));
  }

  session(of: BoundToken): Buffer {
    return mac(this.keys[0] as Buffer, "session", of);
  }

  setupCode(of: BoundToken): Buffer {
    return mac(this.keys[0] as Buffer, "setup", of);
  }

  isSession(kept: Buffer, of: BoundToken): boolean {
    return this.keys.some((key) => timingSafeEqual(mac(key, "session", of), kept));
  }

  isSetupCode(kept: Buffer, of: BoundToken): boolean {
    return this.keys.some((key) => timingSafeEqual(mac(key, "setup", of), kept));
  }
}

let ofProcess: TokenMacs | undefined;

/** By the keys of this process. @throws Error that lists every problem of its settings, STAFF_KEYS among them */
export function tokenMacs(): TokenMacs {
  ofProcess ??= new TokenMacs(staffKeys());
  return ofProcess;
}
