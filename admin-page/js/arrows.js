/** Arrow keys in a list: up and down, Home and End move the focus among what fits the selector. */

/** @param {string} selector of the things that take the focus, in their order on the page */
export function moveWithArrows(container, selector) {
  container.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(document.activeElement);
    if (at < 0) return;
    const to = target(event.key, at, items.length);
    if (to === undefined) return;
    event.preventDefault();
    items[to].focus();
  });
}

function target(key, at, size) {
  if (key === "ArrowDown") return Math.min(at + 1, size - 1);
  if (key === "ArrowUp") return Math.max(at - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return size - 1;
  return undefined;
}
