/**
 * The kinds of tests, a folder each; `npm test` (scripts/test.ts) starts what they need and runs them in this order. Those
 * of `e2e/alone` have the running system to themselves, one file after the other; those of `e2e/crash` leave it damaged.
 * `upgrade` and `drill` start systems of their own, `ha` and `drill` three servers of each kind.
 */
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
    // Modules of both pages; the client of clients/ has the users' page's IM client.
    "/(public|admin-page)/js/.+\\.js$": ["@swc/jest", { jsc: { target: "es2022" }, module: { type: "commonjs" } }],
    // uuid and jose are published as ES modules alone.
    "/node_modules/(uuid|jose)/.+\\.js$": ["@swc/jest", { jsc: { target: "es2022" }, module: { type: "commonjs" } }],
    // It loads node:http by import(), which jest's CommonJS does not have.
    "/node_modules/@opentelemetry/otlp-exporter-base/.+\\.cjs$": [
      "@swc/jest",
      { jsc: { target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
  transformIgnorePatterns: ["/node_modules/(?!(uuid|jose|@opentelemetry/otlp-exporter-base)/)"],
  // As the staff page names the modules that it shares with the users' page.
  moduleNameMapper: { "^/js/(.+)$": "<rootDir>/public/js/$1" },
  moduleFileExtensions: ["ts", "js", "json", "node"],
  modulePathIgnorePatterns: ["<rootDir>/.stack/", "<rootDir>/clients/typescript/dist/"],
  ...extra,
});

module.exports = {
  testTimeout: 30_000,
  maxWorkers: 3,
  // A worker keeps much of each file's modules: above this it is replaced once its file has ended.
  workerIdleMemoryLimit: "1GB",
  projects: [
    project("unit"),
    project("integration", { setupFiles: ["<rootDir>/test/support/env.ts"] }),
    project("e2e", { testMatch: ["<rootDir>/test/e2e/*.test.ts"] }),
    project("e2e/alone"),
    project("e2e/crash"),
    project("upgrade"),
    project("browser"),
    project("ha", { setupFiles: ["<rootDir>/test/support/env.ts"] }),
    project("drill"),
  ],
};
