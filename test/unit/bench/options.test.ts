import { parseOptions } from "../../../bench/support/options.ts";

describe("options of a benchmark", () => {
  it("have defaults", () => {
    expect(parseOptions(["settle"])).toEqual({
      ...{ name: "settle", help: false, json: false, topology: "single" },
      ...{ gifts: 0, quick: false, profile: undefined, archived: false, books: true, serverApi: false, dir: undefined },
      ...{ traces: false, without: [] },
    });
  });

  it("are read in any order", () => {
    const options = parseOptions(["--json", "settle", "--topology", "cluster", "--gifts=500"]);
    expect(options).toMatchObject({ name: "settle", json: true, topology: "cluster", gifts: 500 });
  });

  it("set the load of an IM benchmark", () => {
    const args = ["fanout", "--viewers", "500,5000", "--rates=10", "--rooms", "7", "--seconds=3", "--senders", "50"];
    expect(parseOptions([...args, "--connections=15000", "--most=900", "--users=70000"])).toMatchObject({
      ...{ viewers: [500, 5_000], rates: [10], rooms: 7, seconds: 3, senders: 50, connections: 15_000, most: 900 },
      users: 70_000,
    });
  });

  it("settle runs without seals and auditor where it is told to", () => {
    expect(parseOptions(["settle", "--no-books", "--stack", "/tmp/s"])).toMatchObject({ books: false, dir: "/tmp/s" });
    expect(parseOptions(["accept", "--server-api"])).toMatchObject({ serverApi: true });
  });

  it("accept runs without services, or in pairs with traces", () => {
    expect(parseOptions(["accept", "--without", "rank,battle"])).toMatchObject({ without: ["rank", "battle"] });
    expect(parseOptions(["accept", "--traces"])).toMatchObject({ traces: true });
  });

  it("an unknown benchmark has no name", () => {
    expect(parseOptions(["settles"]).name).toBeUndefined();
    expect(parseOptions([]).name).toBeUndefined();
  });

  it.each([
    [["settle", "--topology", "both"], /--topology/],
    [["settle", "--gifts", "many"], /--gifts/],
    [["settle", "--gifts=-5"], /--gifts/],
    [["fanout", "--viewers", "0"], /--viewers/],
    [["fanout", "--rates", "10,,20"], /--rates/],
    [["fanout", "--rates", "1e3"], /--rates/],
    [["rooms", "--rooms", "0"], /--rooms/],
    [["storm", "--connections", "many"], /--connections/],
    [["accept", "--no-books"], /--no-books/],
    [["settle", "--topology=cluster", "--no-books"], /--no-books/],
    [["settle", "--archived"], /--archived/],
    [["settle", "--traces"], /--traces/],
    [["settle", "--without", "rank"], /--without/],
    [["accept", "--traces", "--without", "rank"], /--without/],
    [["accept", "--without", "ranks"], /--without names services: ranks/],
    [["scale", "--accounts", "none"], /--accounts/],
    [["settle", "accept"], /one benchmark/],
    [["settle", "--fast"], /--fast/],
  ])("what is not understood is refused: %j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
