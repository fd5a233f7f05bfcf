import { Strategies } from "moleculer";
import { type ActionEndpoint, ableEndpoints } from "./able-nodes.ts";

/**
 * Of the endpoints whose nodes can do the work it chooses that of this node where there is one, else the next in
 * round-robin order. It replaces the registry's `preferLocal`, which looks for a local endpoint before it asks any
 * strategy, so that Rendezvous would have no effect on a node that has the action itself.
 */
class LocalFirstStrategy extends Strategies.Base {
  private next = 0;

  override select(all: ActionEndpoint[]): never {
    const list = ableEndpoints(all);
    const local = list.find((endpoint) => endpoint.local);
    if (local) return local as never;
    this.next = (this.next + 1) % list.length;
    return list[this.next] as never;
  }
}

Strategies.register("LocalFirst", LocalFirstStrategy as never);
