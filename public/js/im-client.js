/**
 * One WebSocket to a live room, kept alive: greeting, heartbeats, acks, de-duplication, reconnects. With the option
 * `version: 2` it asks for version 2 of the protocol, compressed where this browser can read that. Once it could not read
 * a compressed frame it asks for text.
 * Runs in browsers and in Node (global WebSocket) and imports nothing, so a page, a test or a bot can use it as it is.
 *
 *   const client = createImClient({ url: async () => "ws://host/im?token=...&roomId=..." });
 *   client.on("business", ({ bizCode, data }) => ...);
 *   client.connect();
 *
 * Events:
 *   "state"     {state, code?, reason?, replaced?, retryInMs?, error?}; state: idle, connecting, online, waiting, stopped
 *               `reason` is one of REASON where this client gave up a step, else the reason of the server's close
 *   "login"     the server's greeting {userId, nodeId, epoch, seq}
 *   "gap"       {epoch, seq}: messages of the room before that number are lost, on return or while connected
 *   "refused"   {bizCode, code, error, until?}: what was sent was not carried out; `until` with code 10013 (muted), null: for ever
 *   "business"  {msgId, userId, bizCode, data}, each message once; gifts without the orders already seen. In both versions
 *               a gift has senderId, receiverId, giftId, count, orderTags and combo {id, count}; in version 1 also orderIds, price and url.
 *               Battles (5558, 5559) have the same data in both versions
 *
 * Every step of a connection has a time limit (DEFAULTS); a step that exceeds it ends the attempt, and the next one
 * follows after the back-off. What a listener throws is reported and changes nothing here.
 */
export const FRAME = Object.freeze({ LOGIN: 1001, LOGOUT: 1002, BUSINESS: 1003, HEARTBEAT: 1004, ACK: 1005 });
export const BIZ = Object.freeze({
  CHAT: 5555,
  GIFT: 5556,
  GIFT_FAILED: 5557,
  BATTLE_SCORES: 5558,
  BATTLE_STATE: 5559,
  PAYMENT: 5561,
  ROOM_CLOSED: 5562,
  CHAT_REMOVED: 5564,
});

const APP_ID = 10001;
const COMPRESSION = "deflate-raw";
/** The server's frames are far smaller: 128 KiB, decompressed. */
const FRAME_BYTES = 1024 * 1024;
const ACKED = new Set([BIZ.GIFT_FAILED, BIZ.PAYMENT]);
const REPLACED = 4409;
/** Why this client ended an attempt or a connection by itself. */
export const REASON = Object.freeze({
  NO_ADDRESS: "no address",
  NOT_OPEN: "not open",
  NO_GREETING: "no greeting",
  NO_HEARTBEAT: "no heartbeat",
  UNREADABLE: "unreadable frame",
});
export const DEFAULTS = Object.freeze({
  urlTimeoutMs: 15_000, // for which url() may take to settle
  openTimeoutMs: 10_000, // from the address to an open socket
  greetingTimeoutMs: 10_000, // from the open socket to the server's greeting
  heartbeatMs: 30_000,
  heartbeatTimeoutMs: 15_000, // for which a heartbeat may stay unanswered
  closeTimeoutMs: 5_000, // after which a socket that does not finish its closing is cut, where it can be
  backoffBaseMs: 500,
  backoffCapMs: 15_000,
  stableAfterMs: 10_000,
  rememberedIds: 20_000,
});

/** The tag of an order among its sender's, by which a sender finds the own orders in `orderTags`. */
export function orderTag(orderId) {
  return orderId.slice(-12);
}

/** Whether this browser can read compressed frames. */
function canDecompress() {
  try {
    return Boolean(new DecompressionStream(COMPRESSION));
  } catch {
    return false; // There is none, or it does not know the format.
  }
}

/**
 * @param {{url: (attempt: {signal: AbortSignal}) => string | Promise<string>, version?: 1 | 2, compress?: boolean,
 *   WebSocket?: typeof WebSocket, random?: () => number, report?: (error: unknown) => void}} options `signal` ends with
 *   the attempt
 */
export function createImClient(options) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const defaults = { version: 1, compress: true, WebSocket: globalThis.WebSocket, random: Math.random, report };
  const settings = { ...defaults, ...DEFAULTS, ...given };
  let compressed = settings.version === 2 && settings.compress && canDecompress();
  const listeners = new Map();
  const messages = createMemory(settings.rememberedIds);
  const takeFreshGifts = createGiftFilter(settings.rememberedIds);
  const withStreaks = createStreaks(settings.rememberedIds);
  let state = "idle";
  let link; // the connection in use or being made; a later one makes the callbacks of an earlier one void
  let failures = 0;
  let retryTimer;
  let cursor = {}; // {epoch, seq} of the last room frame seen
  let room = {}; // {userId, anchorId} of the greeting, which frames of version 2 do not repeat

  /** An error of a listener affects neither the connection nor the other listeners. */
  function emit(type, event) {
    for (const listener of [...(listeners.get(type) ?? [])]) guarded(() => listener(event));
  }

  /** Runs a listener, or the reader of a frame: its error is reported and does not affect the connection. */
  function guarded(work) {
    try {
      work();
    } catch (error) {
      settings.report(error);
    }
  }

  function enter(next, details = {}) {
    state = next;
    emit("state", { state, ...details });
  }

  async function open() {
    clearTimeout(retryTimer);
    drop();
    const mine = {
      ...{ attempt: new AbortController(), socket: undefined, timers: [], onlineAt: 0, receivedAt: 0 },
      reading: undefined, // while frames are being decompressed: settles once all that has arrived is handled
    };
    link = mine;
    enter("connecting");
    if (link !== mine) return; // A listener ended it.
    limit(mine, settings.urlTimeoutMs, REASON.NO_ADDRESS);
    try {
      const address = withCursor(await settings.url({ signal: mine.attempt.signal }));
      // Ended, or replaced by another attempt: a late address opens nothing.
      if (link !== mine) return;
      mine.socket = new settings.WebSocket(address);
    } catch (error) {
      if (link !== mine) return;
      if (error?.fatal) stop({ error });
      else retry({ error });
      return;
    }
    const { socket } = mine;
    socket.binaryType = "arraybuffer";
    limit(mine, settings.openTimeoutMs, REASON.NOT_OPEN);
    socket.addEventListener("open", () => link === mine && limit(mine, settings.greetingTimeoutMs, REASON.NO_GREETING));
    socket.addEventListener("message", (event) => {
      mine.receivedAt = Date.now();
      take(mine, event.data);
    });
    socket.addEventListener("close", ({ code, reason }) => inTurn(mine, () => lose(mine, { code, reason })));
    socket.addEventListener("error", () => {}); // a close always follows; Node would report it as unhandled
  }

  /** The step that begins now ends within `ms`, or the attempt does. */
  function limit(mine, ms, reason) {
    clearTimers(mine);
    mine.timers = [setTimeout(() => lose(mine, { reason }), ms)];
  }

  function clearTimers({ timers }) {
    for (const timer of timers) clearTimeout(timer);
  }

  function withCursor(address) {
    const url = new URL(address);
    if (settings.version === 2) url.searchParams.set("v", 2);
    if (compressed) url.searchParams.set("compress", COMPRESSION);
    if (cursor.seq !== undefined && cursor.epoch !== undefined) {
      url.searchParams.set("since", cursor.seq);
      url.searchParams.set("epoch", cursor.epoch);
    }
    return url.href;
  }

  /** Drops the current connection without waiting for its closing handshake, which a dead peer never finishes. */
  function drop(code) {
    const old = link;
    link = undefined;
    if (!old) return;
    clearTimers(old);
    old.attempt.abort();
    const { socket } = old;
    if (!socket || socket.readyState > 1) return;
    // Browsers end a closing by themselves; Node's sockets can be cut.
    const cut = setTimeout(() => socket.terminate?.(), settings.closeTimeoutMs);
    socket.addEventListener("close", () => clearTimeout(cut));
    socket.close(code);
  }

  function lose(mine, { code, reason, error }) {
    if (link !== mine) return;
    const wasStable = mine.onlineAt > 0 && Date.now() - mine.onlineAt >= settings.stableAfterMs;
    if (wasStable) failures = 0;
    drop();
    if (code >= 4400 && code < 4500) stop({ code, reason, replaced: code === REPLACED });
    else retry({ code, reason, ...(error && { error }) });
  }

  function stop(details) {
    drop();
    enter("stopped", details);
  }

  /** Full jitter: clients that lost one node at the same time do not reconnect at the same time. */
  function retry(details) {
    const ceiling = Math.min(settings.backoffCapMs, settings.backoffBaseMs * 2 ** Math.min(failures, 20));
    const retryInMs = Math.round(settings.random() * ceiling);
    failures += 1;
    drop();
    retryTimer = setTimeout(open, retryInMs);
    enter("waiting", { ...details, retryInMs });
  }

  /** A message of the server: text, or binary where it is compressed. */
  function take(mine, data) {
    if (typeof data === "string") inTurn(mine, () => link === mine && guarded(() => receive(mine, data)));
    else {
      const text = inflated(data);
      text.catch(() => {}); // It is handled in its turn.
      inTurn(mine, async () => {
        try {
          const frame = await text;
          if (link === mine) guarded(() => receive(mine, frame));
        } catch (error) {
          // The next connection brings the frame again, as text: a frame that failed once would fail each time.
          compressed = false;
          lose(mine, { reason: REASON.UNREADABLE, error });
        }
      });
    }
  }

  /** Does this at once, or after what arrived earlier and is not handled yet. */
  function inTurn(mine, work) {
    const done = mine.reading ? mine.reading.then(work) : work();
    if (typeof done?.then !== "function") return;
    mine.reading = done;
    done.then(() => {
      if (mine.reading === done) mine.reading = undefined;
    });
  }

  function receive(mine, text) {
    const frame = parse(text);
    const body = fieldsOf(frame?.body);
    if (frame?.code === FRAME.LOGIN) greet(mine, body);
    else if (frame?.code === FRAME.BUSINESS) business(body);
    else if (frame?.code === FRAME.ACK && body.error) emit("refused", body);
  }

  function greet(mine, body) {
    room = { userId: body.userId, anchorId: body.anchorId };
    if (body.recovered === false) {
      cursor = {};
      emit("gap", body);
    }
    if (cursor.epoch === undefined && typeof body.seq === "number") cursor = { epoch: body.epoch, seq: body.seq };
    if (mine.onlineAt > 0 || link !== mine) return; // Greeted before, so this was about a gap; or ended by a listener.
    clearTimers(mine);
    mine.onlineAt = Date.now();
    mine.timers = [setInterval(() => beat(mine), settings.heartbeatMs)];
    enter("online");
    if (link === mine) emit("login", body);
  }

  /**
   * A server that hangs or is cut off closes no connection, and a half-open connection accepts writes: only a heartbeat
   * without an answer shows both.
   */
  function beat(mine) {
    write(FRAME.HEARTBEAT, {});
    if (mine.beatAt !== undefined) return;
    mine.beatAt = Date.now();
    mine.timers[1] = setTimeout(() => {
      if (mine.receivedAt < mine.beatAt) lose(mine, { reason: REASON.NO_HEARTBEAT });
      else mine.beatAt = undefined;
    }, settings.heartbeatTimeoutMs);
  }

  function business(body) {
    const { msgId } = body;
    const bizCode = Number(body.bizCode);
    // Version 2 names neither the receiver of a notification nor the system.
    const userId = body.userId ?? (ACKED.has(bizCode) ? room.userId : "0");
    const data = fieldsOf(typeof body.data === "string" ? parse(body.data) : body.data);
    // A repeat is acked again, since the first ack was lost.
    if (msgId !== undefined && ACKED.has(bizCode)) write(FRAME.ACK, { msgId });
    follow(data);
    if (msgId !== undefined && !messages.add(msgId)) return;
    if (bizCode !== BIZ.GIFT) {
      emit("business", { msgId, userId, bizCode, data: readBattle(bizCode, data) });
      return;
    }
    const gifts = withStreaks(takeFreshGifts((data.gifts ?? []).map((gift) => readGift(gift, room.anchorId))));
    if (gifts.length > 0) emit("business", { msgId, userId, bizCode, data: { ...data, gifts } });
  }

  function follow({ seq, epoch }) {
    if (typeof seq !== "number" || typeof epoch === "object") return;
    const sameEpoch = epoch === undefined || epoch === cursor.epoch;
    if (sameEpoch) cursor = { epoch: cursor.epoch, seq: Math.max(seq, cursor.seq ?? seq) };
    else cursor = { epoch, seq };
  }

  function write(code, body) {
    if (link?.socket?.readyState !== 1) return false;
    link.socket.send(JSON.stringify({ code, body }));
    return true;
  }

  return {
    get state() {
      return state;
    },
    /** Connects, at once even while waiting for a retry; after "stopped" this is the caller's wish to try again. */
    connect() {
      if (state === "connecting" || state === "online") return;
      failures = 0;
      open();
    },
    /**
     * Ends the connection or the attempt, at any step; awaits nothing. An address that comes later opens no connection.
     */
    close() {
      clearTimeout(retryTimer);
      write(FRAME.LOGOUT, {});
      drop(1000);
      if (state !== "idle") enter("idle");
    },
    /** Sends a business message to the room; false when there is no connection to send it on. */
    send(bizCode, data) {
      return state === "online" && write(FRAME.BUSINESS, { appId: APP_ID, bizCode, data });
    },
    /** Listens; the answer ends it. */
    on(type, listener) {
      if (!listeners.has(type)) listeners.set(type, new Set());
      listeners.get(type).add(listener);
      return () => listeners.get(type).delete(listener);
    },
  };
}

/** Where errors of listeners go: to the page's or process's own report of errors, without ending a process. */
function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value where it has fields, else none. */
function fieldsOf(value) {
  return typeof value === "object" && value !== null ? value : {};
}

/** The latest `limit` keys with a value each; the oldest are forgotten first. */
function createMemory(limit) {
  const known = new Map();
  return {
    get: (key) => known.get(key),
    has: (key) => known.has(key),
    /** False where the key was there already. */
    add(key, value = true) {
      if (known.has(key)) return false;
      known.set(key, value);
      if (known.size > limit) known.delete(known.keys().next().value);
      return true;
    },
  };
}

/** The decompressed text of a binary message. Rejects where it is not one, or too large. */
async function inflated(data) {
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream(COMPRESSION)).getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > FRAME_BYTES) {
      await reader.cancel();
      throw new Error("a frame is too large");
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** A gift of either version, and its orders: their tags, and in version 2 the pieces of each. */
function readGift(gift, anchorId) {
  if (!Array.isArray(gift))
    return { gift, orders: [...new Set(gift.orderIds ?? [])].map((id) => ({ tag: orderTag(id) })) };
  const [senderId, giftId, ...rest] = gift;
  const orders = [];
  let pieces = 0;
  let combo; // The last number, which no tags follow.
  let count = 0;
  let more = {};
  for (const part of rest) {
    if (typeof part === "number") pieces = combo = part;
    else if (typeof part === "string") {
      orders.push({ tag: part, pieces });
      count += pieces;
      combo = undefined;
    } else more = fieldsOf(part);
  }
  const { to = anchorId, ...others } = more;
  return { gift: { senderId, receiverId: to, giftId, count, ...(combo && { combo }), ...others }, orders };
}

/**
 * Gives the gifts of version 2, which have only the count of their streak, its id. A streak goes on with the next gift of
 * its sender unless the count is lower than in an earlier frame, or is that of the gift alone.
 */
function createStreaks(limit) {
  const streaks = new Map(); // sender and gift → the id, count and frame of the streak; the oldest first
  let frames = 0;
  let begun = 0;
  const idOf = ({ senderId, giftId, count, combo }) => {
    const key = `${senderId} ${giftId}`;
    const last = streaks.get(key);
    const goesOn = last && (last.frame === frames || (combo >= last.count && combo > count));
    const streak = goesOn ? last : { id: `s${++begun}`, count: combo };
    streak.count = Math.max(streak.count, combo);
    streak.frame = frames;
    streaks.delete(key);
    streaks.set(key, streak);
    if (streaks.size > limit) streaks.delete(streaks.keys().next().value);
    return streak.id;
  };
  return (gifts) => {
    frames += 1;
    return gifts.map((gift) =>
      typeof gift.combo === "number" ? { ...gift, combo: { id: idOf(gift), count: gift.combo } } : gift,
    );
  };
}

/** The data of a battle's scores or state in the form of version 1. */
function readBattle(bizCode, data) {
  if (bizCode === BIZ.BATTLE_SCORES && Array.isArray(data.scores) && typeof data.scores[0] === "string") {
    const scores = [];
    for (let at = 0; at + 1 < data.scores.length; at += 2)
      scores.push({ userId: data.scores[at], score: data.scores[at + 1] });
    return { ...data, scores };
  }
  if (bizCode === BIZ.BATTLE_STATE && Array.isArray(data.sides))
    return { excluded: [], ...data, sides: data.sides.map((side) => (Array.isArray(side) ? readSide(side) : side)) };
  return data;
}

function readSide([roomId, userId, score, gifts, ...rest]) {
  const more = rest.find((part) => !Array.isArray(part));
  const topSenders = rest
    .filter((part) => Array.isArray(part))
    .map(([id, nickName, avatar, coins, others]) => ({ userId: id, nickName, avatar, coins, ...fieldsOf(others) }));
  return { roomId, userId, score, gifts, topSenders, ...fieldsOf(more) };
}

/** Removes from gifts the orders that were shown before, so that the counts of distinct orders add up. */
function createGiftFilter(limit) {
  const shares = createMemory(limit); // sender and tag of an order → the part of an entry's count that it stood for
  return (gifts) =>
    gifts.flatMap(({ gift, orders }) => {
      const key = ({ tag }) => `${gift.senderId} ${tag}`;
      const fresh = orders.filter((order) => !shares.has(key(order)));
      if (orders.length > 0 && fresh.length === 0) return [];
      const seen = orders.reduce((sum, order) => sum + (shares.get(key(order)) ?? 0), 0);
      const count = seen === 0 ? gift.count : Math.max(fresh.length, Math.round(gift.count - seen));
      for (const order of fresh) shares.add(key(order), order.pieces ?? count / fresh.length);
      const orderTags = fresh.map(({ tag }) => tag);
      const orderIds = gift.orderIds?.filter(
        (id, at, all) => all.indexOf(id) === at && orderTags.includes(orderTag(id)),
      );
      return [{ ...gift, ...(orderIds && { orderIds }), orderTags, count }];
    });
}
