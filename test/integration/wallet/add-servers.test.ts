import { addServers, removeServer } from "../../../scripts/add-servers.ts";
import { addSecondServer, rowsAt, type SecondServer } from "../../support/second-server.ts";

jest.setTimeout(90_000);

let both: SecondServer;

beforeAll(async () => {
  both = await addSecondServer();
});
afterAll(async () => both?.close());

const namesAt = async (url: string, service = "wallet") =>
  (await rowsAt<{ name: string }>(url, service, "SELECT name FROM t_server ORDER BY number")).map(({ name }) => name);
const add = (name: string, url: string) =>
  addServers(
    [
      { name: "home", url: both.urls.home },
      { name, url },
    ],
    both.urls.home,
  );

/** What a failed attempt leaves: the names as they were. */
async function expectNames(): Promise<void> {
  for (const service of ["wallet", "gift"]) {
    expect(await namesAt(both.urls.home, service)).toEqual(["home", "b"]);
    expect(await namesAt(both.urls.b, service)).toEqual(["b"]);
  }
}

describe("a server is added", () => {
  test("once: a repeat changes nothing, and the releases that know no servers are kept off both databases", async () => {
    expect(await add("b", both.urls.b)).toEqual(new Map(Object.entries({ home: 0, b: 1 })));
    await expectNames();
    for (const service of ["wallet", "gift"]) {
      const sql = "SELECT needs_release FROM t_migration_release WHERE name = 'services/wallet-servers'";
      expect(await rowsAt(both.urls.home, service, sql)).toEqual([{ needs_release: 2 }]);
    }
  });

  test("not where its URL leads to the home server, or to another further one", async () => {
    await expect(add("c", both.urls.home)).rejects.toThrow(
      "the server of c in WALLET_MYSQL_URLS is home: check the URL",
    );
    await expect(add("c", both.urls.b)).rejects.toThrow("the server of c in WALLET_MYSQL_URLS is b: check the URL");
    await expectNames();
  });

  test("not where it has ledgers that no server of its name has written; a name that no move has can be taken back", async () => {
    await removeServer("b", both.urls.home);
    expect(await namesAt(both.urls.home)).toEqual(["home"]);
    for (const service of ["wallet", "gift"]) await rowsAt(both.urls.b, service, "DELETE FROM t_server");
    await rowsAt(both.urls.b, "wallet", "INSERT INTO t_qiyu_currency_account (user_id) VALUES (1)");
    await expect(add("b", both.urls.b)).rejects.toThrow(
      /of b in WALLET_MYSQL_URLS has rows in t_qiyu_currency_account/,
    );
    expect(await namesAt(both.urls.home)).toEqual(["home"]);
    await rowsAt(both.urls.b, "wallet", "DELETE FROM t_qiyu_currency_account");
    await add("b", both.urls.b);
    await expectNames();
  });

  test("for ever where a move names it", async () => {
    await rowsAt(
      both.urls.home,
      "wallet",
      `INSERT INTO t_wallet_bucket_move (bucket, source, target, revision, state, operator, create_time)
       VALUES (1, 'home', 'b', 1, 3, 'tests', NOW())`,
    );
    await expect(removeServer("b", both.urls.home)).rejects.toThrow(/a move names it/);
    await expectNames();
  });
});
