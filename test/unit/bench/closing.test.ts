import { Closing } from "../../../bench/support/closing.ts";

describe("closing what a benchmark opened", () => {
  it("closes the last opened first, each once", async () => {
    const closed: string[] = [];
    const closing = new Closing();
    for (const name of ["servers", "node"]) closing.add(async () => void closed.push(name));
    await Promise.all([closing.closeAll(), closing.closeAll()]);
    expect(closed).toEqual(["node", "servers"]);
  });

  it("closes the rest where one fails, and then rejects", async () => {
    const closed: string[] = [];
    const closing = new Closing();
    closing.add(async () => void closed.push("servers"));
    closing.add(() => Promise.reject(new Error("the node hangs")));
    await expect(closing.closeAll()).rejects.toThrow("the node hangs");
    expect(closed).toEqual(["servers"]);
  });
});
