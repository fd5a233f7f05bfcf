import { fail } from "../../broker/failure.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import type { SealedSecrets } from "../sealed-secrets.ts";
import { attemptSucceeded, beginAttempt, checkAttempt, enrolledFrom, wrongSetupCode } from "./attempts.ts";
import { type PasswordHashes, requireGoodPassword } from "./passwords.ts";
import {
  consumeStep,
  enrol,
  findPerson,
  noteLogin,
  offerTotpSecret,
  type Person,
  setPassword,
} from "./person-store.ts";
import { deleteSessionsOf } from "./session-store.ts";
import { callerOf, openSession } from "./sessions.ts";
import type { StaffLogin } from "./staff.contract.ts";
import { tokenMacs } from "./token-macs.ts";
import { newTotpSecret, stepOfCode, totpUri } from "./totp.ts";

/** Logins, enrolments, and changes of passwords. Tries are slowed by attempts.ts. */

export interface LoginParts {
  readonly mysql: Database;
  readonly hashes: PasswordHashes;
  /** Encrypts the secrets of apps, each bound to its person. */
  readonly secrets: SealedSecrets;
}

interface Credentials {
  readonly name: string;
  readonly password: string;
  readonly totp: string;
  readonly address: string;
}

interface SetupCodeGiven {
  readonly name: string;
  readonly code: string;
  readonly address: string;
}

/** The secret of nobody's app: a code is checked for everybody, in the same time. */
const nobodysSecret = newTotpSecret();

/** The step of the code, if password and code are right; everything is checked whatever is wrong. */
async function provenStep(
  { hashes, secrets }: LoginParts,
  person: Person | undefined,
  { password, totp }: Pick<Credentials, "password" | "totp">,
  isKnown: boolean,
): Promise<number | undefined> {
  const right = await hashes.matches(password, person?.password ?? null, isKnown);
  const secret = person?.totpSecret ? secrets.open(person.totpSecret, person.name) : nobodysSecret;
  const step = stepOfCode(secret, totp);
  return right && person?.state === "active" && person.totpSecret ? step : undefined;
}

/** See `staff.login`. */
export async function login(parts: LoginParts, credentials: Credentials): Promise<StaffLogin> {
  const { name, address } = credentials;
  const { mysql } = parts;
  const attempt = await beginAttempt(mysql, name, address);
  return checkAttempt(mysql, attempt, async () => {
    const person = await findPerson(mysql, name);
    const step = await provenStep(parts, person, credentials, attempt.isKnown);
    if (!person || step === undefined) throw fail("staffLoginWrong");
    return mysql.transaction(async (tx) => {
      // One failure for every reason, also where the code was used, or the person changed meanwhile.
      if (!(await consumeStep(tx, person, step))) throw fail("staffLoginWrong");
      await attemptSucceeded(tx, attempt, true);
      await noteLogin(tx, name);
      return openSession(tx, { name, role: person.role, address });
    });
  });
}

/**
 * The person with this setup code. It is checked before anything is counted: who has it waits for nobody. Fails:
 * staffLoginWrong, tooMany.
 */
async function invitedPerson({ mysql }: LoginParts, { name, code, address }: SetupCodeGiven): Promise<Person> {
  const person = await findPerson(mysql, name);
  const { setupHash: kept, setupExpires: expires } = person ?? { setupHash: null, setupExpires: null };
  const isRight = kept !== null && expires !== null && tokenMacs().isSetupCode(kept, { token: code, name, expires });
  if (person && isRight && person.state === "invited") return person;
  await wrongSetupCode(mysql, name, address);
  throw fail("staffLoginWrong");
}

/** See `staff.enrolBegin`. */
export async function beginEnrolment(parts: LoginParts, given: SetupCodeGiven): Promise<{ totpUri: string }> {
  const { mysql, secrets } = parts;
  const person = await invitedPerson(parts, given);
  const { name } = person;
  // One of its own for each call: of two at once the later one's counts, and the other's first code is wrong.
  const secret = newTotpSecret();
  if (!(await offerTotpSecret(mysql, person, secrets.seal(secret, name)))) throw fail("staffLoginWrong");
  return { totpUri: totpUri(secret, name) };
}

/** See `staff.enrolFinish`. */
export async function finishEnrolment(
  parts: LoginParts,
  { name, code, password, totp, address }: Credentials & { code: string },
): Promise<StaffLogin> {
  const { mysql, hashes, secrets } = parts;
  const person = await invitedPerson(parts, { name, code, address });
  requireGoodPassword(password, name);
  const step = person.totpSecret === null ? undefined : stepOfCode(secrets.open(person.totpSecret, name), totp);
  if (step === undefined) throw fail("totpWrong");
  // Setup code and app are proven: this is no stranger.
  const hash = await hashes.make(password, true);
  return mysql.transaction(async (tx) => {
    if (!(await enrol(tx, person, hash, step))) throw fail("staffLoginWrong");
    await enrolledFrom(tx, name, address);
    return openSession(tx, { name, role: person.role, address });
  });
}

/** See `staff.changePassword`. */
export async function changePassword(
  parts: LoginParts,
  { session, newPassword, ...given }: Omit<Credentials, "name"> & { session: string; newPassword: string },
): Promise<null> {
  const { mysql, hashes } = parts;
  const { name, sessionId } = await callerOf(mysql, session);
  requireGoodPassword(newPassword, name);
  const attempt = await beginAttempt(mysql, name, given.address);
  return checkAttempt(mysql, attempt, async () => {
    const person = await findPerson(mysql, name);
    const step = await provenStep(parts, person, given, attempt.isKnown);
    // The person of OPERATOR_TOKEN has neither a session nor a password.
    if (!person || step === undefined || sessionId === null) throw fail("staffLoginWrong");
    const hash = await hashes.make(newPassword, attempt.isKnown);
    return mysql.transaction(async (tx) => {
      if (!(await consumeStep(tx, person, step))) throw fail("staffLoginWrong");
      await attemptSucceeded(tx, attempt, false);
      await setPassword(tx, name, hash);
      await deleteSessionsOf(tx, name, sessionId);
      return null;
    });
  });
}
