import type { ServerResponse } from "node:http";
import type { GatewayRequest } from "./request-context.ts";

/** The entry of a request in the list. */
interface Place {
  readonly request: GatewayRequest;
  readonly response: ServerResponse;
  older: Place | undefined;
  newer: Place | undefined;
}

/**
 * Requests that announced a body, oldest first. A linked list: a Map that every request passes through keeps removed
 * requests alive until the next full garbage collection, which cost a tenth of the gateway's time.
 */
export class AwaitedBodies {
  private oldestPlace: Place | undefined;
  private newestPlace: Place | undefined;

  get oldest(): Readonly<Place> | undefined {
    return this.oldestPlace;
  }

  add(request: GatewayRequest, response: ServerResponse): Place {
    const place: Place = { request, response, older: this.newestPlace, newer: undefined };
    if (this.newestPlace) this.newestPlace.newer = place;
    else this.oldestPlace = place;
    this.newestPlace = place;
    return place;
  }

  /** An entry that was removed already stays as it is. */
  leave(place: Place): void {
    const { older, newer } = place;
    if (older) older.newer = newer;
    else if (this.oldestPlace === place) this.oldestPlace = newer;
    if (newer) newer.older = older;
    else if (this.newestPlace === place) this.newestPlace = older;
    place.older = undefined;
    place.newer = undefined;
  }
}
