import { Breaker, type BreakerPass, type BreakerState } from "../../../../services/gift/gate/breaker.ts";

function opened() {
  const changes: BreakerState[] = [];
  const breaker = new Breaker({ failuresToOpen: 3, openMs: 100 }, (state) => changes.push(state));
  const call = (answered: boolean, now: number) => {
    const pass = breaker.begin(now);
    if (pass) breaker.end(pass, answered, now);
    return pass !== undefined;
  };
  return { breaker, changes, call };
}

test("it opens after so many failures in a row; a success in between starts the count again", () => {
  const { breaker, changes, call } = opened();
  for (const answered of [false, false, true, false, false]) expect(call(answered, 0)).toBe(true);
  expect(changes).toEqual([]);
  call(false, 0);
  expect([breaker.state, call(true, 99)]).toEqual(["open", false]);
});

test("once it has been open for its time one call tries, and decides", () => {
  const { breaker, changes, call } = opened();
  for (let n = 0; n < 3; n++) call(false, 0);
  const trial = breaker.begin(100) as BreakerPass;
  expect([breaker.state, breaker.begin(101), breaker.mayBegin(1_000)]).toEqual(["halfOpen", undefined, false]);
  breaker.end(trial, false, 150);
  expect([breaker.state, breaker.mayBegin(249), breaker.mayBegin(250)]).toEqual(["open", false, true]);
  expect(call(true, 250)).toBe(true);
  expect(changes).toEqual(["open", "halfOpen", "open", "halfOpen", "closed"]);
});

test("calls that end after the state has changed change nothing", () => {
  const { breaker, call } = opened();
  const late = [breaker.begin(0), breaker.begin(0)] as BreakerPass[];
  for (let n = 0; n < 3; n++) call(false, 0);
  breaker.end(late[0] as BreakerPass, true, 10);
  expect(breaker.state).toBe("open");
  const trial = breaker.begin(100) as BreakerPass;
  breaker.end(late[1] as BreakerPass, false, 101);
  breaker.end(trial, true, 102);
  expect(breaker.state).toBe("closed");
});
