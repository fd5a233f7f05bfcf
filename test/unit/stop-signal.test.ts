import { stopWithin } from "../../scripts/stop-signal.ts";

test("a stop that ends in time is waited for, and what it rejects with is passed on", async () => {
  const late = jest.fn();
  await stopWithin(60_000, async () => {}, late);
  await expect(stopWithin(60_000, () => Promise.reject(new Error("x")), late)).rejects.toThrow("x");
  expect(late).not.toHaveBeenCalled();
});

test("a stop that waits for a server that hangs is abandoned when its time is over, with a line", async () => {
  const late = jest.fn();
  await stopWithin(20, () => new Promise(() => {}), late);
  expect(late).toHaveBeenCalledTimes(1);
});
