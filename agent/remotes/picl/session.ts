// Who asks: the login, which changes an assertion or an access token and the device's id into a
// short-lived pair and the places of all collections; and the Hawk signature of every request,
// bodies included. What a refusal proves of the server's clock is believed, and nothing else of it.
// A session lives as long as the sign-in on this boot; nothing of it is stored.
// Sources: docs/picl.md, Hawk (github.com/mozilla/hawk).

import { encodeBase64 } from '../../../crypto/bytes.ts';
import { hawkKey, hawkMac } from '../../../crypto/hawk.ts';
import { itemUnitsMax, type TextCrypto } from '../../../crypto/texts.ts';
import type { Header, Network } from '../../../platform/ports.ts';
import { badResponse } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX, STAMP_MS_MAX } from '../../limits.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { header } from '../../wire/headers.ts';
import { type Answer, createHttp, type Exchange, JSON_BODY } from '../../wire/http.ts';
import { deviceId } from '../device-id.ts';
import type { RemoteOptions } from '../remote.ts';
import { REFUSED_WAIT_MS } from './limits.ts';
import { ending, NOTED, unexpected } from './statuses.ts';

/** A request to a collection: behind its place. */
interface Asked extends Pick<Exchange, 'method' | 'headers'> {
  readonly collection: string;
  readonly path: string;
  readonly body?: string;
}

export interface Session {
  /** Whether the server has a place for it. Errors: those of the login. */
  has(collection: string): Promise<boolean>;
  /** A new login, for places that are none any more. Errors: those of the login. */
  renew(): Promise<void>;
  /**
   * Errors: `unauthorized` when a new session is refused as well, `unavailable`, `badResponse` for
   * a collection without a place; those of the login and of HTTP.
   */
  send(asked: Asked): Promise<Answer>;
}

interface Pass {
  readonly id: string;
  readonly key: ReturnType<typeof hawkKey>;
  readonly places: ReadonlyMap<string, string>;
  /** The server's time minus the device's. */
  aheadMs: number;
  /** Device time at which it is renewed; null: when it is refused. */
  readonly untilMs: number | null;
}

export function openSession(options: RemoteOptions, crypto: TextCrypto): Session {
  const { cache, notes, platform } = options;
  const { clock, entropy } = platform;
  const refusals: { last: readonly Header[] } = { last: [] };
  const passOf = async (isFresh: boolean): Promise<Pass> => {
    const known = cache.get(CACHE_NAME) as Pass | undefined;
    const nowMs = clock.nowMs();
    const isOver = known?.untilMs != null && nowMs >= known.untilMs;
    if (known !== undefined && !isFresh && !isOver) return known;
    cache.delete(CACHE_NAME);
    const made = await login(options, isFresh);
    cache.set(CACHE_NAME, made);
    return made;
  };
  const http = createHttp({
    ...options,
    platform: { ...platform, network: noting(platform.network, refusals) },
    noted: NOTED,
    async authorize(fresh, exchange) {
      const before = cache.get(CACHE_NAME) as Pass | undefined;
      const aheadMs =
        fresh && before ? await provenAheadMs(before, refusals.last, clock.nowMs()) : null;
      if (before && aheadMs !== null) before.aheadMs = aheadMs;
      const pass = await passOf(fresh && aheadMs === null);
      return [['Authorization', await signed(pass, exchange)]];
    },
    judge(answered) {
      if (answered.status === 401) notes.waitMs = Math.max(notes.waitMs, REFUSED_WAIT_MS);
      return ending(answered);
    },
  });
  const signed = async (
    { id, key, aheadMs }: Pass,
    { method, url, body }: Exchange,
  ): Promise<string> => {
    const timeSeconds = Math.floor((clock.nowMs() + aheadMs) / 1000);
    const nonce = encodeBase64(entropy.random(NONCE_BYTES), 'url');
    const hash = typeof body === 'string' ? await payloadHash(crypto, body) : null;
    const mac = await hawkMac(key, { method, url, timeSeconds, nonce, ...(hash && { hash }) });
    const own = hash === null ? '' : `, hash="${hash}"`;
    return `Hawk id="${id}", ts="${timeSeconds}", nonce="${nonce}"${own}, mac="${mac}"`;
  };
  const placeOf = (collection: string): string => {
    const place = (cache.get(CACHE_NAME) as Pass | undefined)?.places.get(collection);
    if (place !== undefined) return place;
    throw badResponse(`${collection}: the server has no place for it`, { collection });
  };
  return {
    async renew() {
      cache.delete(CACHE_NAME);
      await passOf(false);
    },
    has: async (collection) => (await passOf(false)).places.has(collection),
    async send({ collection, path, ...asked }) {
      await passOf(false);
      const headers = [...(asked.headers ?? []), ...(asked.body === undefined ? [] : [JSON_BODY])];
      return http.send({
        ...asked,
        headers,
        // Where the last login says, which may be one that this request has asked for.
        get url() {
          return placeOf(collection) + path;
        },
      });
    },
  };
}

const CACHE_NAME = 'session';
const NONCE_BYTES = 9;
/** A session is renewed when so much of its life is over. */
const LIFE_SHARE = 0.9;
const HEADER_TEXT = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,4096}$/;

/** Keeps the headers of the last refusal, which say what time it is. */
function noting(network: Network, refusals: { last: readonly Header[] }): Network {
  return {
    async request(request) {
      const response = await network.request(request);
      if (response.status === 401) refusals.last = response.headers;
      return response;
    },
  };
}

/** What the server's clock is ahead, if whoever says so has the key; null: nobody proves it. */
async function provenAheadMs(
  { key }: Pass,
  headers: readonly Header[],
  nowMs: number,
): Promise<number | null> {
  const said = header(headers, 'www-authenticate') ?? '';
  const ts = /\bts="(\d{1,12})"/.exec(said)?.[1];
  const tsm = /\btsm="([^"]{1,128})"/.exec(said)?.[1];
  if (ts === undefined || tsm === undefined) return null;
  const mac = encodeBase64(await key(`hawk.1.ts\n${ts}\n`));
  return mac === tsm && Number(ts) * 1000 <= STAMP_MS_MAX ? Number(ts) * 1000 - nowMs : null;
}

/** Null: the body is longer than a server has to take. */
async function payloadHash(crypto: TextCrypto, body: string): Promise<string | null> {
  const [type] = JSON_BODY[1].split(';');
  const text = `hawk.1.payload\n${type}\n${body}\n`;
  if (text.length > itemUnitsMax) return null;
  const [hash = null] = await crypto('sha256', NO_KEY, [[text]]);
  // Hawk writes it in the other alphabet, and padded.
  const isHash = hash !== null && 'text' in hash;
  return isHash ? `${hash.text.replace(/-/g, '+').replace(/_/g, '/')}=` : null;
}

const NO_KEY = /* @__PURE__ */ new Uint8Array(0);

/**
 * `isFresh`: with a new proof. Errors: `unauthorized`, `unavailable`, `badResponse`; those of the
 * account manager.
 */
async function login(options: RemoteOptions, isFresh: boolean): Promise<Pass> {
  const { config, platform } = options;
  const { serverUrl, audience, auth } = config.remote;
  const { identity, clock } = platform;
  let assertion: string | undefined;
  const http = createHttp({
    ...options,
    noted: NOTED,
    async authorize(again) {
      const fresh = again || isFresh;
      if (auth !== 'browserid') {
        return [['Authorization', `Bearer ${(await identity.accessToken(fresh)).token}`]];
      }
      assertion = await identity.assertion(audience, fresh);
      return [];
    },
    judge: ending,
  });
  const device = deviceId(options, 'picl');
  const answer = await http.send({
    ...{ method: 'POST', url: serverUrl, headers: [JSON_BODY] },
    // Of the attempt: a refused assertion is followed by a fresh one.
    get body() {
      return JSON.stringify({ assertion, device });
    },
  });
  if (answer.status !== 200) throw unexpected(answer, 'login');
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const body = parseDocument(text);
  const [id, key, algorithm = 'sha256'] = ['id', 'key', 'algorithm'].map((one) =>
    member(body, one),
  );
  if (typeof id !== 'string' || !HEADER_TEXT.test(id)) throw badResponse('login: no id');
  if (typeof key !== 'string' || key === '') throw badResponse('login: no key');
  if (algorithm !== 'sha256') throw badResponse('login: algorithm is not sha256');
  const seconds = member(body, 'duration');
  const isTimed = typeof seconds === 'number' && seconds > 0 && seconds * 1000 <= STAMP_MS_MAX;
  const nowMs = clock.nowMs();
  return {
    ...{
      id,
      key: hawkKey(key, platform.crypto),
      places: placesIn(member(body, 'collections'), serverUrl),
    },
    aheadMs: answer.serverNowMs === null ? 0 : answer.serverNowMs - nowMs,
    untilMs: isTimed ? nowMs + seconds * 1000 * LIFE_SHARE : null,
  };
}

/** The access URLs by collection: opaque, but none leads from an encrypted way to an open one. */
function placesIn(value: unknown, serverUrl: string): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) throw badResponse('login: no collections');
  const isSecure = serverUrl.startsWith('https:');
  const origin = /^https?:\/\/[^/?#]+/.exec(serverUrl)?.[0] ?? '';
  const places = new Map<string, string>();
  for (const name of Object.keys(value)) {
    const said = member(value, name);
    if (typeof said !== 'string' || !NAME.test(name)) continue;
    const url = said.startsWith('/') && !said.startsWith('//') ? origin + said : said;
    if ((isSecure ? SECURE_URL : PLAIN_URL).test(url)) places.set(name, url.replace(/\/$/, ''));
  }
  return places;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Host and path in ASCII, and nothing of a user, a query or a fragment. */
const SECURE_URL = /^https:\/\/[\w.:[\]-]+(\/[!"$->@-~]*)?$/;
const PLAIN_URL = /^https?:\/\/[\w.:[\]-]+(\/[!"$->@-~]*)?$/;
