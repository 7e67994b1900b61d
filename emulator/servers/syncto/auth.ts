// Who a Syncto client is: the Authorization header and the client state (which is the bucket's
// name) are traded at the token server for storage credentials, and those are kept for a while.
// Kept credentials answer for the same header whatever the storage node thinks of them by then:
// a client gets past a 401 only with a new assertion.

import { parsedUrl } from '../../../platform/parsed-url.ts';
import { isObject, parseObject } from '../http.ts';
import { internalError, SynctoError, UNREACHABLE, unauthorized } from './errors.ts';
import type { SealedCache } from './sealed-cache.ts';

/** What opens a user's storage. */
interface StorageAccess {
  readonly id: string;
  readonly key: string;
  readonly api_endpoint: string;
}

/** With the seconds that they are good for. */
export interface TokenAnswer extends StorageAccess {
  readonly duration: number;
}

/** A question to the token server. */
export interface TokenAsk {
  readonly authorization: string;
  readonly clientState: string;
  /** X-KeyID; null with BrowserID. */
  readonly keyId: string | null;
  readonly durationSeconds: number;
}

/** What is sealed. */
interface Kept {
  readonly clientState: string;
  readonly access: StorageAccess;
  readonly untilMs: number;
}

/** Told to clients that send X-Client-State. */
const SOFT_EOL = JSON.stringify({
  code: 'soft-eol',
  message: 'X-Client-State header is deprecated and should not be provided anymore.',
  url: 'https://syncto.readthedocs.org/',
}).replaceAll('/', '\\/');

interface CredentialOptions {
  readonly cache: SealedCache;
  /** How long credentials are kept at most. */
  readonly cacheSeconds: number;
  nowMs(): number;
}

/** Trades what clients prove for storage credentials. */
export class Credentials {
  readonly #options: CredentialOptions;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  /**
   * The credentials for a request to a bucket, and the notice for clients that name their state
   * the old way. Errors: SynctoError 401 (104), those of asking.
   */
  async accessFor(
    headers: Headers,
    bucket: string,
    ask: (question: TokenAsk) => Promise<TokenAnswer>,
  ): Promise<{ access: StorageAccess; alert: Record<string, string> }> {
    const { scheme, value } = proofOf(headers);
    const clientState = clientStateOf(headers, bucket);
    const alert: Record<string, string> = headers.has('x-client-state') ? { Alert: SOFT_EOL } : {};
    const proof = `${scheme} ${value}`;
    const kept = keptOf(await this.#options.cache.get(proof));
    // Syncto seals it under the client state, and fails where another one does not open it.
    if (kept?.clientState === clientState && kept.untilMs > this.#options.nowMs())
      return { access: kept.access, alert };
    const lifeMs = this.#lifeMs(scheme, value);
    const { id, key, api_endpoint, duration } = await ask({
      authorization: `${scheme} ${value}`,
      clientState,
      keyId: scheme === 'Bearer' ? keyIdOf(headers, value, clientState) : null,
      durationSeconds: Math.trunc(lifeMs / 1000),
    });
    const access = { id, key, api_endpoint };
    await this.#keep(proof, clientState, access, Math.min(lifeMs, duration * 1000));
    return { access, alert };
  }

  /** Below nothing for a proof that has expired, which the token server is told. */
  #lifeMs(scheme: Scheme, value: string): number {
    const { cacheSeconds, nowMs } = this.#options;
    return Math.min(cacheSeconds * 1000, earliestExpiryMs(scheme, value) - nowMs());
  }

  async #keep(
    proof: string,
    clientState: string,
    access: StorageAccess,
    lifeMs: number,
  ): Promise<void> {
    if (lifeMs <= 0) return;
    const kept: Kept = { clientState, access, untilMs: this.#options.nowMs() + lifeMs };
    await this.#options.cache.put(proof, JSON.stringify(kept), lifeMs);
  }
}

/** The answer of a token server. Errors: SynctoError 500 (999) when it is none, 503. */
export function readTokenAnswer(json: unknown): TokenAnswer {
  const { id, key, api_endpoint, duration, uid, hashalg } = isObject(json) ? json : {};
  const isWhole = typeof id === 'string' && typeof key === 'string' && uid !== undefined;
  if (!isWhole || hashalg !== 'sha256') throw internalError();
  if (typeof api_endpoint !== 'string') throw internalError();
  if (parsedUrl(api_endpoint) === null) throw new SynctoError(503, 201, UNREACHABLE);
  // Hawk writes it into a header, between quotes.
  if (!/^[\w.~+/=:-]{1,4096}$/.test(id)) throw internalError();
  // One that says nothing of it keeps to what was asked for.
  const seconds = typeof duration === 'number' ? duration : Number.POSITIVE_INFINITY;
  return { id, key, api_endpoint: api_endpoint.replace(/\/+$/, ''), duration: seconds };
}

function keptOf(text: string | null): Kept | null {
  return text === null ? null : (parseObject(text) as Kept | null);
}

/** The request to the token server. */
export function tokenRequest(tokenUrl: string, ask: TokenAsk): Request {
  const url = `${tokenUrl}/1.0/sync/1.5?duration=${ask.durationSeconds}`;
  const headers = {
    Authorization: ask.authorization,
    'X-Client-State': ask.clientState,
    ...(ask.keyId === null ? {} : { 'X-KeyID': ask.keyId }),
  };
  return new Request(url, { headers });
}

type Scheme = 'BrowserID' | 'Bearer';

/** What stands behind the first space is the proof. Errors: SynctoError 401. */
function proofOf(headers: Headers): { scheme: Scheme; value: string } {
  const sent = headers.get('authorization') ?? '';
  const [, word = '', value = ''] = /^([^ ]*) (.*)$/s.exec(sent) ?? [];
  const [scheme] = (['BrowserID', 'Bearer'] as const).filter(
    (name) => name.toLowerCase() === word.toLowerCase(),
  );
  if (scheme !== undefined && jsonFragments(value).every(mayBeClaims)) return { scheme, value };
  throw unauthorized('Provide a BID assertion Authorization header, or a Bearer token.');
}

function clientStateOf(headers: Headers, bucket: string): string {
  if (bucket === 'syncto') {
    const header = headers.get('x-client-state');
    if (header === null) throw unauthorized('Provide the tokenserver X-Client-State header.');
    return header;
  }
  // Its length is all that is looked at here, and whether it can be sent; the token server looks
  // closer.
  if ([...bucket].length !== 32 || !/^[\x20-\x7e\xa0-\xff]*$/.test(bucket))
    throw unauthorized('The provided bucket ID is incorrect.');
  return bucket;
}

/** X-KeyID as the client sent it, or made of the key time that the token names and the bucket. */
function keyIdOf(headers: Headers, token: string, clientState: string): string {
  const sent = headers.get('x-keyid');
  if (sent !== null) return sent;
  const [claims] = jsonFragments(token)
    .filter(isObject)
    .filter((part) => 'fxa-keysChangedAt' in part);
  const fingerprint = Buffer.from(clientState, 'hex').toString('base64url');
  return `${Number(claims?.['fxa-keysChangedAt'] ?? 0)}-${fingerprint}`;
}

/** The smallest `exp` in the header's JSON parts. BrowserID counts milliseconds, OAuth seconds. */
function earliestExpiryMs(scheme: Scheme, value: string): number {
  const unitMs = scheme === 'BrowserID' ? 1 : 1000;
  const times = jsonFragments(value)
    .filter(isObject)
    .flatMap(({ exp }) => (typeof exp === 'number' ? [exp] : []));
  return Math.min(...times) * unitMs;
}

function jsonFragments(value: string): unknown[] {
  return value.split(/[.~]/).flatMap((part) => {
    try {
      return [JSON.parse(Buffer.from(part, 'base64url').toString())];
    } catch {
      return [];
    }
  });
}

/** Syncto fails at the others. */
function mayBeClaims(fragment: unknown): boolean {
  if (!isObject(fragment)) return Array.isArray(fragment);
  return fragment.exp === undefined || typeof fragment.exp === 'number';
}
