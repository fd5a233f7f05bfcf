import { userInfo } from "node:os";
import { accountName } from "../../scripts/account-name.ts";

jest.mock("node:os", () => ({ ...jest.requireActual("node:os"), userInfo: jest.fn() }));

test("an operator's command is signed with the account's name, or with its number where it has no name", () => {
  jest.mocked(userInfo).mockReturnValueOnce({ username: "anna" } as never);
  expect(accountName()).toBe("anna");
  jest.mocked(userInfo).mockImplementationOnce(() => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  });
  expect(accountName()).toBe(`uid-${process.getuid?.()}`);
});
