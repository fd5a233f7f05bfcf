import { limits } from "../../../config/limits.ts";
import { checkedLookup } from "../../../mixins/outgoing/checked-lookup.ts";
import type { OutgoingError } from "../../../mixins/outgoing/outgoing-error.ts";
import type { Receivers } from "../../../mixins/outgoing/outgoing-url.ts";
import { type NameSources, nameResolver } from "../../../mixins/outgoing/resolve-name.ts";

/** Servers that answer each name with this code, and a machine that knows every name. */
function sources(code: string, machine: NameSources["machine"] = async () => ["10.0.0.9"]) {
  const asked = { servers: 0, machine: 0 };
  const refuse = async (): Promise<string[]> => {
    asked.servers++;
    throw Object.assign(new Error(code), { code });
  };
  const made: NameSources = {
    servers: () => ({ resolve4: refuse, resolve6: refuse, cancel() {} }),
    machine(name) {
      asked.machine++;
      return machine(name);
    },
  };
  return { made, asked };
}

const outcomeOf = (found: Promise<string[]>) => found.catch(({ code }: NodeJS.ErrnoException) => code);

test.each(["ENOTFOUND", "ENODATA", "ECONNREFUSED"])(
  "%s: the machine is asked, but not for public receivers",
  async (code) => {
    const any = sources(code);
    expect(await nameResolver("any", any.made)("gate.example")).toEqual(["10.0.0.9"]);
    const publicOnes = sources(code);
    expect(await outcomeOf(nameResolver("public", publicOnes.made)("gate.example"))).toBe("ENOTFOUND");
    expect(publicOnes.asked.machine).toBe(0);
  },
);

test.each(["ESERVFAIL", "EREFUSED", "EFORMERR", "ETIMEOUT"])(
  "%s of the servers does not say that they do not know the name: no thread waits for it",
  async (code) => {
    const { made, asked } = sources(code);
    expect(await outcomeOf(nameResolver("any", made)("gate.example"))).toBe(code);
    expect(asked.machine).toBe(0);
  },
);

test("names that the machine is asked for hold a bounded number of threads; the next ones are busy", async () => {
  const { promise: free, resolve } = Promise.withResolvers<string[]>();
  const { made, asked } = sources("ENOTFOUND", () => free);
  const find = nameResolver("any", made);
  const held = Array.from({ length: limits.outgoing.machineLookups }, () => find("slow.example"));
  const lookup = checkedLookup(find, () => true);
  const reason = await new Promise((tell) => {
    lookup("next.example", { all: true }, (error) => tell((error as unknown as OutgoingError).reason));
  });
  expect([reason, asked.machine]).toEqual(["busy", limits.outgoing.machineLookups]);
  resolve(["10.0.0.9"]);
  await Promise.all(held);
  expect(await find("next.example")).toEqual(["10.0.0.9"]);
});

test.each<[string, Receivers]>([
  ["localhost", "any"],
  ["api.LOCALHOST.", "public"],
])("%s is this machine, whatever DNS servers do", async (name, receivers) => {
  const { made, asked } = sources("ETIMEOUT");
  expect(await nameResolver(receivers, made)(name)).toEqual(["127.0.0.1", "::1"]);
  expect(asked).toEqual({ servers: 0, machine: 0 });
});
