import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";

/** Kinds of settings, for the base settings and for the blocks that providers declare. */

export const url = (...schemes: string[]) =>
  z
    .url()
    .refine((value) => schemes.includes(URL.parse(value)?.protocol ?? ""), `must start with ${schemes.join(" or ")}//`);

export const text = z.string().min(1);

/** A secret that people choose. */
export const secret = z.string().min(16, "must have at least 16 characters");

/** The value itself, or the content of the file that it names as file:PATH; `undefined` where that cannot be read. */
function valueOrFile(value: string): string | undefined {
  if (!value.startsWith("file:")) return value;
  try {
    return readFileSync(value.slice("file:".length), "utf8");
  } catch {
    return undefined;
  }
}

const unreadableFile = "names a file that does not exist or cannot be read";

/** RSA keys from 2048 bits on. */
const strongRsa = {
  isUsable: ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) =>
    type === "rsa" && (details?.modulusLength ?? 0) >= 2_048,
  is: "RSA key of 2048 bits or more",
};

/** Any text, here or as file:PATH; line ends at its end do not count. Its UTF-8 bytes are the secret. */
export const secretBytes = (minBytes: number) =>
  z.string().transform((value, ctx) => {
    const text = valueOrFile(value)?.replace(/[\r\n]+$/, "");
    if (text !== undefined && Buffer.byteLength(text) >= minBytes) return text;
    const message = text === undefined ? unreadableFile : `must have at least ${minBytes} bytes`;
    ctx.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** A key as PEM in the variable itself (with \n written out or real), or as file:PATH. By default an RSA key. */
export const pem = (kind: "private" | "public", wanted = strongRsa) =>
  z.string().transform((value, ctx) => {
    const unusable = (message: string) => {
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    const text = valueOrFile(value)?.replaceAll("\\n", "\n");
    if (text === undefined) return unusable(unreadableFile);
    if (!text.includes("-----BEGIN ")) return unusable("is no PEM key (and no file:PATH of one)");
    if (kind === "public" && text.includes("PRIVATE KEY")) return unusable("is a private key, a public one is needed");
    try {
      const key = kind === "private" ? createPrivateKey(text) : createPublicKey(text);
      if (!wanted.isUsable(key)) return unusable(`is no ${wanted.is}`);
    } catch {
      // The parser's message may quote the key.
      return unusable(`is no ${kind} key that can be read`);
    }
    return text;
  });

const keyName = /^[A-Za-z0-9_-]{1,16}$/;
const base64url = /^[A-Za-z0-9_-]+$/;

/**
 * Symmetric keys as `name:key,name:key`, or as file:PATH of a file with that content. A key is base64url without
 * padding; the first key is the one that signs. The value is the list without spaces.
 */
export const namedKeys = ({ most, minBytes, maxBytes }: { most: number; minBytes: number; maxBytes: number }) =>
  z.string().transform((value, ctx) => {
    const unusable = (message: string) => {
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    const text = valueOrFile(value)?.replaceAll(/\s/g, "");
    if (text === undefined) return unusable(unreadableFile);
    const entries = text.split(",").map((entry) => entry.split(":"));
    if (entries.length > most) return unusable(`has more than ${most} keys`);
    const names = new Set<string>();
    for (const [at, [name = "", key = "", ...more]] of entries.entries()) {
      const entry = `entry ${at + 1}`;
      if (more.length > 0 || !keyName.test(name))
        return unusable(`${entry} is not NAME:KEY (1 to 16 of A-Z a-z 0-9 _ -)`);
      if (names.has(name)) return unusable(`${entry} has the name of another key`);
      names.add(name);
      const bytes = Buffer.from(key, "base64url");
      if (!base64url.test(key) || bytes.toString("base64url") !== key)
        return unusable(`${entry} has a key that is not base64url`);
      if (bytes.length < minBytes || bytes.length > maxBytes)
        return unusable(`${entry} has a key of ${bytes.length} bytes; it needs ${minBytes} to ${maxBytes}`);
    }
    return text;
  });
