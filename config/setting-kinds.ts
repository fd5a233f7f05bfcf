import { createPrivateKey, createPublicKey } from "node:crypto";
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

/** An RSA key as PEM in the variable itself (with \n written out or real), or as file:PATH. */
export const pem = (kind: "private" | "public") =>
  z.string().transform((value, ctx) => {
    const unusable = (message: string) => {
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    let text = value.replaceAll("\\n", "\n");
    if (value.startsWith("file:")) {
      try {
        text = readFileSync(value.slice("file:".length), "utf8");
      } catch {
        return unusable("names a file that does not exist or cannot be read");
      }
    }
    if (!text.includes("-----BEGIN ")) return unusable("is no PEM key (and no file:PATH of one)");
    if (kind === "public" && text.includes("PRIVATE KEY")) return unusable("is a private key, a public one is needed");
    try {
      const key = kind === "private" ? createPrivateKey(text) : createPublicKey(text);
      if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2_048)
        return unusable("is no RSA key of 2048 bits or more");
    } catch {
      // The parser's message may quote the key.
      return unusable(`is no ${kind} key that can be read`);
    }
    return text;
  });
