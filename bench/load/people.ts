import { databaseName } from "../../config/config.ts";
import { Person } from "../../test/support/client.ts";
import { seedAccounts } from "../support/seed.ts";

const coins = 1_000_000_000;
const loggedInTogether = 16;

/** Logs users in through the system at `API_URL` and gives each coins without a payment. */
export async function richPeople(count: number, progress: (line: string) => void): Promise<Person[]> {
  progress(`logging in ${count} people`);
  const people: Person[] = [];
  while (people.length < count) {
    const size = Math.min(loggedInTogether, count - people.length);
    people.push(...(await Promise.all(Array.from({ length: size }, () => Person.login()))));
  }
  await seedAccounts(databaseName("wallet"), count, (n) => (people[n] as Person).userId, coins, progress);
  return people;
}
