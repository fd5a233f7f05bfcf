/** The files of the users' page (`public/`) that the staff page uses too, by path. */
export const sharedFiles: ReadonlySet<string> = new Set([
  "/favicon.svg",
  ...["/js/dom.js", "/js/format.js", "/js/busy.js", "/js/toast.js", "/js/language.js"],
  ...["/css/base.css", "/css/controls.css"],
]);
