import fc from "fast-check";

/** Names that objects have from their prototypes, or that mean something to who reads an object. */
const poisonNames = ["__proto__", "constructor", "prototype", "toString", "valueOf", "toJSON", "then", "length", ""];

/** How deep values go that exhaust a stack. */
const deep = 20_000;

const leaves = fc.oneof(
  fc.constantFrom(
    ...["null", "true", "0", "-0", "1", "-1", "1.5", "1e999", "9007199254740993", '"1e3"', '" 1"', '"0x1"', "{}", "[]"],
    // Half a surrogate pair, a control character, and texts that name something.
    ...['""', '"\\ud83d"', '"\\u0000"', '"\\u2028"', ...poisonNames.map((name) => JSON.stringify(name))],
    // Objects that cannot be converted, and values that nothing may go down into.
    ...['{"valueOf":1,"toString":1}', '{"toString":null}', '{"then":{}}', '{"toJSON":1}', '[{"toString":1}]'],
    // For readers that take the length of a string.
    ...[
      '{"length":{"valueOf":1,"toString":1}}',
      '{"length":1e999}',
      `{"length":${"[".repeat(deep)}${"]".repeat(deep)}}`,
    ],
    `${"[".repeat(deep)}${"]".repeat(deep)}`,
    `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`,
  ),
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => JSON.stringify(text)),
  fc.double().map((number) => String(JSON.stringify(number))),
);

/**
 * JSON texts of values that break what trusts them, `names` being fields that the reader looks for. Texts and not
 * values: `{"__proto__":1}`, 1e999 and a value of 20,000 levels can be written, but not always made.
 */
export function strangeJson(...names: string[]): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names, ...poisonNames);
  return fc.letrec<{ value: string }>((tie) => {
    const array = fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`);
    const object = fc
      .array(fc.tuple(name, tie("value")), { maxLength: 4 })
      .map((fields) => `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`);
    return { value: fc.oneof({ maxDepth: 3 }, leaves, object, array) };
  }).value;
}

/** An object with these fields, each strange or left out, as a JSON text. */
export function strangeObject(names: readonly string[]): fc.Arbitrary<string> {
  const fields = names.map((name) =>
    fc.option(strangeJson(...names)).map((value) => (value === null ? [] : [`${JSON.stringify(name)}:${value}`])),
  );
  return fc.tuple(...fields).map((parts) => `{${parts.flat().join(",")}}`);
}
