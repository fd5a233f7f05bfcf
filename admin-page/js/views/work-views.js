/** The views of the work lists, the catalogue, the system and the staff, in the order of the navigation. */
import { auditView } from "./audit.js";
import { booksView } from "./books.js";
import { deadLettersView } from "./dead-letters.js";
import { figuresView } from "./figures.js";
import { giftsView } from "./gifts.js";
import { keysView } from "./keys.js";
import { parkedView } from "./parked.js";
import { personsView } from "./persons.js";
import { productsView } from "./products.js";
import { reconciliationView } from "./reconciliation.js";
import { sharesView } from "./shares.js";
import { topicsView } from "./topics.js";
import { webhookView } from "./webhook.js";
import { webhooksView } from "./webhooks.js";

export const workViews = [
  ...[parkedView, deadLettersView, reconciliationView, booksView],
  ...[giftsView, productsView, topicsView, sharesView],
  ...[figuresView, keysView, webhooksView, webhookView],
  ...[personsView, auditView],
];
