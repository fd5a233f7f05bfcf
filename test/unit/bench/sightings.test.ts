import { Sightings } from "../../../bench/load/sightings.ts";

describe("what viewers saw of gifts", () => {
  let sightings: Sightings;
  beforeEach(() => {
    sightings = new Sightings();
    sightings.addViewer(0, 1);
    sightings.addViewer(1, 1);
    sightings.addViewer(2, 2);
  });

  it("a gift is missing until every viewer of its room has seen it", () => {
    sightings.accepted("a", 1, 100);
    expect(sightings.missing()).toBe(1);
    sightings.seen("a", 0, 110);
    expect(sightings.missing()).toBe(1);
    sightings.seen("a", 1, 130);
    expect(sightings.missing()).toBe(0);
    expect(sightings.delays()).toEqual([10, 30]);
  });

  it("only the first sighting counts; one before the answer counts as 0 ms", () => {
    sightings.seen("b", 2, 90);
    sightings.accepted("b", 2, 100);
    sightings.seen("b", 2, 500);
    expect(sightings.delays()).toEqual([0]);
  });

  it("a gift that was not accepted is neither missing nor counted", () => {
    sightings.seen("c", 0, 10);
    expect(sightings.missing()).toBe(0);
    expect(sightings.delays()).toEqual([]);
  });
});
