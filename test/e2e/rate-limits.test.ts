import { type Answer, Person, post, randomPhone } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";

const english = { "accept-language": "en" };

/** The one that passed and those that did not. */
function split(answers: readonly Answer[]) {
  return { passed: answers.filter(({ code }) => code === 200), refused: answers.filter(({ code }) => code !== 200) };
}

function expectTooMany(answers: readonly Answer[], msg: string): void {
  for (const { status, code, msg: said, data, headers } of answers) {
    expect({ status, code, msg: said, data }).toEqual({ status: 429, code: -10001, msg, data: null });
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(10);
  }
}

const many = <T>(times: number, task: () => Promise<T>) => Promise.all(Array.from({ length: times }, task));

// Both at once: each waits for its ten seconds.
test.concurrent.each([
  ["living/startingLiving", { type: 1 }, "开播请求过于频繁，请稍后再试", "too many start requests, try again later"],
  ["living/closeLiving", { roomId: 0 }, "关播请求过于频繁，请稍后再试", "too many close requests, try again later"],
])(
  "%s passes once in ten seconds for a user, also of parallel requests, and again afterwards",
  async (path, params, chinese, inEnglish) => {
    const [anchor, other] = await Promise.all([Person.login(), Person.login()]);
    const starts = path.endsWith("startingLiving");
    const bodyOf = async (person: Person) => (starts ? params : { roomId: await person.openRoom() });
    const [body, otherBody] = await Promise.all([bodyOf(anchor), bodyOf(other)]);
    const at = Date.now();
    const { passed, refused } = split(await many(20, () => anchor.post(path, body)));
    expect(passed).toHaveLength(1);
    expect(refused).toHaveLength(19);
    expectTooMany(refused, chinese);
    const options = { token: anchor.token, headers: english };
    expectTooMany([await post(`/live/api/${path}`, body, options)], inEnglish);
    // The limit is each user's own.
    expect((await other.post(path, otherBody)).code).toBe(200);
    const again = await eventually(
      "the ten seconds are over",
      async () => {
        const answer = await anchor.post(path, body);
        return answer.status === 429 || answer.status === 503 ? undefined : answer;
      },
      12_000,
    );
    expect(Date.now() - at).toBeGreaterThan(9_500);
    // A second start gives back the same room; a room that is closed cannot be closed again.
    if (starts) expect(again).toMatchObject({ code: 200, data: passed[0]?.data });
    else expect(again).toMatchObject({ code: 501 });
  },
);

describe("sendLoginCode", () => {
  const ask = (phone: string, headers: Record<string, string> = {}) =>
    post("/live/api/userLogin/sendLoginCode", { phone }, { headers });

  test("sends one code in sixty seconds to a phone, also of parallel requests", async () => {
    const phone = randomPhone();
    const { passed, refused } = split(await many(20, () => ask(phone)));
    expect(passed).toHaveLength(1);
    for (const { status, code, msg, data } of refused)
      expect({ status, code, msg, data }).toEqual({
        ...{ status: 200, code: 500, msg: "短信发送太频繁，请稍后再试", data: null },
      });
    expect(await ask(phone, english)).toMatchObject({ code: 500, msg: "a code was sent already, try again later" });
    expect((await ask(randomPhone())).code).toBe(200);
  });

  test("of many wrong codes at once five are tried, then the right one is dead too", async () => {
    const phone = randomPhone();
    const sent = await ask(phone);
    const right = String(sent.data.devCode);
    const wrong = right === "000000" ? "000001" : "000000";
    const login = (code: string) => post("/live/api/userLogin/login", { phone, code });
    const answers = await many(20, () => login(wrong));
    expect(answers.map(({ status, code }) => [status, code])).toEqual(answers.map(() => [200, 501]));
    expect(answers.filter(({ msg }) => msg === "验证码校验失败")).toHaveLength(5);
    expect(answers.filter(({ msg }) => msg === "验证码已过期")).toHaveLength(15);
    expect(await login(right)).toMatchObject({ code: 501, msg: "验证码已过期" });
    // Burning a code buys no new one.
    expect((await ask(phone)).code).toBe(500);
  });

  test("of many logins with the right code at once one passes", async () => {
    const phone = randomPhone();
    const sent = await ask(phone);
    const answers = await many(10, () => post("/live/api/userLogin/login", { phone, code: sent.data.devCode }));
    expect(split(answers).passed).toHaveLength(1);
  });
});
