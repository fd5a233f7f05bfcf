import { Strategies } from "moleculer";

interface Endpoint {
  readonly local?: boolean;
}

/**
 * Chooses the endpoint of this node where there is one, else the next in round-robin order. It replaces the registry's
 * `preferLocal`, which looks for a local endpoint before it asks any strategy, so that Rendezvous would have no effect
 * on a node that has the action itself.
 */
class LocalFirstStrategy extends Strategies.Base {
  private next = 0;

  override select(list: Endpoint[]): never {
    const local = list.find((endpoint) => endpoint.local);
    if (local) return local as never;
    this.next = (this.next + 1) % list.length;
    return list[this.next] as never;
  }
}

Strategies.register("LocalFirst", LocalFirstStrategy as never);
