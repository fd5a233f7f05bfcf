import { accountEndpoints } from "./accounts.ts";
import { auditEndpoints } from "./audit.ts";
import { bookEndpoints } from "./books.ts";
import { catalogueEndpoints } from "./catalogue.ts";
import type { StaffEndpoint } from "./endpoint.ts";
import { loginEndpoints } from "./login.ts";
import { orderEndpoints, orderMoneyEndpoints } from "./orders.ts";
import { paymentEndpoints } from "./payment.ts";
import { peopleEndpoints } from "./people.ts";
import { personEndpoints } from "./persons.ts";
import { roomEndpoints } from "./rooms.ts";
import { storyEndpoints } from "./story.ts";

/** Every endpoint of the staff's API, in the order of the documentation. */
export const staffEndpoints: readonly StaffEndpoint[] = Object.freeze([
  ...loginEndpoints,
  ...personEndpoints,
  ...auditEndpoints,
  ...catalogueEndpoints,
  ...accountEndpoints,
  ...orderEndpoints,
  ...orderMoneyEndpoints,
  ...paymentEndpoints,
  ...bookEndpoints,
  ...peopleEndpoints,
  ...storyEndpoints,
  ...roomEndpoints,
]);
