import { NotUnderstood, operatorOrder } from "../../scripts/operator-command.ts";

const order = (line: string) => operatorOrder(line.split(" ").filter(Boolean)).order;

test("with a role a person is added, without one a console login", () => {
  expect(order("add alice --role admin")).toEqual({ what: "addPerson", name: "alice", role: "admin" });
  expect(order("add alice")).toEqual({ what: "addConsole", name: "alice" });
  expect(order("remove alice")).toEqual({ what: "removeConsole", name: "alice" });
});

test("persons are listed, changed and recovered, at the console of a person", () => {
  expect(operatorOrder(["list", "--as", "lin"])).toEqual({ as: "lin", order: { what: "list" } });
  expect(order("role alice finance")).toEqual({ what: "role", name: "alice", role: "finance" });
  for (const what of ["reset", "disable", "enable"]) expect(order(`${what} a-1`)).toEqual({ what, name: "a-1" });
  expect(order("")).toEqual({ what: "help" });
});

test.each([
  "add",
  "add Alice --role admin",
  "add alice --role boss",
  "add alice --role",
  "add alice bob",
  "role alice",
  "role alice boss",
  "role alice finance more",
  "reset",
  "reset alice --role admin",
  "list alice",
  "promote alice",
  "add alice --rôle admin",
])("%s is not understood", (line) => {
  expect(() => order(line)).toThrow(NotUnderstood);
});
