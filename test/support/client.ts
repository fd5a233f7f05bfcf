import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "./eventually.ts";
import { Viewer } from "./viewer.ts";

/** A client of the system from outside: HTTP and WebSocket, nothing else. */

export const apiUrl = (): string => {
  const url = process.env.API_URL;
  if (!url) throw new Error("API_URL is not set: run these tests with npm test, or point it at a running system");
  return url;
};

/** Where the staff's listener is. */
export const adminUrl = (): string => {
  const url = process.env.ADMIN_URL;
  if (!url) throw new Error("ADMIN_URL is not set: run these tests with npm test, or point it at a running system");
  return url;
};

export interface Answer<T = Record<string, unknown>> {
  status: number;
  code: number;
  msg: string;
  data: T;
  headers: Headers;
}

/** POSTs JSON and reads the envelope. */
export async function post<T = Record<string, unknown>>(
  path: string,
  body: unknown = {},
  options: { token?: string; headers?: Record<string, string>; base?: string } = {},
): Promise<Answer<T>> {
  const authorization = options.token ? { authorization: `Bearer ${options.token}` } : {};
  const response = await fetch((options.base ?? apiUrl()) + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization, ...options.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const envelope = (await response.json()) as { code: number; msg: string; data: T };
  return { status: response.status, headers: response.headers, ...envelope };
}

/** A call of the staff's API, by default as the person `operator`; another token shows what is refused. */
export function operate<T = Record<string, unknown>>(
  path: string,
  body: unknown = {},
  token: string = process.env.OPERATOR_TOKEN ?? "",
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  return post<T>(`/live/admin/${path}`, body, { token, headers, base: adminUrl() });
}

export const randomPhone = (): string => `13${randomInt(10)}${String(randomInt(10 ** 8)).padStart(8, "0")}`;
export const requestId = (): string => `req-${randomUUID()}`;

/** For how long what is answered 503 is asked again, and after which pause. */
const repeatedMs = 60_000;
const repeatPauseMs = 200;

/**
 * Asks again while the answer is 503, as a client does: nothing was done, or the same request may be repeated. What was
 * answered so may count for a limit all the same: then it waits until that allows another.
 */
export function answered<T>(
  what: string,
  ask: () => Promise<Answer<T>>,
  timeoutMs: number = repeatedMs,
): Promise<Answer<T>> {
  let isRepeated = false;
  return eventually(
    `${what} is not answered 503`,
    async () => {
      const answer = await ask();
      const mustWait = isRepeated && answer.status === 429;
      if (answer.status !== 503 && !mustWait) return answer;
      isRepeated = true;
      await pause(mustWait ? 1_000 * Number(answer.headers.get("retry-after") ?? 1) : repeatPauseMs);
      return undefined;
    },
    timeoutMs,
  );
}

interface Session {
  userId: string;
  token: string;
}

/** `undefined` where a step was answered 503: the phone may hold a code by then, and gets no other for a minute. */
async function tryLogin(phone: string): Promise<Session | undefined> {
  const sent = await post<{ devCode: string }>("/live/api/userLogin/sendLoginCode", { phone });
  if (sent.status === 503) return undefined;
  if (sent.code !== 200) throw new Error(`no login code: ${JSON.stringify(sent)}`);
  const login = await post<Session>("/live/api/userLogin/login", { phone, code: sent.data.devCode });
  if (login.status === 503) return undefined;
  if (login.code !== 200) throw new Error(`no login: ${JSON.stringify(login)}`);
  return login.data;
}

async function openSession(phone: string): Promise<Session> {
  const session = await tryLogin(phone);
  if (!session) throw new Error("no login: answered 503");
  return session;
}

/** How an im-server closes what it could not admit, and would admit at another time. */
const comeAgain = /^(not available now|not admitted in time), try again$/;
/** One person's connections have a rate. */
const enterPauseMs = 1_000;

/** A person: logged in, with what she can do. */
export class Person {
  readonly phone: string;
  readonly userId: string;
  token: string;
  private readonly viewers: Viewer[] = [];

  private constructor(phone: string, userId: string, token: string) {
    this.phone = phone;
    this.userId = userId;
    this.token = token;
  }

  /** Without a phone as somebody new: each try has a phone of its own. */
  static async login(phone?: string): Promise<Person> {
    if (phone !== undefined) {
      const { userId, token } = await openSession(phone);
      return new Person(phone, userId, token);
    }
    const tryNew = async () => {
      const own = randomPhone();
      const session = await tryLogin(own);
      return session ? new Person(own, session.userId, session.token) : pause(repeatPauseMs, undefined);
    };
    return eventually("a login is not answered 503", tryNew, repeatedMs);
  }

  /** A user of the platform, by its JWT. */
  static async ofPlatform(token: string): Promise<Person> {
    const page = await answered("home/initPage", () =>
      post<{ userId: string }>("/live/api/home/initPage", {}, { token }),
    );
    if (page.code !== 200) throw new Error(`no login: ${JSON.stringify(page)}`);
    return new Person("", page.data.userId, token);
  }

  /** A new login of the same phone, after a logout. */
  async loginAgain(): Promise<void> {
    this.token = (await openSession(this.phone)).token;
  }

  post<T = Record<string, unknown>>(path: string, body: unknown = {}): Promise<Answer<T>> {
    return post<T>(`/live/api/${path}`, body, { token: this.token });
  }

  /** The data of an answer that must be a success. */
  async ask<T = Record<string, unknown>>(path: string, body: unknown = {}): Promise<T> {
    const answer = await answered(path, () => this.post<T>(path, body));
    if (answer.code !== 200) throw new Error(`${path}: ${answer.status} ${answer.code} ${answer.msg}`);
    return answer.data;
  }

  async openRoom(roomName = "room"): Promise<number> {
    return (await this.ask<{ roomId: number }>("living/startingLiving", { type: 1, roomName })).roomId;
  }

  /** Connects to the room; with `after`, as somebody who comes back after what she saw there. */
  async enter(roomId: number, after?: { seq: number; epoch: string }): Promise<Viewer> {
    const seen = after ? `&since=${after.seq}&epoch=${after.epoch}` : "";
    const connect = async () => {
      const im = await this.ask<{ token: string; wsImServerAddress: string }>("im/getImConfig");
      const viewer = new Viewer(`${im.wsImServerAddress}?token=${im.token}&roomId=${roomId}${seen}`);
      this.viewers.push(viewer);
      try {
        await viewer.greeted();
        return viewer;
      } catch (error) {
        if (!comeAgain.test(viewer.closed?.reason ?? "")) throw error;
        return pause(enterPauseMs, undefined);
      }
    };
    return eventually(`a place in room ${roomId}`, connect, repeatedMs);
  }

  balance(): Promise<number> {
    return this.ask<{ currentBalance: number }>("bank/products", { type: 0 }).then(
      ({ currentBalance }) => currentBalance,
    );
  }

  /** An order at the sandbox cashier, paid or cancelled there. */
  async order(productId = 10, action: "pay" | "cancel" | null = "pay"): Promise<string> {
    const order = await this.ask<{ orderId: string; payUrl: string }>("bank/payProduct", {
      ...{ productId, paySource: 1, payChannel: 3 },
    });
    if (action) await pressCashier(order.payUrl, action);
    return order.orderId;
  }

  async orderReaches(orderId: string, status: number): Promise<void> {
    await eventually(`order ${orderId} reaches ${status}`, async () => {
      return (await this.ask<{ status: number }>("bank/order", { orderId })).status === status;
    });
  }

  /** Coins by way of the cashier; `productId` 10 is 1000 coins. */
  async recharge(productId = 10): Promise<void> {
    const before = await this.balance();
    await this.order(productId);
    await eventually("the coins", async () => (await this.balance()) > before);
  }

  /** Sends a gift as a client does: what was answered 503 is sent again under the same request id. */
  send(roomId: number, receiverId: string, over: Record<string, unknown> = {}): Promise<Answer<{ orderId: string }>> {
    const gift = { giftId: 22, roomId, receiverId, count: 1, requestId: requestId(), ...over };
    return answered("gift/send", () => this.post<{ orderId: string }>("gift/send", gift));
  }

  /** The order of a gift that must be accepted. */
  async sent(...gift: Parameters<Person["send"]>): Promise<string> {
    const { status, code, data } = await this.send(...gift);
    if (code !== 200) throw new Error(`gift/send answered ${status} ${code}`);
    return data.orderId;
  }

  settled(orderId: string): Promise<{ status: string; reasonCode?: number; price: number }> {
    return eventually(`gift ${orderId} settled`, async () => {
      const order = await this.ask<{ status: string; price: number }>("gift/order", { orderId });
      return order.status === "accepted" ? undefined : order;
    });
  }

  leave(): void {
    for (const viewer of this.viewers.splice(0)) viewer.close();
  }
}

export async function pressCashier(payUrl: string, action: "pay" | "cancel"): Promise<Response> {
  const response = await fetch(payUrl, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `action=${action}`,
  });
  if (!response.ok) throw new Error(`the cashier answered ${response.status}: ${await response.text()}`);
  return response;
}

/** An anchor in her live room, with a viewer who has 1000 coins: the scene of most tests. */
export async function scene(): Promise<{ anchor: Person; fan: Person; roomId: number }> {
  const [anchor, fan] = await Promise.all([Person.login(), Person.login()]);
  const [roomId] = await Promise.all([anchor.openRoom(), fan.recharge()]);
  return { anchor, fan, roomId };
}
