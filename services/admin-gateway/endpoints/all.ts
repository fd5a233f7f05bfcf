import { accountEndpoints } from "./accounts.ts";
import { auditEndpoints } from "./audit.ts";
import { bookEndpoints } from "./books.ts";
import { catalogueEndpoints } from "./catalogue.ts";
import { deadLetterEndpoints } from "./dead-letters.ts";
import type { StaffEndpoint } from "./endpoint.ts";
import { erasureEndpoints } from "./erasure.ts";
import { figureEndpoints } from "./figures.ts";
import { keyEndpoints } from "./keys.ts";
import { loginEndpoints } from "./login.ts";
import { moneyEndpoints } from "./money.ts";
import { orderEndpoints } from "./orders.ts";
import { payKeyEndpoints } from "./pay-keys.ts";
import { paymentEndpoints } from "./payment.ts";
import { peopleEndpoints } from "./people.ts";
import { personEndpoints } from "./persons.ts";
import { proposalEndpoints } from "./proposals.ts";
import { restrictionEndpoints } from "./restrictions.ts";
import { roomEndpoints } from "./rooms.ts";
import { shareEndpoints } from "./shares.ts";
import { storyEndpoints } from "./story.ts";
import { webhookEndpoints } from "./webhooks.ts";

/** Every endpoint of the staff's API, in the order of the documentation. */
export const staffEndpoints: readonly StaffEndpoint[] = Object.freeze([
  ...loginEndpoints,
  ...personEndpoints,
  ...auditEndpoints,
  ...catalogueEndpoints,
  ...accountEndpoints,
  ...orderEndpoints,
  ...moneyEndpoints,
  ...proposalEndpoints,
  ...paymentEndpoints,
  ...bookEndpoints,
  ...peopleEndpoints,
  ...erasureEndpoints,
  ...storyEndpoints,
  ...roomEndpoints,
  ...restrictionEndpoints,
  ...payKeyEndpoints,
  ...deadLetterEndpoints,
  ...shareEndpoints,
  ...keyEndpoints,
  ...webhookEndpoints,
  ...figureEndpoints,
]);
