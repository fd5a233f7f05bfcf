import { fail } from "../../broker/failure.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { setUpsAbout } from "./person-store.ts";

/**
 * Who decides on whose proposals. A proposal needs another human being, and a name alone is none: whoever gave a person
 * the setup code may have used it. So nobody decides on a proposal of somebody to whom they gave the last code, or who
 * gave them theirs; and who got the code, or a role that decides, on the page decides on nothing until proposals that
 * are as old have expired. What is done at a console counts for neither.
 */
export interface Decider {
  readonly name: string;
  /** Operators on whose proposals the person does not decide: their own name and who is too near. */
  readonly near: ReadonlySet<string>;
  /** From when on the person decides; `null`: now. */
  readonly from: Date | null;
}

/** The person of OPERATOR_TOKEN has no row, and decides. */
export async function deciderOf(db: Queryable, name: string): Promise<Decider> {
  const operator = `staff:${name}`;
  const near = new Set([operator]);
  let from: Date | null = null;
  for (const one of await setUpsAbout(db, name, operator)) {
    if (one.name !== name) near.add(`staff:${one.name}`);
    else {
      if (one.setupBy?.startsWith("staff:")) near.add(one.setupBy);
      from = one.decidesFrom;
    }
  }
  return { name, near, from };
}

/** The person, if they decide on proposals by now. Fails: decidesLater. */
export async function requireDecider(db: Queryable, name: string): Promise<Decider> {
  const decider = await deciderOf(db, name);
  if (decider.from !== null) throw fail("decidesLater", { person: name, from: decider.from.toISOString() });
  return decider;
}
