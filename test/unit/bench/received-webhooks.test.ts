import { Received } from "../../../bench/webhooks/received.ts";

describe("what receivers of webhooks got", () => {
  it("each delivery counts once at its receiver; a second call of it is doubled", () => {
    const received = new Received();
    for (const receiver of [0, 1]) received.answeredCall(receiver, { id: "msg_1", eventAt: 1_000, at: 1_250 });
    received.answeredCall(0, { id: "msg_1", eventAt: 1_000, at: 9_000 });
    received.hungCall();
    expect(received.take()).toEqual({ answered: 2, lagsMs: [250, 250], doubled: 1, hung: 1 });
  });

  it("figures are of the time since they were taken last; what was answered before is known", () => {
    const received = new Received();
    received.answeredCall(0, { id: "msg_1", eventAt: 0, at: 1 });
    received.take();
    received.answeredCall(0, { id: "msg_1", eventAt: 0, at: 20_000 });
    received.answeredCall(0, { id: "msg_2", eventAt: 5, at: 10 });
    expect(received.take()).toEqual({ answered: 2, lagsMs: [5], doubled: 1, hung: 0 });
  });
});
