export type Language = "zh" | "en";

export const successCode = 200;
export const successText: Readonly<Record<Language, string>> = Object.freeze({ zh: "成功", en: "success" });
