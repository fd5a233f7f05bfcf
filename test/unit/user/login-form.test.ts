import { loginFailure, maskedPhone, phoneFailure } from "../../../services/user/login-form.ts";

describe("the login form", () => {
  test.each(["13800138000", "14500000000", "15012345678", "16212345678", "17800000000", "18999999999", "19912345678"])(
    "%s is a mainland mobile number",
    (phone) => expect(phoneFailure(phone)).toBeUndefined(),
  );

  test.each([
    "12800138000",
    "14200000000",
    "15412345678",
    "16012345678",
    "17900000000",
    "19412345678",
    "1380013800",
    "138001380000",
    "+8613800138000",
    " 13800138000",
    "13800138000\n",
    "1380013800a",
    "１３８００１３８０００",
  ])("%j is malformed", (phone) => expect(phoneFailure(phone)).toBe("phoneMalformed"));

  test("an empty phone is missing, not malformed", () => expect(phoneFailure("")).toBe("phoneMissing"));

  test.each(["1234", "12345", "123456"])("the code %s is well-formed", (code) =>
    expect(loginFailure("13800138000", code)).toBeUndefined(),
  );

  test.each(["", "123", "1234567", "12a4", "１２３４", "1234\n"])("the code %j is malformed", (code) =>
    expect(loginFailure("13800138000", code)).toBe("smsCodeMalformed"),
  );

  test("the phone is checked before the code", () => {
    expect(loginFailure("", "")).toBe("phoneMissing");
    expect(loginFailure("1", "")).toBe("phoneMalformed");
  });

  test("a phone in a log shows seven of its digits", () => expect(maskedPhone("13812345678")).toBe("138****5678"));
});
