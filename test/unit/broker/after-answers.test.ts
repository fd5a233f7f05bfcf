import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAnswers } from "../../../broker/after-answers.ts";
import { within } from "../../../mixins/within.ts";
import { standStill } from "../../support/stand-still.ts";

/** Deadlines of a process that stood still. */

test("an answer that lies in the socket counts, although its deadline is over", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  try {
    const [[far]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [[Socket], unknown];
    const answer = within(50, once(socket, "data"));
    // It is in the socket at once, and read in the next turn.
    far.write("answer");
    standStill(200);
    expect(String((await answer)[0])).toBe("answer");
  } finally {
    socket.destroy();
    server.close();
  }
});

test("what does not come is over at its deadline", async () => {
  await expect(within(20, new Promise(() => {}))).rejects.toThrow("no answer within 20 ms");
});

test("a deadline that was called off does not come, also where it was due already", async () => {
  let came = 0;
  const callOff = afterAnswers(20, () => came++);
  const alsoDue = new Promise<void>((resolve) => setTimeout(resolve, 20));
  // Both are due in one turn, the deadline first.
  standStill(50);
  await alsoDue;
  callOff();
  await new Promise<void>((resolve) => setTimeout(resolve, 50));
  expect(came).toBe(0);
});
