import { Rate } from "../../../mixins/user-rate.ts";
import { ServerChoice } from "../../../services/im-router/server-choice.ts";
import { ConnectionRegistry } from "../../../services/im-server/connection-registry.ts";

const member = (connectionId: string, userId: string, roomId = 1) => ({ connectionId, userId, roomId });

describe("the connection registry of a node", () => {
  test("the late removal of a replaced connection leaves the newer one", () => {
    const registry = new ConnectionRegistry<ReturnType<typeof member>>();
    const [old, newer] = [member("c1", "7"), member("c2", "7")];
    for (const each of [old, newer]) {
      registry.add(each);
      registry.claim(each);
    }
    expect(registry.remove(old)).toBe(true);
    expect(registry.remove(old)).toBe(false);
    expect(registry.ofUser("7")).toBe(newer);
    expect([...registry.inRoom(1)]).toEqual([newer]);
    registry.remove(newer);
    expect([registry.size, registry.rooms, registry.ofUser("7")]).toEqual([0, [], undefined]);
  });

  test("a connection that is not claimed yet is in its room but not its user's", () => {
    const registry = new ConnectionRegistry<ReturnType<typeof member>>();
    registry.add(member("c1", "7", 3));
    expect(registry.inRoom(3).size).toBe(1);
    expect(registry.ofUser("7")).toBeUndefined();
    expect(registry.claimed()).toEqual([]);
  });
});

describe("the message rate", () => {
  /** One who takes at so much a second after a burst: each call says how many of the tries pass. */
  const taker = (perSecond: number, burst: number) => {
    const rate = new Rate(perSecond, burst);
    let paidUntil = 0;
    return (atMs: number, tries: number) =>
      Array.from({ length: tries }, () => {
        const next = rate.take(paidUntil, atMs);
        paidUntil = next ?? paidUntil;
        return next !== undefined;
      }).filter(Boolean).length;
  };

  test("a burst passes, then as many as come back in time", () => {
    const passed = taker(20, 40);
    expect([passed(1_000, 60), passed(1_500, 60), passed(60_000, 60)]).toEqual([40, 10, 40]);
  });

  test("a clock that is set back gives nothing for free", () => {
    const passed = taker(20, 1);
    expect([passed(1_000, 1), passed(0, 2)]).toEqual([1, 0]);
  });
});

describe("the choice of a server", () => {
  const counted = (choice: ServerChoice, ...connections: number[]) => {
    for (const [i, count] of connections.entries())
      choice.update({ nodeId: `n${i}`, address: `ws://n${i}`, connections: count });
  };
  const everyone = new Set(["n0", "n1", "n2"]);
  const picks = (choice: ServerChoice, times: number) =>
    Array.from({ length: times }, () => choice.choose(everyone)?.nodeId ?? "none");

  test("equals are chosen in rotation, also where their numbers are asked again each time", () => {
    const choice = new ServerChoice();
    const all = Array.from({ length: 9 }, () => {
      counted(choice, 0, 0, 0);
      return picks(choice, 1)[0];
    });
    for (const node of everyone) expect(all.filter((pick) => pick === node)).toHaveLength(3);
  });

  test("the emptier is filled first", () => {
    const choice = new ServerChoice();
    counted(choice, 10, 4, 10);
    expect(picks(choice, 6)).toEqual(Array.from({ length: 6 }, () => "n1"));
  });

  test("one that is gone is not chosen, and where nobody is left there is none", () => {
    const choice = new ServerChoice();
    counted(choice, 0, 5);
    expect(choice.choose(new Set(["n1"]))?.nodeId).toBe("n1");
    expect(choice.choose(new Set())).toBeUndefined();
    choice.drop("n1");
    choice.keep(new Set(["n1", "n2"]));
    expect(picks(choice, 1)).toEqual(["none"]);
  });
});
