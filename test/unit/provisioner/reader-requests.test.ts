import type { Msg, NatsConnection, NatsError, SubscriptionOptions } from "nats";
import { ReaderRequests } from "../../../services/provisioner/reader-requests.ts";

type Callback = NonNullable<SubscriptionOptions["callback"]>;

/** The requests as the readers' connection delivers them, and what is logged. */
function open(mirror: Partial<NatsConnection> = {}) {
  const callbacks: Callback[] = [];
  const warn = jest.fn();
  const readers = {
    subscribe: (_subject: string, { callback }: SubscriptionOptions) => callbacks.push(callback as Callback),
  } as unknown as NatsConnection;
  const log = { info: jest.fn(), warn, error: jest.fn() };
  new ReaderRequests(readers, mirror as NatsConnection, "ovation", log);
  const ask = (body: string, respond: Msg["respond"]) =>
    callbacks[0]?.(
      null as unknown as NatsError,
      {
        ...{ subject: "$JS.API.CONSUMER.CREATE.X", data: new TextEncoder().encode(body) },
        ...{ string: () => body, respond },
      } as Msg,
    );
  return { ask, warn };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("requests of other systems", () => {
  test("that are refused are all answered, and logged at most once a second", async () => {
    const { ask, warn } = open();
    const respond = jest.fn(() => true);
    for (let n = 0; n < 1_000; n++) ask("no JSON", respond);
    await settled();
    expect(respond).toHaveBeenCalledTimes(1_000);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("that cannot be answered, since the connection is closed, end nothing and are logged", async () => {
    const unhandled = jest.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const { ask, warn } = open();
      ask("no JSON", () => {
        throw new Error("connection closed");
      });
      await settled();
      expect(unhandled).not.toHaveBeenCalled();
      expect(warn).toHaveBeenCalledWith(
        expect.objectContaining({ err: expect.objectContaining({ message: "connection closed" }) }),
        expect.any(String),
      );
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});
