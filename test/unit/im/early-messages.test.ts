import { limits } from "../../../config/limits.ts";
import { holdEarly } from "../../../services/im-server/conversation.ts";
import type { ImSocket } from "../../../services/im-server/im-socket.ts";

function waiting() {
  const closes: number[] = [];
  const socket = {
    OPEN: 1,
    readyState: 1,
    early: [] as unknown[],
    close: (code: number) => {
      closes.push(code);
      socket.readyState = 2;
    },
  };
  const send = (bytes: number) => holdEarly(socket as unknown as ImSocket, Buffer.alloc(bytes), false);
  return { socket, closes, send };
}

test("what a client sends before it is let in is held, and is bounded in number", () => {
  const { socket, closes, send } = waiting();
  for (let i = 0; i < limits.im.messagesBurst; i++) send(10);
  expect([socket.early.length, closes]).toEqual([limits.im.messagesBurst, []]);
  for (let i = 0; i < 1_000; i++) send(10);
  expect(closes).toEqual([4429]);
  expect(socket.early.length).toBe(limits.im.messagesBurst + 1);
});

test("and in bytes", () => {
  const { socket, closes, send } = waiting();
  send(limits.im.frameBytes);
  expect(closes).toEqual([]);
  for (let i = 0; i < 10; i++) send(limits.im.frameBytes);
  expect([closes, socket.early.length]).toEqual([[4429], 2]);
});
