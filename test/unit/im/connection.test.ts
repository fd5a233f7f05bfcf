import { Connection } from "../../../services/im-server/connection.ts";
import { type FrameForm, FrameForms } from "../../../services/im-server/frame-forms.ts";

const forms = (text: string) => new FrameForms(text, "1");

function connected(sendQueueBytes = 1_000, form: FrameForm = "1") {
  const sent: string[] = [];
  const closes: number[] = [];
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    writes: 0,
    sendWire(wire: Buffer) {
      socket.writes++;
      // All texts here are short: two bytes of head.
      for (let at = 0; at < wire.length; ) {
        const end = at + 2 + (wire[at + 1] as number);
        sent.push(wire.subarray(at + 2, end).toString());
        at = end;
      }
    },
    close(code: number) {
      closes.push(code);
      socket.readyState = 2;
    },
  };
  const host = {
    nodeId: "n",
    limits: { sendQueueBytes },
    messageRate: { take: () => true },
    sent: { frames: 0, bytes: 0 },
  };
  const connection = new Connection(socket as never, host, {
    connectionId: "c",
    userId: "7",
    roomId: 1,
    generation: 1,
    anchorId: "1",
    form,
  });
  const texts = () => sent.map((text) => (text.startsWith("{") ? JSON.parse(text).body : text));
  const frame = (seq: number, epoch = "e") => {
    const text = `${epoch}:${seq}`;
    connection.sendOfRoom({ seq, epoch }, forms(text));
  };
  return { connection, socket, sent, texts, closes, frame };
}

test("the greeting comes first, then what was missed, then the room's frames that came meanwhile, each once", () => {
  const { connection, socket, sent, texts, frame } = connected();
  for (const seq of [4, 5, 6, 7]) frame(seq);
  expect(sent).toEqual([]);
  connection.greet({ epoch: "e", seq: 5 }, ["e:4", "e:5"].map(forms), true);
  expect(socket.writes).toBe(1);
  frame(8);
  const greeting = { userId: "7", nodeId: "n", epoch: "e", seq: 5, recovered: true };
  expect(texts()).toEqual([greeting, "e:4", "e:5", "e:6", "e:7", "e:8"]);
});

test("frames up to the greeting's position are not sent, those of a new epoch are", () => {
  const { connection, sent, frame } = connected();
  connection.greet({ epoch: "e", seq: 5 }, [], undefined);
  frame(5);
  frame(1, "f");
  expect(sent.slice(1)).toEqual(["f:1"]);
});

test("lost frames are announced by a greeting, to those alone who were there before them", () => {
  const { connection, texts } = connected();
  connection.sendLost({ epoch: "e", seq: 9 });
  connection.greet({ epoch: "e", seq: 10 }, [], undefined);
  connection.sendLost({ epoch: "e", seq: 10 });
  expect(texts()).toEqual([{ userId: "7", nodeId: "n", epoch: "e", seq: 10 }]);
  connection.sendLost({ epoch: "e", seq: 14 });
  expect(texts().at(-1)).toEqual({ userId: "7", nodeId: "n", epoch: "e", seq: 14, recovered: false });
});

test("a queue that grows beyond its bound closes with 4508, and nothing more is queued", () => {
  const { connection, socket, sent, closes } = connected(100);
  socket.bufferedAmount = 100;
  connection.send("fits");
  expect(closes).toEqual([]);
  socket.bufferedAmount = 101;
  for (const text of ["too much", "later"]) connection.send(text);
  expect([sent, closes]).toEqual([["fits", "too much"], [4508]]);
});

test("the frames that wait for a greeting that does not come are bounded", () => {
  const { closes, frame } = connected();
  for (let seq = 1; seq <= 2_001; seq++) frame(seq);
  expect(closes).toEqual([4508]);
});
