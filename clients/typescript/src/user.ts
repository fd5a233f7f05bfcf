import { type FailureName, OvationError } from "./errors.ts";
import { userOperations } from "./generated/failures.ts";
import type { paths } from "./generated/user-api.d.ts";
import { deliver, type GiftResult, newKey, type OutcomeOptions, settledOrder } from "./gifts.ts";
import { type RoomConnection, type RoomOptions, roomConnection } from "./im.ts";
import { type Api, apiOf, type DataAt, type ParamsAt } from "./operations.ts";
import { type CallOptions, Transport, type TransportOptions } from "./transport.ts";

const BASE = "/live/api";

type UserOperation = keyof typeof userOperations;
/** The params of an operation of the user API, e.g. `UserParams<"gift/send">`. */
export type UserParams<Operation extends UserOperation> = ParamsAt<paths, `${typeof BASE}/${Operation}`>;
/** The `data` of an operation of the user API, e.g. `UserData<"gift/order">`. */
export type UserData<Operation extends UserOperation> = DataAt<paths, `${typeof BASE}/${Operation}`>;
export type UserApi = Api<paths, typeof BASE>;

/** Whether a second request leads to the same outcome as one, so that a request that was not answered may be sent again. */
const isSame: Readonly<Record<UserOperation, boolean>> = {
  "userLogin/sendLoginCode": false, // An SMS each.
  "userLogin/login": false, // The code is used up by the first.
  "userLogin/logout": true,
  "userLogin/logoutAll": false, // The token of a second is ended by the first.
  "home/initPage": true,
  "living/startingLiving": true, // The same room.
  "living/closeLiving": false, // A second is refused.
  "living/list": true,
  "living/anchorConfig": true,
  "living/moderators": true,
  "living/addModerator": true,
  "living/removeModerator": true,
  "living/roomRole": true,
  "living/mute": false, // Another mute, which ends later.
  "living/unmute": true,
  "living/removeChat": true,
  "living/onlinePk": true,
  "living/offlinePk": true,
  "pk/invite": true,
  "pk/accept": true,
  "pk/decline": true,
  "pk/cancel": true,
  "pk/end": true,
  "pk/show": true,
  "pk/history": true,
  "im/getImConfig": true,
  "gift/listGift": true,
  "gift/send": false, // `gifts.send` repeats it, and knows what a repeat leaves open.
  "gift/order": true,
  "gift/records": true,
  "bank/products": true,
  "bank/payProduct": false, // Another order each.
  "bank/order": true,
  "bank/trades": true,
  "bank/income": true,
  "rank/room": true,
  "rank/anchor": true,
  "rank/global": true,
};

export interface UserClientOptions extends TransportOptions {
  /**
   * The user's token: Ovation's own, or the platform's JWT. Asked for at every request, so it may change. Where the
   * server does not accept one (401), it is asked once more, with that token as `refused`; another token in answer is
   * tried once. Left out: `login` gives one.
   */
  token?: (refused?: string) => string | undefined | Promise<string | undefined>;
}

export type GiftToSend = Omit<UserParams<"gift/send">, "requestId"> & {
  /** Made for each gift where it is left out. Give one to send a gift again whose outcome is not known. */
  requestId?: string;
};
export type GiftOrder = UserData<"gift/order">;

export interface UserClient {
  /** Every operation of the user API: resolves to `data`, rejects with an OvationError. */
  readonly api: UserApi;
  /** Logs in with a code that `api.userLogin.sendLoginCode` sent; the client keeps the token. */
  login(params: UserParams<"userLogin/login">, options?: CallOptions): Promise<UserData<"userLogin/login">>;
  /** Ends the login: the token is invalid on every node within a second. */
  logout(options?: CallOptions): Promise<void>;
  readonly gifts: {
    /** Sends a gift, with a request id of its own, and repeats what is safe. */
    send(gift: GiftToSend, options?: CallOptions): Promise<GiftResult<GiftOrder>>;
    /** Asks for an order until it is settled; undefined where that is not known in time. */
    outcomeOf(orderId: string, options?: OutcomeOptions): Promise<GiftOrder | undefined>;
  };
  /** Connects to a live room, and stays connected until `close`. */
  enterRoom(roomId: number, options?: RoomOptions): RoomConnection;
}

export function createUserClient(options: UserClientOptions): UserClient {
  const transport = new Transport(options);
  let ownToken: string | undefined;

  /** With the user's token; a token that is not accepted is replaced once, where there is another. */
  async function withToken<T>(send: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const ask = async (refused?: string) => (options.token ? await options.token(refused) : ownToken);
    const token = await ask();
    try {
      return await send(authorization(token));
    } catch (error) {
      if (!(error instanceof OvationError) || error.name !== "notLoggedIn" || token === undefined) throw error;
      const other = await ask(token);
      if (other === undefined || other === token) throw error;
      return await send(authorization(other));
    }
  }

  function request(operation: UserOperation, params: unknown, signal: AbortSignal | undefined) {
    const failures: readonly FailureName[] = userOperations[operation];
    return { path: `${BASE}/${operation}`, params, failures, signal };
  }

  function call(operation: UserOperation, params: unknown, { signal }: CallOptions = {}): Promise<unknown> {
    const isRepeatable = isSame[operation];
    return withToken((headers) => transport.call({ ...request(operation, params, signal), headers }, isRepeatable));
  }

  function once(operation: UserOperation, params: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    return withToken((headers) => transport.once({ ...request(operation, params, signal), headers }));
  }

  const api = apiOf<UserApi>(Object.keys(userOperations), call);
  return {
    api,
    async login(params, callOptions) {
      const login = await api.userLogin.login(params, callOptions);
      ownToken = login.token;
      return login;
    },
    async logout(callOptions) {
      await api.userLogin.logout(undefined, callOptions);
      ownToken = undefined;
    },
    gifts: {
      send: (gift, { signal } = {}) => {
        const requestId = gift.requestId ?? newKey();
        return deliver({
          ...{ requestId, signal, repeats: transport.repeats, isAgain: gift.requestId !== undefined },
          send: () => once("gift/send", { ...gift, requestId }, signal) as Promise<{ orderId: string }>,
          order: (orderId) => once("gift/order", { orderId }, signal) as Promise<GiftOrder>,
        });
      },
      outcomeOf: (orderId, outcomeOptions) =>
        settledOrder(
          () => once("gift/order", { orderId }, outcomeOptions?.signal) as Promise<GiftOrder>,
          outcomeOptions,
        ),
    },
    enterRoom: (roomId, roomOptions) =>
      roomConnection((signal) => api.im.getImConfig(undefined, { signal }), roomId, roomOptions),
  };
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}
