/** Texts of the search, a user's page, rooms and restrictions. */
export const peopleStrings = Object.freeze({
  searchTitle: ["搜索", "Search"],
});
