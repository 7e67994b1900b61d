// Who a Syncto client is: the Authorization header and the client state (which is the bucket's
// name) are traded at the token server for storage credentials, and those are kept for a while.
// Kept credentials answer for the same header whatever the storage node thinks of them by then:
// a client gets past a 401 only with a new assertion.

import { createHmac } from 'node:crypto';
import { authorization, parseObject } from './http.ts';
import { internalError, SynctoError } from './syncto-errors.ts';

/** The token server's answer, as far as it is used. */
export interface StorageAccess {
  readonly id: string;
  readonly key: string;
  readonly api_endpoint: string;
}

/** A question to the token server. */
export interface TokenAsk {
  readonly authorization: string;
  readonly clientState: string;
  /** X-KeyID; null with BrowserID. */
  readonly keyId: string | null;
  readonly durationSeconds: number;
}

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

export class CredentialCache {
  readonly #secret: Uint8Array;
  readonly #cacheSeconds: number;
  readonly #kept = new Map<string, Kept>();

  constructor(secret: Uint8Array, cacheSeconds: number) {
    this.#secret = secret;
    this.#cacheSeconds = cacheSeconds;
  }

  /**
   * The credentials for a request to a bucket, and the notice for clients that name their state
   * the old way. Errors: SynctoError 401 (104), 500 (999) for another bucket with a kept header.
   */
  async accessFor(
    request: Request,
    bucket: string,
    nowMs: number,
    ask: (question: TokenAsk) => Promise<StorageAccess>,
  ): Promise<{ access: StorageAccess; alert: Record<string, string> }> {
    const { scheme, value } = authorization(request);
    if (scheme !== 'browserid' && scheme !== 'bearer')
      throw unauthorized('Provide a BrowserID assertion or a Bearer token.');
    const clientState = clientStateOf(request, bucket);
    const alert: Record<string, string> = request.headers.has('x-client-state')
      ? { Alert: SOFT_EOL }
      : {};
    const name = createHmac('sha256', this.#secret).update(`${scheme} ${value}`).digest('hex');
    const kept = this.#kept.get(name);
    if (kept && kept.untilMs > nowMs) {
      // What is kept is sealed under the client state: with another one it does not open.
      if (kept.clientState !== clientState) throw internalError();
      return { access: kept.access, alert };
    }
    const lifeMs = Math.min(this.#cacheSeconds * 1000, earliestExpiryMs(scheme, value) - nowMs);
    const access = await ask({
      authorization: request.headers.get('authorization') ?? '',
      clientState,
      keyId: scheme === 'bearer' ? keyIdOf(request, value, clientState) : null,
      durationSeconds: Math.floor(lifeMs / 1000),
    });
    for (const [other, { untilMs }] of this.#kept) if (untilMs <= nowMs) this.#kept.delete(other);
    this.#kept.set(name, { clientState, access, untilMs: nowMs + lifeMs });
    return { access, alert };
  }
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
