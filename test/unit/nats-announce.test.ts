import { accountsText } from "../../scripts/stack/nats-accounts.ts";
import { announcing } from "../../scripts/stack/nats-announce.ts";

const text = (namespaces: string[]) =>
  accountsText(
    namespaces.flatMap((namespace) => ["provisioner", "gift", "wallet"].map((role) => ({ role, namespace }))),
    () => '"secret"',
  );

test("new accounts are announced by their names alone; the former ones stay as they are", () => {
  const former = text(["one"]);
  const announced = announcing(former, text(["one", "two"])) as string;
  expect(announced.startsWith(former.slice(0, -"}\n".length))).toBe(true);
  const added = announced.slice(former.length - "}\n".length);
  expect(added).toMatch(/ {2}"JS-two[^"]*gift" \{\n {2}\}\n/);
  expect(added).not.toContain("secret");
  expect(added.endsWith("}\n")).toBe(true);
});

test("nothing is announced where no account is new", () => {
  expect(announcing(text(["one", "two"]), text(["one"]))).toBeUndefined();
  expect(announcing(text(["one"]), text(["one"]))).toBeUndefined();
});
