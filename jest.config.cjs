/** Four kinds of tests; `npm test` (scripts/test.ts) starts what they need and runs them in this order. */
const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: __dirname,
  testEnvironment: "node",
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
  moduleFileExtensions: ["ts", "js", "json", "node"],
  modulePathIgnorePatterns: ["<rootDir>/.stack/"],
  ...extra,
});

module.exports = {
  testTimeout: 30_000,
  maxWorkers: 2,
  projects: [
    project("unit"),
    project("integration", { setupFiles: ["<rootDir>/test/support/env.ts"] }),
    project("e2e"),
    project("browser"),
  ],
};
