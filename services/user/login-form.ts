import type { FailureName } from "../../config/errors.ts";

/** Mobile numbers of mainland China, without a country code. */
const mobileNumber = /^(13[0-9]|14[01456879]|15[0-35-9]|16[2567]|17[0-8]|18[0-9]|19[0-35-9])\d{8}$/;

/** A shorter code than ours is wrong, not malformed: clients of this domain send 4 to 6 digits. */
const loginCode = /^\d{4,6}$/;

/** The failure of a missing or malformed phone, `undefined` where it is valid. */
export function phoneFailure(phone: string): FailureName | undefined {
  if (phone === "") return "phoneMissing";
  return mobileNumber.test(phone) ? undefined : "phoneMalformed";
}

/** The failure of a malformed login, `undefined` where it is valid; the phone is checked before the code. */
export function loginFailure(phone: string, code: string): FailureName | undefined {
  return phoneFailure(phone) ?? (loginCode.test(code) ? undefined : "smsCodeMalformed");
}

/** A phone for logs: 138****5678. */
export function maskedPhone(phone: string): string {
  return `${phone.slice(0, 3)}****${phone.slice(-4)}`;
}
