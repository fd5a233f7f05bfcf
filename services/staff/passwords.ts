import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";

/** The rules of passwords, and their hashes. */

const { passwordCharsMin, scryptCost, scryptBlockSize, scryptParallel, hashesAtOnce, hashesWaiting } = limits.staff;

/** Beginnings of what people choose where 12 characters are asked for. Compared without case, digits and signs. */
const common = ["password", "passwort", "qwerty", "qwertz", "letmein", "welcome", "admin", "administrator", "iloveyou"];
/** Signs that stand for a letter. */
const spelled: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "@": "a",
  $: "s",
};
const letters = (text: string) => text.replace(/[^a-z]/g, "");

/** Whether a text is a common word and hardly another letter, also where signs stand for some of its letters. */
function isCommon(lower: string): boolean {
  const forms = [letters(lower), letters(lower.replace(/[01345@$]/g, (sign) => spelled[sign] as string))];
  return forms.some((form) => common.some((word) => form.includes(word) && form.replaceAll(word, "").length < 3));
}

/** Whether a text is a shorter one over and over, e.g. `abcabcabcabc`. */
function isRepeated(text: string): boolean {
  return /^(.{1,6}?)\1+.{0,5}$/su.test(text);
}

/** Whether every character is the one before it, or follows it up or down: `abcdefghijkl`, `987654321098`. */
function isRow(text: string): boolean {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, at) => code - (codes[at] as number));
  return steps.filter((step) => step !== 1 && step !== -1 && step !== 0).length <= 1;
}

/** Whether a password may be chosen: long enough, not the name, not digits alone, nothing repeated or common. */
export function isGoodPassword(password: string, name: string): boolean {
  if ([...password].length < passwordCharsMin) return false;
  const lower = password.toLowerCase();
  if (/^[\d\s.-]*$/.test(password) || isRepeated(lower) || isRow(lower)) return false;
  // What is left beside the name has to be long enough by itself.
  if (name.length >= 3 && lower.replaceAll(name, "").length < passwordCharsMin - 4) return false;
  return !isCommon(lower);
}

/** Fails: passwordWeak. */
export function requireGoodPassword(password: string, name: string): void {
  if (!isGoodPassword(password, name)) throw fail("passwordWeak");
}

interface Parameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallel: number;
}

const hashBytes = 32;

/** In a thread of libuv: the event loop does not wait. */
function derive(password: string, salt: Buffer, { cost, blockSize, parallel }: Parameters): Promise<Buffer> {
  const memory = 128 * blockSize * (cost + parallel + 2);
  const options: ScryptOptions = { N: cost, r: blockSize, p: parallel, maxmem: 2 * memory };
  // The same password may be typed in other forms of one letter.
  const text = password.normalize("NFC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hashBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** `scrypt$N$r$p$salt$hash`: a row keeps the parameters that its hash was made with. */
function write({ cost, blockSize, parallel }: Parameters, salt: Buffer, key: Buffer): string {
  return ["scrypt", cost, blockSize, parallel, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/** @throws Error where it is no hash that this module wrote */
function read(kept: string): Parameters & { salt: Buffer; key: Buffer } {
  const [form, cost, blockSize, parallel, salt = "", key = ""] = kept.split("$");
  if (form !== "scrypt" || key === "") throw new Error("a password's hash is of an unknown form");
  const [N, r, p] = [cost, blockSize, parallel].map(Number) as [number, number, number];
  return {
    cost: N,
    blockSize: r,
    parallel: p,
    salt: Buffer.from(salt, "base64url"),
    key: Buffer.from(key, "base64url"),
  };
}

/** At most so many pieces of work at once; a bounded number waits, the others fail. */
class Lane {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= hashesAtOnce) {
      if (this.waiting.length >= hashesWaiting) throw fail("tooMany");
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}

/**
 * Makes and checks hashes of passwords by scrypt. A node makes few at once, so that a flood of logins does not fill its
 * memory, and callers whose address is known do not wait behind strangers.
 */
export class PasswordHashes {
  private readonly known = new Lane();
  private readonly strangers = new Lane();
  /** Of nobody's password: who does not exist takes as long as who does. */
  private readonly nobody: string;
  private readonly present: Parameters;

  /** `cost`: of new hashes. */
  constructor(cost: number = scryptCost) {
    this.present = { cost, blockSize: scryptBlockSize, parallel: scryptParallel };
    this.nobody = write(this.present, randomBytes(16), randomBytes(hashBytes));
  }

  /** Fails: tooMany, where too many wait. */
  make(password: string, isKnown: boolean): Promise<string> {
    const { present } = this;
    const salt = randomBytes(16);
    return this.lane(isKnown).run(async () => write(present, salt, await derive(password, salt, present)));
  }

  /** `kept` null: nobody's. Fails: tooMany, where too many wait. */
  async matches(password: string, kept: string | null, isKnown: boolean): Promise<boolean> {
    const { salt, key, ...parameters } = read(kept ?? this.nobody);
    const derived = await this.lane(isKnown).run(() => derive(password, salt, parameters));
    return timingSafeEqual(derived, key) && kept !== null;
  }

  private lane(isKnown: boolean): Lane {
    return isKnown ? this.known : this.strangers;
  }
}
