import { becomesTrue } from "../../scripts/stack/wait.ts";

const deadlineMs = 15_000;

/** Waits until a gateway that has just started lets this token in: it reads the revocations first. */
export async function untilLetsIn(port: number, token: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/live/api/home/initPage`;
  const headers = { Authorization: `Bearer ${token}` };
  // A user without a row is answered 200 too, with a code of its own.
  const letsIn = async () => (await fetch(url, { method: "POST", headers })).status === 200;
  if (!(await becomesTrue(letsIn, deadlineMs))) throw new Error("the gateway lets nobody in");
}
