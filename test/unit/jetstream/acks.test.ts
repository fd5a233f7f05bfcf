import { limits } from "../../../config/limits.ts";
import { AckWait, acknowledge, deadLetter } from "../../../mixins/jetstream/acks.ts";
import { FakeMessage, FakePorts, fakeTimers, pass } from "./fake-messages.ts";

/** A message whose connection is closed for good: it can be neither acked nor given back. */
class Unreachable extends FakeMessage {
  override ack(): never {
    throw new Error("CONNECTION_CLOSED");
  }
  override nak(): never {
    throw new Error("CONNECTION_CLOSED");
  }
  override working(): never {
    throw new Error("CONNECTION_CLOSED");
  }
}

test("an ack that cannot be sent is thrown nowhere: not by acks, dead letters or timers", async () => {
  fakeTimers();
  const ports = new FakePorts();
  const message = new Unreachable(1, "a");
  const errors = jest.spyOn(ports.log, "error");
  acknowledge(ports, message.real, () => message.ack());
  const of = { message: message.real, place: "S:d:1", open: 1 };
  const ackWait = new AckWait(ports, [of]);
  await pass(limits.jetstream.ackWaitMs);
  ackWait.arrived(message.real);
  expect(errors).toHaveBeenCalled();
  ackWait.stop();
  const item = { of, index: undefined };
  expect(await deadLetter(ports, "channel", item, "unreadable")).toBe(true);
  ports.writeDead = () => Promise.reject(new Error("away"));
  expect(await deadLetter(ports, "channel", item, "unreadable")).toBe(false);
  expect(ports.dead).toEqual([{ sequence: 1, reason: "unreadable" }]);
});

test("a message that arrives right after the others were extended is extended too, and a later one is not", async () => {
  fakeTimers();
  const ackWait = new AckWait(new FakePorts(), []);
  const extended = async () => {
    const message = new FakeMessage(1, "a");
    const working = jest.spyOn(message, "working");
    ackWait.arrived(message.real);
    return working.mock.calls.length;
  };
  expect(await extended()).toBe(0);
  await pass(limits.jetstream.ackWaitMs / 3);
  expect(await extended()).toBe(1);
  await pass(limits.jetstream.extendLateMs);
  expect(await extended()).toBe(0);
  ackWait.stop();
});
