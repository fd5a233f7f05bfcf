import { closeForFault } from "../../../services/im-server/socket-fault.ts";

const whose = { connectionId: "c1", userId: "7", roomId: 3 };

function socketThat(closes: () => void) {
  const cut: string[] = [];
  const closed: [number, string][] = [];
  const close = (code: number, reason: string) => {
    closed.push([code, reason]);
    closes();
  };
  return { socket: { close, terminate: () => cut.push("cut") }, closed, cut };
}

function logged() {
  const lines: object[] = [];
  return { lines, log: { error: (about: object) => lines.push(about) } };
}

test("a fault closes its socket with 4422 and is logged with the connection, its user and its room", () => {
  const { socket, closed, cut } = socketThat(() => undefined);
  const { log, lines } = logged();
  const error = new TypeError("Cannot convert object to primitive value");
  closeForFault(log, socket, whose, "message", error);
  expect([closed[0]?.[0], cut, lines]).toEqual([4422, [], [{ ...whose, event: "message", err: error }]]);
});

test("a socket that cannot even be closed is cut, and nothing is thrown, whatever was thrown before", () => {
  const { socket, cut } = socketThat(() => {
    throw new RangeError("closing");
  });
  const { log, lines } = logged();
  closeForFault(log, socket, undefined, "open", { toString: 1 });
  expect([cut, lines.length]).toEqual([["cut"], 2]);
});
