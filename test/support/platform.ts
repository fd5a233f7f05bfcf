import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A platform of the tests: it signs JWTs by hand, so that wrong ones can be made too, and serves its keys.
 */

export const issuer = "https://platform.example";
export const audience = "ovation";

export interface PlatformKey {
  readonly kid: string | undefined;
  readonly alg: "RS256" | "ES256";
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newKey(kid?: string, alg: PlatformKey["alg"] = "RS256"): PlatformKey {
  const { privateKey, publicKey } =
    alg === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2_048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, alg, privateKey, publicKey };
}

export const jwkOf = ({ kid, alg, publicKey }: PlatformKey): object => ({
  ...publicKey.export({ format: "jwk" }),
  ...(kid === undefined ? {} : { kid }),
  alg,
  use: "sig",
});

export const pemOf = ({ publicKey }: PlatformKey): string =>
  publicKey.export({ type: "spki", format: "pem" }) as string;

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const seconds = () => Math.floor(Date.now() / 1_000);

/** The claims of a JWT of now for the user; `undefined` leaves one out. */
export const claimsFor = (sub: unknown, over: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...{ iss: issuer, aud: audience, sub, iat: seconds(), exp: seconds() + 600 },
  ...over,
});

/** A JWT with this header and these claims, and the signature that `signer` makes. */
export function jwtBy(signer: (signed: string) => Buffer, header: object, claims: object): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${signer(signed).toString("base64url")}`;
}

/** A JWT that the platform signs. */
export function jwtOf(key: PlatformKey, claims: object, header: object = {}): string {
  const { kid, alg, privateKey } = key;
  const signer = (signed: string) =>
    sign("sha256", Buffer.from(signed), { key: privateKey, ...(alg === "ES256" ? { dsaEncoding: "ieee-p1363" } : {}) });
  return jwtBy(signer, { alg, ...(kid === undefined ? {} : { kid }), ...header }, claims);
}

/** A JWT of the platform of the running system, which shares JWT_SECRET with it. */
export function sharedJwt(claims: object): string {
  const secret = process.env.JWT_SECRET ?? "";
  return jwtBy((signed) => createHmac("sha256", secret).update(signed).digest(), { alg: "HS256" }, claims);
}

/** An id of a user at the platform that no other test has. */
export const newExternalId = (): string => `user-${randomUUID()}`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** The server of the platform's keys. */
export interface JwksServer {
  readonly url: string;
  /** How often it was asked. */
  asked: number;
  /** Serves these keys. */
  serve(...keys: PlatformKey[]): void;
  /** Answers so instead. */
  answer(how: Answer): void;
  close(): Promise<void>;
}

export async function startJwks(...keys: PlatformKey[]): Promise<JwksServer> {
  let answer: Answer;
  const serve = (...served: PlatformKey[]) => {
    answer = (_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: served.map(jwkOf) }));
    };
  };
  serve(...keys);
  const server: Server = createServer((request, response) => {
    jwks.asked++;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const jwks: JwksServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    asked: 0,
    serve,
    answer: (how) => {
      answer = how;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return jwks;
}
