// Made by `npm run client-types` from the endpoints and config/errors.ts: change those.

/** The code of each failure, by its name. Several failures may have one code. */
export const failureCodes = {
  "badRequest": 400,
  "notFound": 404,
  "tooLarge": 413,
  "internal": 500,
  "unavailable": 503,
  "messageTooLarge": 500,
  "callerRefused": 403,
  "orderForged": 500,
  "invalidParam": 100001,
  "notLoggedIn": 100002,
  "scopeMissing": 100003,
  "notAllowed": 100003,
  "roleMissing": 100003,
  "requestForged": 100003,
  "tooMany": -10001,
  "startTooOften": -10001,
  "closeTooOften": -10001,
  "business": 501,
  "smsTooOften": 500,
  "smsPhoneLimit": 500,
  "smsBudgetSpent": 500,
  "smsCodeExpired": 501,
  "smsCodeWrong": 501,
  "userUnknown": 501,
  "anchorElsewhere": 501,
  "externalRoomTaken": 501,
  "notYourRoom": 501,
  "restrictionUnknown": 501,
  "restrictionLimit": 501,
  "moderatorLimit": 501,
  "chatUnknown": 501,
  "giftOrderUnknown": 501,
  "giftIdTaken": 501,
  "payOrderUnknown": 501,
  "payOrderState": 501,
  "productUnknown": 501,
  "productIdTaken": 501,
  "topicRefused": 501,
  "markStays": 501,
  "differenceUnknown": 501,
  "webhookUrlRefused": 100001,
  "webhookUnknown": 501,
  "webhookLimit": 501,
  "deliveryUnknown": 501,
  "findingUnknown": 501,
  "findingChanged": 501,
  "findingRefused": 501,
  "deadLetterGone": 501,
  "deadLetterRefused": 501,
  "staffLoginWrong": 501,
  "setupCodeWrong": 501,
  "totpWrong": 501,
  "passwordWeak": 100001,
  "personUnknown": 501,
  "personTaken": 501,
  "personState": 501,
  "lastAdmin": 501,
  "sessionUnknown": 501,
  "keyUnknown": 501,
  "proposalUnknown": 501,
  "ownProposal": 501,
  "decidesLater": 501,
  "erasureBlocked": 501,
  "refundUnknown": 501,
  "holdState": 501,
  "battleUnknown": 501,
  "notYourBattle": 501,
  "battleState": 501,
  "battleWithSelf": 501,
  "roomNotPk": 501,
  "payChannelClosed": 501,
  "roomTypeMissing": 10001,
  "phoneMissing": 10002,
  "phoneMalformed": 10003,
  "smsCodeMalformed": 10004,
  "giftUnknown": 10005,
  "giftNotSent": 10006,
  "giftGated": 10006,
  "alreadyLinked": 10007,
  "giftToSelf": 10008,
  "roomNotLive": 10009,
  "balanceShort": 10010,
  "idempotencyConflict": 10011,
  "accountUnusable": 10012,
  "muted": 10013,
  "banned": 10014
} as const;

/** The business failures of each path of the user API. */
export const userOperations = {
  "userLogin/sendLoginCode": [
    "phoneMissing",
    "phoneMalformed",
    "smsTooOften",
    "smsPhoneLimit",
    "smsBudgetSpent"
  ],
  "userLogin/login": [
    "phoneMissing",
    "phoneMalformed",
    "smsCodeMalformed",
    "smsCodeExpired",
    "smsCodeWrong"
  ],
  "userLogin/logout": [],
  "userLogin/logoutAll": [
    "userUnknown"
  ],
  "home/initPage": [
    "userUnknown"
  ],
  "living/startingLiving": [
    "roomTypeMissing",
    "startTooOften",
    "accountUnusable"
  ],
  "living/closeLiving": [
    "notYourRoom",
    "closeTooOften"
  ],
  "living/list": [],
  "living/anchorConfig": [
    "userUnknown"
  ],
  "living/moderators": [],
  "living/addModerator": [
    "userUnknown",
    "moderatorLimit"
  ],
  "living/removeModerator": [],
  "living/roomRole": [
    "roomNotLive"
  ],
  "living/mute": [
    "roomNotLive",
    "notAllowed",
    "muted",
    "userUnknown",
    "restrictionLimit"
  ],
  "living/unmute": [
    "roomNotLive",
    "notAllowed",
    "muted"
  ],
  "living/removeChat": [
    "roomNotLive",
    "notAllowed",
    "muted",
    "chatUnknown"
  ],
  "pk/invite": [
    "alreadyLinked",
    "roomNotLive",
    "notYourBattle",
    "battleWithSelf",
    "accountUnusable"
  ],
  "pk/accept": [
    "battleUnknown",
    "notYourBattle",
    "battleState"
  ],
  "pk/decline": [
    "battleUnknown",
    "notYourBattle",
    "battleState"
  ],
  "pk/cancel": [
    "battleUnknown",
    "notYourBattle",
    "battleState"
  ],
  "pk/end": [
    "battleUnknown",
    "notYourBattle",
    "battleState"
  ],
  "pk/show": [
    "battleUnknown"
  ],
  "pk/history": [],
  "living/onlinePk": [
    "alreadyLinked",
    "roomNotLive",
    "roomNotPk",
    "battleWithSelf",
    "accountUnusable"
  ],
  "living/offlinePk": [
    "battleUnknown",
    "notYourBattle"
  ],
  "im/getImConfig": [],
  "gift/listGift": [],
  "gift/send": [
    "giftUnknown",
    "giftNotSent",
    "giftGated",
    "giftToSelf",
    "roomNotLive",
    "balanceShort",
    "idempotencyConflict",
    "accountUnusable",
    "banned"
  ],
  "gift/order": [
    "giftOrderUnknown"
  ],
  "gift/records": [],
  "bank/products": [],
  "bank/payProduct": [
    "payChannelClosed"
  ],
  "bank/order": [
    "payOrderUnknown"
  ],
  "bank/trades": [],
  "bank/income": [],
  "rank/room": [],
  "rank/anchor": [],
  "rank/global": []
} as const;

/** Of each path of the server API, whether it writes, and its business failures. */
export const serverOperations = {
  "users/upsert": {
    "write": true,
    "failures": [
      "idempotencyConflict"
    ]
  },
  "users/get": {
    "write": false,
    "failures": [
      "userUnknown"
    ]
  },
  "rooms/open": {
    "write": true,
    "failures": [
      "roomTypeMissing",
      "accountUnusable",
      "banned",
      "anchorElsewhere",
      "externalRoomTaken",
      "userUnknown",
      "idempotencyConflict"
    ]
  },
  "rooms/close": {
    "write": true,
    "failures": [
      "roomNotLive",
      "idempotencyConflict"
    ]
  },
  "rooms/get": {
    "write": false,
    "failures": [
      "roomNotLive"
    ]
  },
  "rooms/ofAnchor": {
    "write": false,
    "failures": [
      "roomNotLive",
      "userUnknown"
    ]
  },
  "gifts/send": {
    "write": true,
    "failures": [
      "giftUnknown",
      "giftNotSent",
      "giftGated",
      "giftToSelf",
      "roomNotLive",
      "balanceShort",
      "idempotencyConflict",
      "accountUnusable",
      "banned",
      "userUnknown"
    ]
  },
  "gifts/order": {
    "write": false,
    "failures": [
      "giftOrderUnknown"
    ]
  },
  "gifts/list": {
    "write": false,
    "failures": []
  },
  "wallet/balance": {
    "write": false,
    "failures": [
      "userUnknown"
    ]
  },
  "wallet/statement": {
    "write": false,
    "failures": [
      "userUnknown"
    ]
  },
  "wallet/income": {
    "write": false,
    "failures": [
      "userUnknown"
    ]
  },
  "wallet/credit": {
    "write": true,
    "failures": [
      "userUnknown",
      "idempotencyConflict"
    ]
  },
  "wallet/adjust": {
    "write": true,
    "failures": [
      "balanceShort",
      "userUnknown",
      "idempotencyConflict"
    ]
  },
  "wallet/payout": {
    "write": true,
    "failures": [
      "balanceShort",
      "accountUnusable",
      "userUnknown",
      "idempotencyConflict"
    ]
  },
  "webhooks/create": {
    "write": true,
    "failures": [
      "webhookLimit",
      "idempotencyConflict"
    ]
  },
  "webhooks/list": {
    "write": false,
    "failures": []
  },
  "webhooks/update": {
    "write": true,
    "failures": [
      "webhookUnknown",
      "idempotencyConflict"
    ]
  },
  "webhooks/delete": {
    "write": true,
    "failures": [
      "webhookUnknown",
      "idempotencyConflict"
    ]
  },
  "webhooks/rotate": {
    "write": true,
    "failures": [
      "webhookUnknown",
      "idempotencyConflict"
    ]
  },
  "webhooks/deliveries": {
    "write": false,
    "failures": [
      "webhookUnknown"
    ]
  },
  "webhooks/replay": {
    "write": true,
    "failures": [
      "webhookUnknown",
      "deliveryUnknown",
      "idempotencyConflict"
    ]
  }
} as const;
