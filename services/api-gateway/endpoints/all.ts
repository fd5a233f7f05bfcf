import { bankEndpoints } from "./bank.ts";
import type { Endpoint } from "./endpoint.ts";
import { giftEndpoints } from "./gift.ts";
import { homeEndpoints } from "./home.ts";
import { imEndpoints } from "./im.ts";
import { livingEndpoints } from "./living.ts";
import { pkEndpoints } from "./pk.ts";
import { rankEndpoints } from "./rank.ts";
import { userLoginEndpoints } from "./user-login.ts";

/** Every POST endpoint with an envelope, in the order of the documentation. */
export const endpoints: readonly Endpoint[] = Object.freeze([
  ...userLoginEndpoints,
  ...homeEndpoints,
  ...livingEndpoints,
  ...pkEndpoints,
  ...imEndpoints,
  ...giftEndpoints,
  ...bankEndpoints,
  ...rankEndpoints,
]);
