// Made by `npm run client-types` from the endpoints and config/errors.ts: change those.
export interface paths {
    "/live/api/userLogin/sendLoginCode": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sends a login code to a phone */
        post: operations["api.userLogin.sendLoginCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/userLogin/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs in with a code, registers an unknown phone, sets the login cookie */
        post: operations["api.userLogin.login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/userLogin/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends the login: the token is invalid afterwards
         * @description Every node refuses the token, own or a JWT of the platform, within a second. After a 503 it may be repeated.
         */
        post: operations["api.userLogin.logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/userLogin/logoutAll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends all logins of the user: every token issued until now is invalid afterwards
         * @description Every node refuses the tokens within a second. A login after the answer is not affected; a user of the platform needs a JWT that is issued 60 s after it or later. After a 503 it may be repeated.
         */
        post: operations["api.userLogin.logoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/home/initPage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Who is logged in */
        post: operations["api.home.initPage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/startingLiving": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens the user's live room; a second start returns the same room */
        post: operations["api.living.startingLiving"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/closeLiving": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Closes a live room; only for its anchor */
        post: operations["api.living.closeLiving"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Live rooms of a type, newest first */
        post: operations["api.living.list"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/anchorConfig": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A live room, its anchor and the caller; roomId -1 (anchorId, type null) where there is no such live room */
        post: operations["api.living.anchorConfig"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/moderators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The moderators of the caller's rooms */
        post: operations["api.living.moderators"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/addModerator": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Names a moderator for all rooms of the caller, 20 at the most; a repeat changes nothing */
        post: operations["api.living.addModerator"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/removeModerator": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes a moderator off the caller's rooms; a repeat changes nothing */
        post: operations["api.living.removeModerator"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/roomRole": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What the caller is in a live room, and until when muted; `mutedUntil` null with `muted`: for ever */
        post: operations["api.living.roomRole"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/mute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mutes a user in a live room; for its anchor and her moderators
         * @description The anchor mutes everybody else, a moderator viewers. Nobody who is muted mutes. A further mute of a muted user adds to it: the later end counts.
         */
        post: operations["api.living.mute"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/unmute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lifts the mutes of a user in a live room; for its anchor and her moderators
         * @description Those of the platform's staff stay, and those of the anchor where a moderator calls. A repeat changes nothing.
         */
        post: operations["api.living.unmute"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/removeChat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Removes a chat message from a live room's history and screens (5564); for its anchor and her moderators
         * @description A moderator removes neither the anchor's nor another moderator's, and only what the history still has; the anchor also what may only be on screens. A repeat is harmless.
         */
        post: operations["api.living.removeChat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/invite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * An anchor invites another room to a battle
         * @description The invitation expires after 30 s. 10007 where a side is invited or in a battle already: also where both rooms invite each other at the same moment, then one invitation stands, and the other anchor accepts it. A repeat while the invitation is open is answered with the same battle. 10007 also for 60 s after an invitation to the same anchor was declined, cancelled or expired; the other side may invite back at once.
         */
        post: operations["api.pk.invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The invited anchor accepts: the battle runs */
        post: operations["api.pk.accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The invited anchor declines */
        post: operations["api.pk.decline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The inviting anchor withdraws the invitation */
        post: operations["api.pk.cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A side ends the battle early; the score decides */
        post: operations["api.pk.end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/show": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A battle by its id, or the newest of a room
         * @description While the battle runs, scores are those of the gifts that are settled and counted. serverTime is the current time. All times are by the clock that gives gifts their times.
         */
        post: operations["api.pk.show"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/pk/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The battles of a user, newest first; without userId one's own */
        post: operations["api.pk.history"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/onlinePk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A viewer of a room of type 2 joins its anchor as guest: the battle runs
         * @description While it runs the guest receives gifts in the room. A guest who is not in the room for 60 s loses. 10009 where she is not connected to the room; 10007 also for 5 minutes after the anchor ended her battle there.
         */
        post: operations["api.living.onlinePk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/living/offlinePk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The guest or the anchor ends the guest's battle; the score decides */
        post: operations["api.living.offlinePk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/im/getImConfig": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A token for one WebSocket connection (5 minutes, works once) and the address of a live im-server */
        post: operations["api.im.getImConfig"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/gift/listGift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The gifts on sale */
        post: operations["api.gift.listGift"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/gift/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a gift: accepted durably when this answers, settled soon after (gift/order, IM 5556 and 5557)
         * @description Send a `requestId` with every gift. Then the same request may be sent again after any answer, after none and after a 503: it is the same order and one charge. A 503 with `data.orderId` may have been accepted: ask gift/order for that order, or send the same request again. A 503 without `data` did not accept this request; an earlier request with the same `requestId` may have been accepted: send the same request again. Without a `requestId` a repeat is another gift and another charge: after a 503 with an order id ask gift/order for it, and after no answer look in gift/records. A gift that is answered 429 (too many gifts of one user in a second) is not accepted.
         */
        post: operations["api.gift.send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/gift/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The state of a gift that the caller sent
         * @description An order from a 503 of gift/send is unknown (501) until it is settled or the repeated request is answered. Ask for a minute before you treat it as not accepted, longer while the service answers 503.
         */
        post: operations["api.gift.order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/gift/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gifts that the caller sent or received, newest first */
        post: operations["api.gift.records"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/bank/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Products on sale by price descending, the caller's balance, and the open channels */
        post: operations["api.bank.products"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/bank/payProduct": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes an order for a product, and returns the page or the QR code to pay it */
        post: operations["api.bank.payProduct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/bank/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A pay order of the caller */
        post: operations["api.bank.order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/bank/trades": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The caller's statement, newest first; the sum of its valid rows is the balance */
        post: operations["api.bank.trades"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/bank/income": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The caller's income as an anchor, with every gift that was settled before settledUpTo */
        post: operations["api.bank.income"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/rank/room": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Who has given most in a room, in this broadcast
         * @description The first 100. Among equal sums, who reached hers first is first. `me` is the caller's own place; `me.rank` is null beyond 10,000 and without a gift. A gift is in it within two seconds of its settlement.
         */
        post: operations["api.rank.room"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/rank/anchor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Who has given most to an anchor
         * @description The day, the week (from Monday) or the month that it is now in the platform's time zone, or all time. A gift belongs to the period in which it was accepted. The first 100. Among equal sums, who reached hers first is first. `me` is the caller's own place; `me.rank` is null beyond 10,000 and without a gift. A gift is in it within two seconds of its settlement.
         */
        post: operations["api.rank.anchor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live/api/rank/global": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The anchors who got most, or the senders who gave most
         * @description The day, the week (from Monday) or the month that it is now in the platform's time zone, or all time. A gift belongs to the period in which it was accepted. The first 100. Among equal sums, who reached hers first is first. `me` is the caller's own place; `me.rank` is null beyond 10,000 and without a gift. A gift is in it within two seconds of its settlement.
         */
        post: operations["api.rank.global"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
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
    };
    responses: {
        /** @description 400 参数错误 (bad request); 100001 参数异常 (invalid parameter) */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
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
        /** @description 100003 没有权限 (not allowed) */
        NotAllowed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description 404 路径不存在 (no such path) */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
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
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "api.userLogin.sendLoginCode": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    phone?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10002 手机号不能为空 (phone missing); 10003 手机号格式异常 (phone malformed); 500 短信发送太频繁，请稍后再试 (a code was sent already, try again later); 500 该手机号今日获取验证码次数已达上限，请明天再试 (no more codes for this phone today, try again tomorrow); 500 今日短信发送量已达上限，请明天再试 (no more codes today, try again tomorrow) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "phoneMissing" | "phoneMalformed" | "smsTooOften" | "smsPhoneLimit" | "smsBudgetSpent";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            devCode?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.userLogin.login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    phone?: string;
                    code?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10002 手机号不能为空 (phone missing); 10003 手机号格式异常 (phone malformed); 10004 验证码格式异常 (code malformed); 501 验证码已过期 (the code has expired); 501 验证码校验失败 (the code is wrong) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "phoneMissing" | "phoneMalformed" | "smsCodeMalformed" | "smsCodeExpired" | "smsCodeWrong";
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
                            token: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.userLogin.logout": {
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
                        data: null;
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.userLogin.logoutAll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown" | "banned";
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
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.home.initPage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            loginStatus: boolean;
                            /** @description A user id, a decimal string. */
                            userId: string;
                            nickName: string;
                            avatar: string;
                            showStartLivingBtn: boolean;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.startingLiving": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    type: number;
                    roomName?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10001 需要给定直播间类型 (room type missing); -10001 开播请求过于频繁，请稍后再试 (too many start requests, try again later); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomTypeMissing" | "startTooOften" | "accountUnusable" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.closeLiving": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 只有主播才能关播 (only the anchor can close the room); -10001 关播请求过于频繁，请稍后再试 (too many close requests, try again later); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "notYourRoom" | "closeTooOften" | "banned";
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
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    type: number;
                    page: number;
                    pageSize: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                id: number;
                                roomName: string;
                                /** @description A user id, a decimal string. */
                                anchorId: string;
                                watchNum: number;
                                goodNum: number;
                                covertImg: string;
                            }[];
                            hasNext: boolean;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.anchorConfig": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            roomId: number;
                            anchorId: string | null;
                            /** @description A user id, a decimal string. */
                            userId: string;
                            isAnchor: boolean;
                            type: number | null;
                            roomName: string;
                            nickName: string;
                            avatar: string;
                            anchorNickName: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.moderators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                /** @description A user id, a decimal string. */
                                userId: string;
                                nickName: string;
                                avatar: string;
                            }[];
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.addModerator": {
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
                    userId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 用户不存在 (no such user); 501 房管数量已达上限 (the anchor has the largest number of moderators already); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "userUnknown" | "moderatorLimit" | "banned";
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
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.removeModerator": {
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
                    userId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
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
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.roomRole": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @enum {string} */
                            role: "anchor" | "moderator" | "viewer";
                            muted: boolean;
                            mutedUntil: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.mute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                    minutes: number;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10013 你已被禁言 (you are muted); 501 用户不存在 (no such user); 501 该直播间的禁言数量已达上限 (this room has the largest number of mutes already); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "notAllowed" | "muted" | "userUnknown" | "restrictionLimit" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            restrictionId: string;
                            until: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["NotAllowed"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.unmute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10013 你已被禁言 (you are muted); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "notAllowed" | "muted" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            lifted: number;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            403: components["responses"]["NotAllowed"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.removeChat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                    msgId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10013 你已被禁言 (you are muted); 501 该聊天消息不存在或已过期 (no such chat in the room's history); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "roomNotLive" | "notAllowed" | "muted" | "chatUnknown" | "banned";
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
            403: components["responses"]["NotAllowed"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.invite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                    opponentRoomId: number;
                    durationS?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10007 目前正有人连线，请稍后再试 (somebody is linked already); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 501 无权操作该PK (not your battle); 501 不能与自己PK (you cannot battle against yourself); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "alreadyLinked" | "roomNotLive" | "notYourBattle" | "battleWithSelf" | "accountUnusable" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A battle's id: a decimal string. */
                    battleId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 501 无权操作该PK (not your battle); 501 PK当前状态不允许该操作 (the battle's state does not allow this); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "notYourBattle" | "battleState" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A battle's id: a decimal string. */
                    battleId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 501 无权操作该PK (not your battle); 501 PK当前状态不允许该操作 (the battle's state does not allow this); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "notYourBattle" | "battleState" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A battle's id: a decimal string. */
                    battleId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 501 无权操作该PK (not your battle); 501 PK当前状态不允许该操作 (the battle's state does not allow this); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "notYourBattle" | "battleState" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A battle's id: a decimal string. */
                    battleId: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 501 无权操作该PK (not your battle); 501 PK当前状态不允许该操作 (the battle's state does not allow this); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "notYourBattle" | "battleState" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.show": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description A battle's id: a decimal string. */
                    battleId?: string;
                    roomId?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                            /** @enum {string} */
                            kind: "rooms" | "guest";
                            /** @enum {string} */
                            state: "invited" | "running" | "settling" | "ended" | "declined" | "cancelled" | "expired";
                            sides: {
                                roomId: number;
                                /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                                userId: string;
                                score: number;
                                gifts: number;
                                topSenders: {
                                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                                    userId: string;
                                    nickName: string;
                                    avatar: string;
                                    coins: number;
                                }[];
                            }[];
                            startTime: string | null;
                            endTime: string | null;
                            serverTime: string;
                            winner: string | null;
                            excluded: string[];
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.pk.history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    cursor?: string;
                    limit?: number;
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    userId?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                /** @description A battle's id: a decimal string. */
                                battleId: string;
                                /** @enum {string} */
                                kind: "rooms" | "guest";
                                /** @enum {string} */
                                state: "invited" | "running" | "settling" | "ended" | "declined" | "cancelled" | "expired";
                                sides: {
                                    roomId: number;
                                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                                    userId: string;
                                    score: number;
                                    gifts: number;
                                    topSenders: {
                                        /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                                        userId: string;
                                        nickName: string;
                                        avatar: string;
                                        coins: number;
                                    }[];
                                }[];
                                startTime: string | null;
                                endTime: string | null;
                                serverTime: string;
                                winner: string | null;
                                excluded: string[];
                            }[];
                            nextCursor: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.onlinePk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10007 目前正有人连线，请稍后再试 (somebody is linked already); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 501 该直播间不是PK直播间 (the room is not of the PK type); 501 不能与自己PK (you cannot battle against yourself); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "alreadyLinked" | "roomNotLive" | "roomNotPk" | "battleWithSelf" | "accountUnusable" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.living.offlinePk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 PK不存在 (no such battle); 501 无权操作该PK (not your battle); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "battleUnknown" | "notYourBattle" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            /** @description A battle's id: a decimal string. */
                            battleId: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.im.getImConfig": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            token: string;
                            wsImServerAddress: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.gift.listGift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            giftId: number;
                            price: number;
                            giftName: string;
                            status: number;
                            coverImgUrl: string;
                            svgaUrl: string;
                            createTime: string;
                            updateTime: string;
                        }[];
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.gift.send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    giftId: number;
                    roomId: number;
                    /** @description A user id: a decimal string; a number is accepted while it is a safe integer. */
                    receiverId: string;
                    type?: number;
                    count?: number;
                    /** @description The idempotency key, chosen by the client, one for each gift: the same key is always the same order and one charge. */
                    requestId?: string;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10005 礼物信息异常 (no such gift, or not on sale); 10006 送礼异常 (gift could not be sent); 10006 送礼未被允许 (the gift was not allowed); 10008 不能给自己送礼 (you cannot send a gift to yourself); 10009 直播间不存在或已关播 (room not live, or receiver not in it); 10010 余额不足 (insufficient balance); 10011 重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容） (this idempotency key, request id or order id was used with other content); 10012 账户不可用 (account invalid or frozen); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "giftUnknown" | "giftNotSent" | "giftGated" | "giftToSelf" | "roomNotLive" | "balanceShort" | "idempotencyConflict" | "accountUnusable" | "banned";
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
    "api.gift.order": {
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
            /** @description 200 成功 (success); 501 送礼订单不存在 (no such gift order); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "giftOrderUnknown" | "banned";
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
                            roomId: number;
                            time: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.gift.records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    direction: "sent" | "received";
                    roomId?: number;
                    cursor?: string;
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
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
                                roomId: number;
                                time: string;
                                id: string;
                                /** @description A user id, a decimal string. */
                                senderId: string;
                            }[];
                            nextCursor: string | null;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.bank.products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    type: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            currentBalance: number;
                            /** @description Coins that refunds could not take back; the next recharges pay them off. */
                            currentDebt: number;
                            payProductItemVOList: {
                                id: number;
                                name: string;
                                coinNum: number;
                            }[];
                            /** @description The open channels, in the order in which to show them. */
                            payChannels: {
                                payChannel: number;
                                /** @description wechat, alipay, cashier */
                                name: string;
                                /** @description The channel's name for payers. */
                                title: {
                                    zh: string;
                                    en: string;
                                };
                                /**
                                 * @description The way to pay. qr: payUrl is the content of a QR code for the provider's app; redirect: the provider's page; page: a page of the provider at this server.
                                 * @enum {string}
                                 */
                                kind: "qr" | "redirect" | "page";
                            }[];
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.bank.payProduct": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    productId: number;
                    paySource: number;
                    payChannel: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 501 支付渠道未配置 (this payment channel is not configured); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "payChannelClosed" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            orderId: string;
                            /** @description See kind of payChannels in bank/products. */
                            payUrl: string;
                            /** @description Fen. */
                            amount: number;
                            /** @description The time left to pay, seconds. */
                            expiresInS: number;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.bank.order": {
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
            /** @description 200 成功 (success); 501 支付订单不存在 (no such order); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "payOrderUnknown" | "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            orderId: string;
                            productId: number;
                            /** @description 0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded */
                            status: number;
                            coinNum: number;
                            /** @description Fen. */
                            amount: number;
                            payTime?: string;
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.bank.trades": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    cursor?: string;
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
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
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.bank.income": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
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
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.rank.room": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    roomId: number;
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                rank: number;
                                /** @description A user id, a decimal string. */
                                userId: string;
                                nickName: string;
                                avatar: string;
                                coins: number;
                            }[];
                            me: {
                                rank: number | null;
                                coins: number;
                            };
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.rank.anchor": {
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
                    anchorId: string;
                    /** @enum {string} */
                    span: "day" | "week" | "month" | "all";
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                rank: number;
                                /** @description A user id, a decimal string. */
                                userId: string;
                                nickName: string;
                                avatar: string;
                                coins: number;
                            }[];
                            me: {
                                rank: number | null;
                                coins: number;
                            };
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    "api.rank.global": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    by: "anchors" | "senders";
                    /** @enum {string} */
                    span: "day" | "week" | "month" | "all";
                };
            };
        };
        responses: {
            /** @description 200 成功 (success); 10014 你已被封禁 (you are banned) */
            200: {
                headers: {
                    /** @description The name of the reason, where `code` is not 200 */
                    "X-Failure"?: "banned";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        code: 200;
                        msg: string;
                        data: {
                            list: {
                                rank: number;
                                /** @description A user id, a decimal string. */
                                userId: string;
                                nickName: string;
                                avatar: string;
                                coins: number;
                            }[];
                            me: {
                                rank: number | null;
                                coins: number;
                            };
                        };
                    } | components["schemas"]["Failure"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotLoggedIn"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
