// Made by `npm run client-types` from the endpoints and config/errors.ts: change those.
export interface paths {
    "/live/server/v1/users/upsert": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes the user of the platform's id, or changes the name and the avatar
         * @description Scope `users:write`. A repeat with the same Idempotency-Key gets the first answer. Left out, name and avatar stay as they are; a new user without a name gets one. A request that is repeated after its node died writes its own names again, over later ones.
         */
        post: operations["users.upsert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/users/get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A user by either id
         * @description Scope `users:read`.
         */
        post: operations["users.get"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/rooms/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The live room of a user, opened where there is none
         * @description Scope `rooms:write`. A repeat with the same Idempotency-Key gets the first answer. A user has one live room at most. Where it is open already, `opened` is false and `type` and `roomName` stay. A live room without an `externalRoomId` gets the given one. With another `externalRoomId` than the anchor's live room has the request is refused: close that room first (`rooms/ofAnchor` tells which it is). It is also refused where another anchor's live room has the `externalRoomId`. A repeat gets the room of the first request, also where that is closed since. After a room is closed its `externalRoomId` is free for the next one. The room of an anchor who never connects over IM stays open until `rooms/close`.
         */
        post: operations["rooms.open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/rooms/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Closes a live room, whoever's it is
         * @description Scope `rooms:write`. A repeat with the same Idempotency-Key gets the first answer. An `externalRoomId` means the live room that has it, or else the last closed one. `closed` is false where the room was closed already. A repeat never closes a later room with the same `externalRoomId`.
         */
        post: operations["rooms.close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/rooms/get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A live room by either id
         * @description Scope `rooms:read`.
         */
        post: operations["rooms.get"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/rooms/ofAnchor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The live room of a user
         * @description Scope `rooms:read`.
         */
        post: operations["rooms.ofAnchor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/gifts/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a gift for a user: accepted durably when this answers, settled soon after (gifts/order, gift.settled)
         * @description Scope `gifts:send`. A repeat with the same Idempotency-Key gets the first answer. It is the user's own gift: the same balance, checks and limits of a user, and the same order as a gift/send of the user with this `requestId`. The same request may be sent again after any answer, after none and after a 503: it is one order and one charge, also when the room has been closed since. After a 503 it may have been accepted: send the same request again, or ask gifts/order with its `data.orderId`. A 429 did not accept it. After a refusal, e.g. for the balance, a new try needs a new Idempotency-Key.
         */
        post: operations["gifts.send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/gifts/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The state of a gift of any user
         * @description Scope `gifts:read`. An order from a 503 of gifts/send is unknown (501) until it is settled or the repeated request is answered.
         */
        post: operations["gifts.order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/gifts/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The gifts on sale
         * @description Scope `gifts:read`.
         */
        post: operations["gifts.list"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The coins of a user
         * @description Scope `wallet:read`. A user without an account has 0 of everything.
         */
        post: operations["wallet.balance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The statement of a user, newest first; the sum of its valid rows is the balance
         * @description Scope `wallet:read`.
         */
        post: operations["wallet.statement"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/income": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The income of a user as an anchor, with every gift that was settled before settledUpTo
         * @description Scope `wallet:read`.
         */
        post: operations["wallet.income"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/credit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Credits coins that you sold yourself
         * @description Scope `wallet:credit`. A repeat with the same Idempotency-Key gets the first answer. Once for each `externalOrderId`, with whatever Idempotency-Key. Debts are paid off first. A 503 with `data.ordered` is of an order that is written: it will be carried out, whether or not you repeat the request. After a 503 without it nobody knows; the same request gets the outcome.
         */
        post: operations["wallet.credit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/adjust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives coins (above 0) or takes them (below 0)
         * @description Scope `wallet:adjust`. A repeat with the same Idempotency-Key gets the first answer. Once for each Idempotency-Key. What is given pays off debts first; nothing is taken below 0. Where what was adjusted on the account, and what staff moved on it, comes to more than FOUR_EYES_COINS in 24 hours, given and taken added up, nothing moves: the answer has a `proposalId`. A person of the platform's staff approves or declines it within 72 hours, or it expires. The same request, sent again, gets the `state` that it has then, or the balance where it was approved. A 503 with `data.ordered` is of an order that is written: it will be carried out, whether or not you repeat the request. After a 503 without it nobody knows; the same request gets the outcome.
         */
        post: operations["wallet.adjust"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/wallet/payout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes what you have paid to an anchor from her free income
         * @description Scope `wallet:payout`. A repeat with the same Idempotency-Key gets the first answer. Once for each `payoutId`, with whatever Idempotency-Key. Points are hundredths of a coin. A 503 with `data.ordered` is of an order that is written: it will be carried out, whether or not you repeat the request. After a 503 without it nobody knows; the same request gets the outcome.
         */
        post: operations["wallet.payout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a webhook: the events that happen from then on are posted to its URL
         * @description Scope `webhooks`. A repeat with the same Idempotency-Key gets the first answer. Keep the secret: no other call shows it again. A repeat with the same Idempotency-Key does, for as long as the webhook has this secret as its newest. The URL is https and leads to a public address, unless the system allows private ones.
         */
        post: operations["webhooks.create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The webhooks, the oldest first
         * @description Scope `webhooks`.
         */
        post: operations["webhooks.list"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes what is given of a webhook, or switches it off or on
         * @description Scope `webhooks`. A repeat with the same Idempotency-Key gets the first answer. Switched on again it goes on with the deliveries that waited. In force within a second.
         */
        post: operations["webhooks.update"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Removes a webhook with its log
         * @description Scope `webhooks`. A repeat with the same Idempotency-Key gets the first answer. Within a second no call of it begins any more.
         */
        post: operations["webhooks.delete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives a webhook a new secret; the old one signs beside it for 24 hours
         * @description Scope `webhooks`. A repeat with the same Idempotency-Key gets the first answer. A repeat with the same Idempotency-Key shows the same secret, as long as it is the newest. After another rotation it makes a new one.
         */
        post: operations["webhooks.rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The log of a webhook, the latest event first
         * @description Scope `webhooks`.
         */
        post: operations["webhooks.deliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/server/v1/webhooks/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes deliveries again: one, or those of the events of a span of time
         * @description Scope `webhooks`. A repeat with the same Idempotency-Key gets the first answer. `deliveryId`, or `from` and `to` (ISO times, `to` excluded). Where `nextFrom` is not null there were more: go on from there. The calls have the same webhook-id as the first ones.
         */
        post: operations["webhooks.replay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface webhooks {
    "user.registered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event user.registered */
        post: operations["webhook.user.registered"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "user.erased": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event user.erased */
        post: operations["webhook.user.erased"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "user.restricted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event user.restricted */
        post: operations["webhook.user.restricted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "user.unrestricted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event user.unrestricted */
        post: operations["webhook.user.unrestricted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "room.opened": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event room.opened */
        post: operations["webhook.room.opened"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "room.closed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event room.closed */
        post: operations["webhook.room.closed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gift.settled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event gift.settled */
        post: operations["webhook.gift.settled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gift.deadLettered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event gift.deadLettered */
        post: operations["webhook.gift.deadLettered"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "account.frozen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event account.frozen */
        post: operations["webhook.account.frozen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "account.unfrozen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event account.unfrozen */
        post: operations["webhook.account.unfrozen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "wallet.credited": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event wallet.credited */
        post: operations["webhook.wallet.credited"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "income.held": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event income.held */
        post: operations["webhook.income.held"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "income.released": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event income.released */
        post: operations["webhook.income.released"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "payment.paid": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event payment.paid */
        post: operations["webhook.payment.paid"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "payment.refunded": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event payment.refunded */
        post: operations["webhook.payment.refunded"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "battle.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event battle.started */
        post: operations["webhook.battle.started"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "battle.ended": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event battle.ended */
        post: operations["webhook.battle.ended"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.disabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Event webhook.disabled */
        post: operations["webhook.webhook.disabled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        Failure: {
            code: number;
            msg: string;
            data: null;
        };
        GiftGated: {
            /** @constant */
            code: 10006;
            msg: string;
            data: {
                /** @description The platform's own code. */
                code?: number;
                /** @description The platform's own text. */
                msg?: string;
            };
        };
        FieldWrong: {
            code: number;
            msg: string;
            data: {
                /** @description The field that is wrong, or `Idempotency-Key`. */
                field: string;
            } | null;
        };
        ScopeMissing: {
            code: number;
            msg: string;
            data: {
                /** @description The scope that the key lacks. */
                scope: string;
            } | null;
        };
    };
    responses: {
        /** @description 400 参数错误 (bad request); 100001 参数异常 (invalid parameter) */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["FieldWrong"];
            };
        };
        /** @description 100002 用户token异常 (not logged in) */
        NotLoggedIn: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description 100003 没有权限 (not allowed: the key lacks the scope) */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ScopeMissing"];
            };
        };
        /** @description 413 请求体过大 (request body too large) */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description -10001 请求过于频繁 (too many requests) */
        TooMany: {
            headers: {
                /** @description Seconds */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description 500 系统异常 (internal error) */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description 503 服务暂不可用，请稍后再试 (service unavailable, try again later) */
        Unavailable: {
            headers: {
                /** @description Seconds */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
    };
    parameters: {
        /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "users.upsert": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                    nickName?: string;
                    avatar?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "users.get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                            nickName: string;
                            avatar: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "rooms.open": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId?: string;
                    type: number;
                    roomName?: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10001 需要给定直播间类型 (room type missing); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned); 501 主播正在另一个直播间直播 (the anchor is live in a room with another externalRoomId); 501 该外部直播间编号正被另一主播使用 (another anchor is live in the room with this externalRoomId); 501 用户不存在 (no such user); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomTypeMissing" | "accountUnusable" | "banned" | "anchorElsewhere" | "externalRoomTaken" | "userUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id, a decimal string. */
                            anchorId: string;
                            /** @description The platform's own id for `anchorId`, where it has one. */
                            anchorExternalId?: string;
                            /** @description 1 normal, 2 PK */
                            type: number;
                            roomName: string;
                            opened: boolean;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "rooms.close": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId?: number;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId?: string;
                } & ({
                    roomId: number;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id, a decimal string. */
                            anchorId: string;
                            /** @description The platform's own id for `anchorId`, where it has one. */
                            anchorExternalId?: string;
                            closed: boolean;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "rooms.get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId?: number;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId?: string;
                } & ({
                    roomId: number;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id, a decimal string. */
                            anchorId: string;
                            /** @description The platform's own id for `anchorId`, where it has one. */
                            anchorExternalId?: string;
                            /** @description 1 normal, 2 PK */
                            type: number;
                            roomName: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "rooms.ofAnchor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id, a decimal string. */
                            anchorId: string;
                            /** @description The platform's own id for `anchorId`, where it has one. */
                            anchorExternalId?: string;
                            /** @description 1 normal, 2 PK */
                            type: number;
                            roomName: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "gifts.send": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    receiverId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    receiverExternalId?: string;
                    roomId?: number;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId?: string;
                    giftId: number;
                    type?: number;
                    count?: number;
                    /** @description The idempotency key, chosen by the client, one for each gift: the same key is always the same order and one charge. */
                    requestId: string;
                } & (({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                }) & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    receiverId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    receiverExternalId: string;
                }) & ({
                    roomId: number;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalRoomId: string;
                }));
            };
        };
        responses: {
            /** @description 200 成功 (success); 10005 礼物信息异常 (no such gift, or not on sale); 10006 送礼异常 (gift could not be sent); 10006 送礼未被允许 (the gift was not allowed); 10008 不能给自己送礼 (you cannot send a gift to yourself); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10010 余额不足 (insufficient balance); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "giftUnknown" | "giftNotSent" | "giftGated" | "giftToSelf" | "roomNotLive" | "balanceShort" | "idempotencyConflict" | "accountUnusable" | "banned" | "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            orderId: string;
                        };
                    } | components["schemas"]["Failure"] | components["schemas"]["GiftGated"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            /** @description 503 服务暂不可用，请稍后再试 (service unavailable, try again later); with `data` where it may have been carried out */
            503: {
                headers: {
                    /** @description Seconds */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 503;
                        msg: string;
                        data: {
                            orderId: string;
                        } | null;
                    };
                };
            };
        };
    };
    "gifts.order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    orderId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 送礼订单不存在 (no such gift order) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "giftOrderUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            orderId: string;
                            /** @enum {string} */
                            status: "accepted" | "succeeded" | "failed";
                            /** @description Why it failed, in the caller's language. */
                            reason?: string;
                            /** @description The business code of the reason. */
                            reasonCode?: number;
                            giftId: number;
                            count: number;
                            /** @description The price of one when the gift was accepted, coins. */
                            price: number;
                            /** @description A user id, a decimal string. */
                            receiverId: string;
                            /** @description The platform's own id for `receiverId`, where it has one. */
                            receiverExternalId?: string;
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            time: string;
                            /** @description A user id, a decimal string. */
                            senderId: string;
                            /** @description The platform's own id for `senderId`, where it has one. */
                            senderExternalId?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "gifts.list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                giftId: number;
                                price: number;
                                giftName: string;
                                status: number;
                                coverImgUrl: string;
                                svgaUrl: string;
                                createTime: string;
                                updateTime: string;
                            }[];
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "wallet.balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                            balance: number;
                            /** @description Coins that refunds could not take back; the next recharges pay them off. */
                            debt: number;
                            totalCharged: number;
                            /** @description 0 invalid, 1 valid, 2 frozen */
                            status: number;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "wallet.statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    cursor?: string;
                    limit?: number;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                id: string;
                                num: number;
                                /** @description 0 gift, 1 recharge, 2 refund, 3 adjustment */
                                type: number;
                                /** @description 0 rejected, 1 valid */
                                status: number;
                                bizId: string;
                                balanceAfter: number;
                                createTime: string;
                                /** @description The payment order of a recharge or refund; where a recharge paid a debt off, the recharge's order. */
                                orderId?: string;
                                /** @description The platform's order of coins that it sold itself, also where they paid a debt off. */
                                externalOrderId?: string;
                                debt?: {
                                    /** @description Above 0 what a refund could not take back, below 0 what was paid off. */
                                    change: number;
                                    /** @description The whole debt after it. */
                                    after: number;
                                    /** @description The refunded orders whose debt it is. */
                                    orders: {
                                        orderId: string;
                                        coins: number;
                                    }[];
                                };
                            }[];
                            nextCursor: string | null;
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "wallet.income": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description incomePoints in whole coins, rounded down: for display. */
                            income: number;
                            /** @description What was earned, less what is held back and what was paid out; 100 points to a coin. Below 0 where what is held back had been paid out before: later income makes up for it. */
                            incomePoints: number;
                            earned: number;
                            earnedPoints: number;
                            heldBack: number;
                            /** @description Shares of gifts that were paid with refunded coins, held by an operator. */
                            heldBackPoints: number;
                            paidOut: number;
                            paidOutPoints: number;
                            settledUpTo: string;
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "wallet.credit": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    coins: number;
                    /** @description 1 to 64 visible ASCII characters without blanks, of your own. It identifies the order for ever. */
                    externalOrderId: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                            /** @description What the account had right after the coins moved, before they paid off a debt. */
                            balanceAfter: number;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            /** @description 503 服务暂不可用，请稍后再试 (service unavailable, try again later); with `data` where it may have been carried out */
            503: {
                headers: {
                    /** @description Seconds */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 503;
                        msg: string;
                        data: {
                            /** @constant */
                            ordered: true;
                        } | null;
                    };
                };
            };
        };
    };
    "wallet.adjust": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    coins: number;
                    reason: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10010 余额不足 (insufficient balance); 501 用户不存在 (no such user); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "balanceShort" | "userUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                            /** @description What the account had right after the coins moved, before they paid off a debt. */
                            balanceAfter?: number;
                            /** @description Where nothing moved: it needs another person. */
                            proposalId?: string;
                            /**
                             * @description Of the proposal.
                             * @enum {string}
                             */
                            state?: "proposed" | "declined" | "expired";
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            /** @description 503 服务暂不可用，请稍后再试 (service unavailable, try again later); with `data` where it may have been carried out */
            503: {
                headers: {
                    /** @description Seconds */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 503;
                        msg: string;
                        data: {
                            /** @constant */
                            ordered: true;
                        } | null;
                    };
                };
            };
        };
    };
    "wallet.payout": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId?: string;
                    points: number;
                    /** @description 1 to 64 visible ASCII characters without blanks, of your own. It identifies the order for ever. */
                    payoutId: string;
                } & ({
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                } | {
                    /** @description The platform's own id, kept as it is: case and spaces count. */
                    externalId: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 10010 余额不足 (insufficient balance); 10012 账户不可用 (account invalid or frozen); 501 用户不存在 (no such user); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "balanceShort" | "accountUnusable" | "userUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A user id, a decimal string. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            /** @description 503 服务暂不可用，请稍后再试 (service unavailable, try again later); with `data` where it may have been carried out */
            503: {
                headers: {
                    /** @description Seconds */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 503;
                        msg: string;
                        data: {
                            /** @constant */
                            ordered: true;
                        } | null;
                    };
                };
            };
        };
    };
    "webhooks.create": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    url: string;
                    events: string[];
                    /**
                     * @default none
                     * @enum {string}
                     */
                    orderBy?: "none" | "room" | "user";
                    /** @default  */
                    description?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅数量已达上限 (there are as many webhooks as may be); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookLimit" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            webhookId: string;
                            /** @description `whsec_` and base64, for the Standard Webhooks libraries. */
                            secret: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    cursor?: string;
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                webhookId: string;
                                url: string;
                                description: string;
                                events: string[];
                                /** @enum {string} */
                                orderBy: "none" | "room" | "user";
                                enabled: boolean;
                                /** @description Why it is off: failures for days, an answer with HTTP status 410, or webhooks/update. */
                                disabledReason: ("failing" | "gone" | "asked") | null;
                                disabledTime: string | null;
                                /** @description Since when no call has succeeded; null after a success. */
                                failingSince: string | null;
                                /** @description Deliveries that are to be made. */
                                waiting: number;
                                /** @description Deliveries that were dropped since too many waited. */
                                dropped: number;
                                droppedTime: string | null;
                                createTime: string;
                            }[];
                            nextCursor: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.update": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    webhookId: string;
                    url?: string;
                    events?: string[];
                    /** @enum {string} */
                    orderBy?: "none" | "room" | "user";
                    description?: string;
                    enabled?: boolean;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅不存在 (no such webhook); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            webhookId: string;
                            url: string;
                            description: string;
                            events: string[];
                            /** @enum {string} */
                            orderBy: "none" | "room" | "user";
                            enabled: boolean;
                            /** @description Why it is off: failures for days, an answer with HTTP status 410, or webhooks/update. */
                            disabledReason: ("failing" | "gone" | "asked") | null;
                            disabledTime: string | null;
                            /** @description Since when no call has succeeded; null after a success. */
                            failingSince: string | null;
                            /** @description Deliveries that are to be made. */
                            waiting: number;
                            /** @description Deliveries that were dropped since too many waited. */
                            dropped: number;
                            droppedTime: string | null;
                            createTime: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.delete": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    webhookId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅不存在 (no such webhook); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: null;
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.rotate": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    webhookId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅不存在 (no such webhook); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description `whsec_` and base64, for the Standard Webhooks libraries. */
                            secret: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    webhookId: string;
                    /** @enum {string} */
                    status?: "waiting" | "succeeded" | "failed";
                    cursor?: string;
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅不存在 (no such webhook) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookUnknown";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                deliveryId: string;
                                /** @description The header webhook-id, the same in every try. */
                                messageId: string;
                                event: string;
                                /** @enum {string} */
                                status: "waiting" | "succeeded" | "failed";
                                /** @description When the event came in. */
                                time: string;
                                tries: number;
                                /** @description When it is tried next. */
                                nextTime: string | null;
                                /** @description When the last try ended. */
                                lastTime: string | null;
                                durationMs: number | null;
                                httpStatus: number | null;
                                /** @description Why the last try has no HTTP status. */
                                failure: string | null;
                                /** @description How the last answer began. */
                                answer: string | null;
                            }[];
                            nextCursor: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhooks.replay": {
        parameters: {
            query?: never;
            header: {
                /** @description Of this write, chosen by the caller: the same in every repeat, another one for another write. */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    webhookId: string;
                    deliveryId?: string;
                    from?: string;
                    to?: string;
                } & ({
                    deliveryId: string;
                } | {
                    from: string;
                    to: string;
                });
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 回调订阅不存在 (no such webhook); 501 投递记录不存在 (no such delivery); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "webhookUnknown" | "deliveryUnknown" | "idempotencyConflict";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            replayed: number;
                            /** @description Where to go on; null where that was all. */
                            nextFrom: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "webhook.user.registered": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "user.registered";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id, kept as it is: case and spaces count. */
                        externalId?: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.user.erased": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "user.erased";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id, kept as it is: case and spaces count. */
                        externalId?: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.user.restricted": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "user.restricted";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        restrictionId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        kind: string;
                        roomId: number | null;
                        /** @description The platform's own id for `roomId`, where it has one. */
                        externalRoomId?: string;
                        until: string | null;
                        reason: string;
                        by: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.user.unrestricted": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "user.unrestricted";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        restrictionId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        kind: string;
                        roomId: number | null;
                        /** @description The platform's own id for `roomId`, where it has one. */
                        externalRoomId?: string;
                        reason: string;
                        by: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.room.opened": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "room.opened";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        roomId: number;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        anchorId: string;
                        /** @description The platform's own id for `anchorId`, where it has one. */
                        anchorExternalId?: string;
                        type: number;
                        roomName: string;
                        externalRoomId?: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.room.closed": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "room.closed";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        roomId: number;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        anchorId: string;
                        /** @description The platform's own id for `anchorId`, where it has one. */
                        anchorExternalId?: string;
                        externalRoomId?: string;
                        closedBy?: string;
                        reason?: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.gift.settled": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "gift.settled";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        gifts: {
                            orderId: string;
                            recordId?: string;
                            /** @enum {string} */
                            status: "succeeded" | "failed";
                            reason?: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            senderId: string;
                            /** @description The platform's own id for `senderId`, where it has one. */
                            senderExternalId?: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            receiverId: string;
                            /** @description The platform's own id for `receiverId`, where it has one. */
                            receiverExternalId?: string;
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            giftId: number;
                            count: number;
                            price: number;
                            income: number;
                            incomePoints: number;
                            /** @default 0 */
                            type: number;
                            /** @default  */
                            url: string;
                            time: string;
                        }[];
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.gift.deadLettered": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "gift.deadLettered";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        gifts: {
                            orderId: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            senderId: string;
                            /** @description The platform's own id for `senderId`, where it has one. */
                            senderExternalId?: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            receiverId: string;
                            /** @description The platform's own id for `receiverId`, where it has one. */
                            receiverExternalId?: string;
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            giftId: number;
                            count: number;
                            price: number;
                            time: string;
                        }[];
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.account.frozen": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "account.frozen";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        reason: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.account.unfrozen": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "account.unfrozen";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        reason: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.wallet.credited": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "wallet.credited";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        orderId: string;
                        externalOrderId?: string;
                        coins: number;
                        balanceAfter: number;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.income.held": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "income.held";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        orderId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        anchorId: string;
                        /** @description The platform's own id for `anchorId`, where it has one. */
                        anchorExternalId?: string;
                        coins: number;
                        points: number;
                        reason: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.income.released": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "income.released";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        orderId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        anchorId: string;
                        /** @description The platform's own id for `anchorId`, where it has one. */
                        anchorExternalId?: string;
                        coins: number;
                        points: number;
                        reason: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.payment.paid": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "payment.paid";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        orderId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        productId: number;
                        amount: number;
                        coins: number;
                        bizCode: number;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.payment.refunded": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "payment.refunded";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        orderId: string;
                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                        userId: string;
                        /** @description The platform's own id for `userId`, where it has one. */
                        externalId?: string;
                        amount: number;
                        coins: number;
                        reason: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.battle.started": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "battle.started";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A battle's id: a decimal string. */
                        battleId: string;
                        /** @enum {string} */
                        kind: "rooms" | "guest";
                        sides: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                        }[];
                        startTime: string;
                        endTime: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.battle.ended": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "battle.ended";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        /** @description A battle's id: a decimal string. */
                        battleId: string;
                        /** @enum {string} */
                        kind: "rooms" | "guest";
                        sides: {
                            roomId: number;
                            /** @description The platform's own id for `roomId`, where it has one. */
                            externalRoomId?: string;
                            /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                            userId: string;
                            /** @description The platform's own id for `userId`, where it has one. */
                            externalId?: string;
                            score: number;
                            gifts: number;
                        }[];
                        startTime: string;
                        endTime: string;
                        winner: string | null;
                        excluded: string[];
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    "webhook.webhook.disabled": {
        parameters: {
            query?: never;
            header: {
                /** @description The same in every delivery of an event. */
                "webhook-id": string;
                /** @description When it was sent, seconds since 1970. */
                "webhook-timestamp": string;
                /** @description `v1,` and base64, for each secret in force; separated by spaces. */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `webhook-id`. */
                    id: string;
                    /** @constant */
                    type: "webhook.disabled";
                    /** Format: date-time */
                    timestamp: string;
                    data: {
                        webhookId: string;
                        /** @enum {string} */
                        reason: "failing" | "gone";
                        failingSince: string;
                        time: string;
                    };
                };
            };
        };
        responses: {
            /** @description The subscription is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Received. Any other answer, or none in time, is a failure: the webhook is sent again. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
