import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { consoleSms, SmsNotTaken, SmsUnanswered, webhookSms } from "../../../services/notification/sms-provider.ts";

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: { headers: IncomingMessage["headers"]; method?: string; body: unknown }[] = [];

beforeEach(async () => {
  requests.length = 0;
  server = createServer(async (request, response) => {
    requests.push({ headers: request.headers, method: request.method, body: JSON.parse(await text(request)) });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`;
});

afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const send = (timeoutMs = 2_000) =>
  webhookSms({ url, token: "sms-token", timeoutMs }).sendLoginCode("13800138000", "042137");

describe("the webhook SMS provider", () => {
  test("posts phone, template and code as JSON, with its token", async () => {
    answer = (_request, response) => response.writeHead(202).end("taken");
    await send();
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: "POST",
      headers: { authorization: "Bearer sms-token", "content-type": "application/json" },
      body: { phone: "13800138000", template: "login-code", code: "042137" },
    });
  });

  test.each([400, 401, 429, 500, 503])("an answer %i means not taken, and is not tried again", async (status) => {
    answer = (_request, response) => response.writeHead(status).end("042137");
    await expect(send()).rejects.toThrow(SmsNotTaken);
    expect(requests).toHaveLength(1);
  });

  test("a redirect is not followed: the code would go to an address that nobody configured", async () => {
    answer = (_request, response) => response.writeHead(307, { location: url }).end();
    await expect(send()).rejects.toThrow(SmsNotTaken);
    expect(requests).toHaveLength(1);
  });

  test("where no answer comes in time, or to the end, or a proxy got none, the code may have been sent", async () => {
    answer = () => {};
    await expect(send(100)).rejects.toThrow(SmsUnanswered);
    answer = (request) => request.socket.destroy();
    await expect(send()).rejects.toThrow(SmsUnanswered);
    answer = (_request, response) => response.writeHead(504).end();
    await expect(send()).rejects.toThrow(SmsUnanswered);
  });

  test("where nobody listens, or the host has no address, it was certainly not sent", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    for (const nobody of [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, "http://sms.invalid/"]) {
      const sms = webhookSms({ url: nobody, token: undefined, timeoutMs: 5_000 });
      expect([nobody, await sms.sendLoginCode("13800138000", "042137").catch((error) => error)]).toEqual([
        nobody,
        expect.any(SmsNotTaken),
      ]);
    }
  });

  test("the failure contains neither code nor phone nor token", async () => {
    answer = (_request, response) => response.writeHead(500).end("042137 13800138000 sms-token");
    const failure = await send().catch((error: Error) => error);
    expect(`${(failure as Error).stack}`).not.toMatch(/042137|13800138000|sms-token/);
  });
});

test("the console provider sends nothing and lets the caller see the code", async () => {
  await consoleSms.sendLoginCode("13800138000", "042137");
  expect(consoleSms.shownToCaller).toBe(true);
  expect(requests).toHaveLength(0);
});
