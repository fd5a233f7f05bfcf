import fc from "fast-check";
import { billDay, dayOf, daysToCompare, isOver, latestRun } from "../../../services/payment/bill-day.ts";
import type { BillLine } from "../../../services/payment/payment.contract.ts";
import { readAlipayBill } from "../../../services/payment/providers/alipay/alipay-bill.ts";
import { unzip } from "../../../services/payment/providers/alipay/zip.ts";
import { billText, readCashierBill } from "../../../services/payment/providers/cashier/cashier-bill.ts";
import { readWechatBill } from "../../../services/payment/providers/wechat/wechat-bill.ts";
import { providers } from "../../../services/payment/providers.contract.ts";
import { gbk, zip } from "../../support/providers/bill-archive.ts";

const room = 1_000_000;

describe("a bill of WeChat Pay", () => {
  const heading = "交易时间,微信订单号,商户订单号,交易状态,商品名称,订单金额,申请退款金额";

  test("is its rows of payments and refunds, up to the sums", () => {
    const text = [
      heading,
      "`2026-11-22 10:00:00,`4200,`0190a0b0c0d070e080f0a1b2c3d4e5f6,`SUCCESS,`30元, 旗鱼币,`30.00,`0.00",
      "`2026-11-22 11:00:00,`4200,`0190a0b0c0d070e080f0a1b2c3d4e5f6,`REFUND,`coins,`0.00,`30.00",
      "`2026-11-22 11:00:00,`4201,`x,`REVOKED,`coins,`0.00,`0.00",
      "总交易单数,应结订单总金额",
      "`2,`30.00",
    ].join("\r\n");
    const common = { orderId: "0190a0b0-c0d0-70e0-80f0-a1b2c3d4e5f6", transactionId: "4200", amount: 3_000 };
    expect(readWechatBill(`\uFEFF${text}`)).toEqual([
      { ...common, kind: "paid" },
      { ...common, kind: "refunded" },
    ]);
  });

  test("has a row with its number for each refund of a payment, whatever its state", () => {
    const row = (id: string, state: string, yuan: string) =>
      `\`2026-11-22 11:00:00,\`4200,\`o,\`REFUND,\`${id},\`r-${id},\`${state},\`coins,\`0.00,\`${yuan}`;
    const text = [
      "交易时间,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,退款状态,商品名称,订单金额,申请退款金额",
      row("5001", "PROCESSING", "10.00"),
      row("5002", "SUCCESS", "20.00"),
      ...["总交易单数,应结订单总金额", "`2,`0.00"],
    ].join("\r\n");
    const common = { kind: "refunded", orderId: "o", transactionId: "4200" };
    expect(readWechatBill(text)).toEqual([
      { ...common, amount: 1_000, refundId: "5001" },
      { ...common, amount: 2_000, refundId: "5002" },
    ]);
  });

  test("that was cut off is refused", () => {
    const row = "`2026-11-22 10:00:00,`4200,`o,`SUCCESS,`coins,`30.00,`0.00";
    expect(() => readWechatBill([heading, row].join("\r\n"))).toThrow(/incomplete bill/);
  });

  test.each(["", "<html>", `${heading}\r\n\`t,\`4200,\`o,\`SUCCESS,\`c,\`much,\`0.00`, "交易时间,商户订单号\r\n`t,`o"])(
    "is not %j",
    (text) => {
      expect(() => readWechatBill(text)).toThrow(RangeError);
    },
  );
});

describe("a bill of Alipay", () => {
  const table = (row: string) =>
    gbk(`#业务明细\r\n支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）\r\n${row}\r\n#结束\r\n`);

  test("is the table of trades in its archive", () => {
    const archive = zip([gbk("#汇总\r\n"), table("2026\t,order-1\t,交易,2026-11-22 10:00:01,30.00")]);
    expect(readAlipayBill(archive, room)).toEqual([
      { kind: "paid", orderId: "order-1", transactionId: "2026", amount: 3_000 },
    ]);
  });

  test("has refunds below zero", () => {
    const archive = zip([table("2026\t,order-1\t,退款,2026-11-22 10:00:01,-30.00")]);
    expect(readAlipayBill(archive, room)).toMatchObject([{ kind: "refunded", amount: 3_000 }]);
  });

  test("has a row with its number for each refund of a trade", () => {
    const heading = "支付宝交易号,商户订单号,业务类型,订单金额（元）,退款批次号/请求号";
    const rows = ["2026\t,order-1\t,退款,-10.00,part-1\t", `2026\t,order-1\t,退款,-20.00,${"x".repeat(70)}`];
    const archive = zip([gbk(`#业务明细\r\n${heading}\r\n${rows.join("\r\n")}\r\n#结束\r\n`)]);
    const common = { kind: "refunded", orderId: "order-1", transactionId: "2026" };
    expect(readAlipayBill(archive, room)).toEqual([
      { ...common, amount: 1_000, refundId: "part-1" },
      { ...common, amount: 2_000, refundId: "x".repeat(64) },
    ]);
  });

  test.each([
    ["an archive without trades", zip([gbk("#汇总\r\n")])],
    ["a row whose amount is none", zip([table("2026,order-1,交易,t,many")])],
    ["no archive", Buffer.from("<html>not found</html>")],
    ["nothing", Buffer.alloc(0)],
  ])("is not %s", (_what, archive) => {
    expect(() => readAlipayBill(archive, room)).toThrow(RangeError);
  });

  test("does not unpack to more than the bound, whatever size it states", () => {
    const bomb = zip([Buffer.alloc(100_000)]);
    expect(() => unzip(bomb, 99_999)).toThrow(RangeError);
    const entry = bomb.indexOf(Buffer.from("PK\x01\x02"));
    bomb.writeUInt32LE(1, entry + 24);
    expect(() => unzip(bomb, 99_999)).toThrow(RangeError);
    expect(unzip(zip([Buffer.from("a"), Buffer.from("b")]), 2).map(String)).toEqual(["a", "b"]);
  });

  test("that is cut short is refused", () => {
    const whole = zip([table("2026,order-1,交易,t,30.00")]);
    for (let cut = 1; cut < whole.length; cut += 7)
      expect(() => readAlipayBill(whole.subarray(cut), room)).toThrow(
        // Node's own, of a read past the end, is of another realm than the test's.
        expect.objectContaining({ name: "RangeError" }),
      );
  });
});

describe("a bill of the cashier", () => {
  const common = { orderId: "order-1", transactionId: "sandbox-1", amount: 3_000 };
  const lines = [
    { ...common, kind: "paid" as const },
    { ...common, kind: "refunded" as const, amount: 5 },
  ];
  const text = billText(lines.map((line) => ({ ...line, time: new Date("2026-11-22T02:00:00Z") })));

  test("is read as it was written", () => {
    expect(text.split("\n").slice(0, 2)).toEqual([
      "time,transaction,order,kind,yuan",
      "2026-11-22T02:00:00.000Z,sandbox-1,order-1,paid,30.00",
    ]);
    expect(readCashierBill(text)).toEqual(lines);
    expect(readCashierBill(billText([]))).toEqual([]);
  });

  test("that was cut off, or whose lines are none of its own, is refused", () => {
    for (let end = 0; end < text.length; end++) expect(() => readCashierBill(text.slice(0, end))).toThrow(RangeError);
    expect(() => readCashierBill(text.replace("30.00", "much"))).toThrow(RangeError);
    expect(() => readCashierBill(text.replace(",paid,", ",given,"))).toThrow(RangeError);
  });
});

test("a day is Beijing's, and over once it is", () => {
  const { from, to } = billDay("2026-11-22");
  expect([from.toISOString(), to.toISOString()]).toEqual(["2026-11-21T16:00:00.000Z", "2026-11-22T16:00:00.000Z"]);
  expect(isOver("2026-11-22", to.getTime())).toBe(true);
  expect(isOver("2026-11-22", to.getTime() - 1)).toBe(false);
  for (const none of ["2026-02-30", "2026-13-01", "2026-00-00"]) expect(isOver(none, Date.UTC(2030, 0))).toBe(false);
});

const beijing = (text: string) => Date.parse(`${text}+08:00`);

test("the daily run is the latest one at its hour in Beijing, and compares the days before, none before the first order", () => {
  const atMs = 10.5 * 3_600_000;
  expect(latestRun(beijing("2026-11-23T10:30:00"), atMs)).toBe(beijing("2026-11-23T10:30:00"));
  expect(latestRun(beijing("2026-11-23T10:29:59"), atMs)).toBe(beijing("2026-11-22T10:30:00"));
  expect(latestRun(beijing("2026-11-23T00:00:00"), 0)).toBe(beijing("2026-11-23T00:00:00"));
  const run = beijing("2026-11-23T10:30:00");
  expect(daysToCompare(run, 0, 3)).toEqual(["2026-11-20", "2026-11-21", "2026-11-22"]);
  expect(daysToCompare(run, beijing("2026-11-22T00:00:00"), 3)).toEqual(["2026-11-22"]);
  expect(daysToCompare(run, beijing("2026-11-23T00:00:00"), 3)).toEqual([]);
  expect(dayOf(beijing("2026-11-22T23:59:59"))).toBe("2026-11-22");
});

describe("a file that is anything", () => {
  const cells = fc.oneof(
    fc.constantFrom(
      "SUCCESS",
      "REFUND",
      "交易",
      "退款",
      "paid",
      "refunded",
      "30.00",
      "1e999",
      "-1",
      "__proto__",
      "x".repeat(81),
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const rows = fc.array(fc.array(cells, { maxLength: 8 }), { maxLength: 6 });
  const heads = [
    "交易时间,微信订单号,商户订单号,交易状态,商品名称,订单金额,申请退款金额",
    "支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）",
    "time,transaction,order,kind,yuan",
    "__proto__,constructor,toString,then,valueOf",
  ];
  const table = fc
    .tuple(fc.constantFrom(...heads), rows, fc.constantFrom(",", ",`"), fc.boolean())
    .map(([head, lines, comma, whole]) => {
      const first = comma === "," ? "" : "`";
      const body = lines.map((row) => first + row.join(comma));
      return [head, ...body, ...(whole ? ["总交易单数,x", `#lines,${lines.length}`] : []), ""].join("\n");
    });
  const files = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    table.map((text) => Buffer.from(text)),
    table.map((text) => zip([gbk(text)])),
    // An archive with some bytes of it changed.
    fc.tuple(table, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 })).map(([text, changes]) => {
      const archive = Buffer.from(zip([gbk(text)]));
      for (const [at, byte] of changes) archive[at % archive.length] = byte;
      return archive;
    }),
  );

  test.each(providers)("is a bill of $name or refused with a RangeError", async ({ load }) => {
    const { readBill } = await load();
    fc.assert(
      fc.property(files, (file) => {
        let lines: BillLine[];
        try {
          lines = readBill(file);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        // What a bill says can be handed in, and stored.
        for (const { kind, orderId, transactionId, amount } of lines) {
          expect(["paid", "refunded"]).toContain(kind);
          expect([orderId.length <= 80, transactionId.length <= 64]).toEqual([true, true]);
          expect(Number.isSafeInteger(amount)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});
