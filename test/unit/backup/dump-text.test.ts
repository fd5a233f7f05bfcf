import { Inserts, literal, literalKindOf, oneLine, quoted } from "../../../scripts/backup/dump-text.ts";

const bytesOf = (text: string) => Buffer.from(text, "utf8");

test("a text is quoted so that it ends nowhere early and has no line break", () => {
  expect(quoted("a'b\\c\nd\re\0f\x1ag")).toBe("'a\\'b\\\\c\\nd\\re\\0f\\Zg'");
  expect(quoted("礼物 😀 \u2028")).toBe("'礼物 😀 \u2028'");
});

test("numbers stay as the server wrote them, also those beyond 2^53; bytes are hexadecimal; NULL is no text", () => {
  expect(literal("number", bytesOf("18446744073709551615"))).toBe("18446744073709551615");
  expect(literal("bytes", Buffer.from([0, 255]))).toBe("0x00ff");
  expect(literal("bytes", Buffer.alloc(0))).toBe("''");
  expect(literal("text", null)).toBe("NULL");
  expect(literal("text", bytesOf("NULL"))).toBe("'NULL'");
});

test("a type that is not known is refused: nothing is written that might not be read", () => {
  expect(literalKindOf("BIGINT")).toBe("number");
  expect(literalKindOf("datetime")).toBe("text");
  expect(literalKindOf("varbinary")).toBe("bytes");
  expect(() => literalKindOf("geometry")).toThrow(/geometry/);
});

test("rows share a statement up to its bytes, and each statement is one line", () => {
  const columns = [
    { name: "id", kind: "number" },
    { name: "na`me", kind: "text" },
  ] as const;
  const inserts = new Inserts("t_a", columns, 20);
  const lines = ["one", "two\n", "three"].flatMap(
    (text, at) => inserts.add([bytesOf(String(at)), bytesOf(text)]) ?? [],
  );
  lines.push(inserts.rest() as string);
  expect(inserts.rest()).toBeUndefined();
  expect(lines.map((line) => line.split("\n").length)).toEqual(lines.map(() => 2));
  expect(lines.join("").match(/\((\d),'/g)).toEqual(["(0,'", "(1,'", "(2,'"]);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines[0]).toMatch(/^INSERT INTO `t_a` \(`id`, `na``me`\) VALUES \(0,'one'\)/);
});

test("a definition becomes one line", () => {
  expect(oneLine("CREATE TABLE `a` (\n  `id` int,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB")).toBe(
    "CREATE TABLE `a` ( `id` int, PRIMARY KEY (`id`) ) ENGINE=InnoDB",
  );
});
