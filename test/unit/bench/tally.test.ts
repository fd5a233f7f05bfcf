import { Tally } from "../../../bench/load/tally.ts";

const success = '{"code":200,';
const busy = (data: string) => ({ status: 503, body: `{"code":503,"msg":"busy","data":${data}}` });

describe("the tally of a load generator", () => {
  it("a success has the status and the code of one", () => {
    const tally = new Tally(success);
    expect(tally.answered({ status: 200, body: '{"code":200,"msg":"","data":{"orderId":"1"}}' })).toBe(true);
    expect(tally.answered({ status: 200, body: '{"code":10010,"msg":"short","data":null}' })).toBe(false);
    expect(tally.answers()).toMatchObject({
      accepted: 1,
      unknown: 0,
      refused: { '200 {"code":10010,"msg":"short"': 1 },
    });
  });

  it("a 503 that names its order may have been accepted; one without did not accept", () => {
    const tally = new Tally(success);
    for (const orderId of ["a", "b"]) tally.answered(busy(`{"orderId":"${orderId}"}`));
    tally.answered(busy("null"));
    expect(tally.answers()).toMatchObject({ accepted: 0, unknown: 2 });
  });

  it("counts failures of one kind together, whatever their order", () => {
    const tally = new Tally(success);
    for (const orderId of ["a", "b"]) tally.answered(busy(`{"orderId":"${orderId}"}`));
    expect(Object.values(tally.answers().refused)).toEqual([2]);
  });

  it("a request without an answer may have been accepted", () => {
    const tally = new Tally(success);
    tally.unanswered();
    expect(tally.answers()).toMatchObject({ accepted: 0, unknown: 1, refused: {} });
  });
});
