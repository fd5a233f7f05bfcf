import { connect } from "node:net";
import { LOOPBACK } from "./ports.ts";

const ANSWER_DEADLINE_MS = 2000;

/**
 * Sends the text to a port of this machine and returns the answer as soon as `complete` accepts it. Rejects where the
 * connection fails or closes, or the answer is not complete after `deadlineMs`, by default two seconds.
 */
export function converse(
  port: number,
  send: string,
  complete: (received: string) => boolean,
  deadlineMs = ANSWER_DEADLINE_MS,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: LOOPBACK, port });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`port ${port}: ${reason}`));
    };
    socket.setEncoding("utf8");
    socket.setTimeout(deadlineMs, () => fail("no answer"));
    socket.once("error", (error) => fail(error.message));
    socket.once("close", () => fail(`closed after "${received.slice(0, 200)}"`));
    socket.once("connect", () => socket.write(send));
    socket.on("data", (text: string) => {
      received += text;
      if (!complete(received)) return;
      socket.destroy();
      resolve(received);
    });
  });
}
