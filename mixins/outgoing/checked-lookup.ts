import { isIPv6, type LookupFunction } from "node:net";
import { OutgoingError } from "./outgoing-error.ts";
import type { ResolveName } from "./resolve-name.ts";

/**
 * The `lookup` of a connection: resolves a name once and gives only allowed addresses to the connection,
 * which connects to one of them. So a name cannot change its address between the check and the connection. Names without
 * such an address fail with `refusedAddress`.
 */
export function checkedLookup(resolve: ResolveName, isAllowed: (address: string) => boolean): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (addresses) => {
        const allowed = addresses.filter(isAllowed);
        const found = allowed.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
        const [first] = found;
        if (!first) callback(new OutgoingError("refusedAddress", "the name leads to a private address"), "", 0);
        else if (options.all) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => {
        const text = `the name cannot be resolved: ${error.code ?? error.message}`;
        callback(error instanceof OutgoingError ? error : new OutgoingError("nameNotFound", text), "", 0);
      },
    );
  };
}
