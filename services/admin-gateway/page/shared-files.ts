/** The files of the users' page (`public/`) that the staff page uses too, by path. */
export const sharedFiles: ReadonlySet<string> = new Set([
  "/favicon.svg",
  ...["api-error", "busy", "dialog", "dom", "gift-art", "language", "qr-code", "toast"].map((name) => `/js/${name}.js`),
  "/js/views/tabs.js",
]);
