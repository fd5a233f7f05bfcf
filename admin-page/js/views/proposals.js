/** What waits for a second person, and what was decided. */
import { h } from "/js/dom.js";
import { tabs } from "/js/views/tabs.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { viewHead } from "../cells.js";
import { proposalTable } from "../proposal-table.js";

export const proposalsView = {
  ...{ path: "proposals", title: "proposalsTitle", nav: "work", right: "read" },
  count: ({ openProposals }) => openProposals,
  show,
};

function show(root, { list }, session) {
  let open = list !== "all";
  const table = proposalTable({
    session,
    after: () => {
      table.restart();
      session.refreshCounts();
    },
    fetchPage: (cursor) => call("proposals/list", { open: open ? 1 : 0, ...(cursor ? { cursor } : {}) }, session),
  });
  const choose = (value) => {
    open = value;
    noteInAddress({ list: open ? undefined : "all" });
    table.restart();
  };
  const choices = [
    [true, "proposalsOpen", "proposals-open"],
    [false, "proposalsAll", "proposals-all"],
  ];
  root.append(
    viewHead("proposalsTitle", { lead: "proposalsLead" }),
    h("div", {}, tabs("proposalsTitle", choices, open, choose)),
    table.element,
  );
  return table.restart();
}
