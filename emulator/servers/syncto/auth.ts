// Who a Syncto client is: the Authorization header and the client state (which is the bucket's
// name) are traded at the token server for storage credentials, and those are kept for a while.
// Kept credentials answer for the same header whatever the storage node thinks of them by then:
// a client gets past a 401 only with a new assertion.

import { authorization, isObject, parseObject } from '../http.ts';
import { internalError, SynctoError } from './errors.ts';
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
  url: 'https://syncto.readthedocs.io/',
});

interface CredentialOptions {
  readonly cache: SealedCache;
  /** How long credentials are kept at most. */
  readonly cacheSeconds: number;
  nowMs(): number;
}

/** Trades what clients prove for storage credentials. */
export class Credentials {
  readonly #options: CredentialOptions;
  readonly #ask: (question: TokenAsk) => Promise<TokenAnswer>;

  constructor(options: CredentialOptions, ask: (question: TokenAsk) => Promise<TokenAnswer>) {
    this.#options = options;
    this.#ask = ask;
  }

  /**
   * The credentials for a request to a bucket, and the notice for clients that name their state
   * the old way. Errors: SynctoError 401 (104), 500 (999) for another bucket with a kept header,
   * those of asking.
   */
  async accessFor(
    request: Request,
    bucket: string,
  ): Promise<{ access: StorageAccess; alert: Record<string, string> }> {
    const { scheme, value } = authorization(request);
    if (scheme !== 'browserid' && scheme !== 'bearer')
      throw unauthorized('Provide a BrowserID assertion or a Bearer token.');
    const clientState = clientStateOf(request, bucket);
    const alert: Record<string, string> = request.headers.has('x-client-state')
      ? { Alert: SOFT_EOL }
      : {};
    const proof = `${scheme} ${value}`;
    const kept = keptOf(await this.#options.cache.get(proof));
    if (kept && kept.untilMs > this.#options.nowMs()) {
      // Syncto sealed it under the client state: with another one it did not open.
      if (kept.clientState !== clientState) throw internalError();
      return { access: kept.access, alert };
    }
    const lifeMs = this.#lifeMs(scheme, value);
    const { id, key, api_endpoint, duration } = await this.#ask({
      authorization: request.headers.get('authorization') ?? '',
      clientState,
      keyId: scheme === 'bearer' ? keyIdOf(request, value, clientState) : null,
      durationSeconds: Math.floor(lifeMs / 1000),
    });
    const access = { id, key, api_endpoint };
    await this.#keep(proof, clientState, access, Math.min(lifeMs, duration * 1000));
    return { access, alert };
  }

  #lifeMs(scheme: string, value: string): number {
    const { cacheSeconds, nowMs } = this.#options;
    return Math.max(0, Math.min(cacheSeconds * 1000, earliestExpiryMs(scheme, value) - nowMs()));
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

/** The answer of a token server. Errors: SynctoError 500 (999) when it is none. */
export function readTokenAnswer(json: unknown): TokenAnswer {
  const { id, key, api_endpoint, duration } = isObject(json) ? json : {};
  const isWhole = typeof id === 'string' && typeof key === 'string';
  if (!isWhole || typeof api_endpoint !== 'string' || !URL.canParse(api_endpoint))
    throw internalError();
  // Hawk writes it into a header, between quotes.
  if (!/^[\w.~+/=:-]{1,4096}$/.test(id)) throw internalError();
  // One that says nothing of it keeps to what was asked for.
  return { id, key, api_endpoint, duration: Number(duration ?? Number.POSITIVE_INFINITY) };
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

function clientStateOf(request: Request, bucket: string): string {
  if (bucket === 'syncto') {
    const header = request.headers.get('x-client-state');
    if (header === null) throw unauthorized('Provide the client state as the bucket ID.');
    return header;
  }
  // Its length is all that is looked at here; the token server looks closer.
  if (bucket.length !== 32) throw unauthorized('The provided bucket ID is incorrect.');
  return bucket;
}

/** X-KeyID as the client sent it, or made of the key time that the token names and the bucket. */
function keyIdOf(request: Request, token: string, clientState: string): string {
  const sent = request.headers.get('x-keyid');
  if (sent !== null) return sent;
  const [claims] = jsonFragments(token).filter((part) => 'fxa-keysChangedAt' in part);
  const fingerprint = Buffer.from(clientState, 'hex').toString('base64url');
  return `${Number(claims?.['fxa-keysChangedAt'] ?? 0)}-${fingerprint}`;
}

/** The smallest `exp` in the header's JSON parts. BrowserID counts milliseconds, OAuth seconds. */
function earliestExpiryMs(scheme: string, value: string): number {
  const unitMs = scheme === 'browserid' ? 1 : 1000;
  const times = jsonFragments(value).flatMap(({ exp }) => (typeof exp === 'number' ? [exp] : []));
  return Math.min(...times) * unitMs;
}

function jsonFragments(value: string): Record<string, unknown>[] {
  const parts = value.split(/[.~]/);
  return parts
    .map((part) => parseObject(Buffer.from(part, 'base64url').toString()))
    .filter((fragment) => fragment !== null);
}

function unauthorized(message: string): SynctoError {
  return new SynctoError(401, 104, message);
}
