// The token server: `GET /1.0/sync/1.5` changes a BrowserID assertion or an OAuth access token
// into Hawk credentials for a storage node, and sends a user with a new key to a new, empty place.
// It believes nothing unsigned, and holds that generations, key times and client states of one
// account never go back.

import { createHmac } from 'node:crypto';
import type { Identity } from './browserid.ts';
import {
  authorization,
  type Handler,
  type Health,
  HttpError,
  jsonResponse,
  pathSegments,
} from './http.ts';
import type { PlaceStorage, Places, Seen } from './place-storage.ts';
import { asserted, type Believed, isForSync, shown } from './proofs.ts';
import { issueStorageToken, type StorageSecret } from './storage-token.ts';

export interface TokenServerOptions extends Believed {
  readonly baseUrl: string;
  /** The storage node's URL. */
  readonly nodeUrl: string;
  readonly places: PlaceStorage;
  readonly secret: StorageSecret;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of a pass; 3600 by default. */
  readonly durationSeconds?: number;
  /** False: who has no place on the node yet is refused with 403. */
  readonly allowNewUsers?: boolean;
  /** Asked at every request. */
  health?(): Health;
}

/** What a request proves, before it is compared with what is known of the account. */
interface Claim extends Identity {
  /** base64url of the client state; empty text where the client named none. */
  readonly fingerprint: string;
}

type Status =
  | 'invalid-credentials'
  | 'invalid-timestamp'
  | 'invalid-generation'
  | 'invalid-client-state'
  | 'invalid-keysChangedAt'
  | 'invalid-key-id';

const DURATION_SECONDS = 3600;
const OVERLOAD_RETRY_SECONDS = 60;

/** The token server. */
export function createTokenServer(options: TokenServerOptions): Handler {
  const server = new TokenServer(options);
  return async (request) => server.handle(request);
}

class TokenServer {
  readonly #options: TokenServerOptions;
  readonly #base: URL;

  constructor(options: TokenServerOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
  }

  async handle(request: Request): Promise<Response> {
    const { backoffSeconds, refuse } = this.#options.health?.() ?? {};
    const headers = {
      'X-Timestamp': String(Math.floor(this.#options.nowMs() / 1000)),
      ...(backoffSeconds === undefined ? {} : { 'X-Backoff': String(backoffSeconds) }),
    };
    try {
      if (refuse) throw overload(backoffSeconds);
      return jsonResponse(200, await this.#answer(request), headers);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return jsonResponse(error.status, error.json, { ...headers, ...error.headers });
    }
  }

  async #answer(request: Request): Promise<unknown> {
    const url = new URL(request.url);
    const path = pathSegments(url, this.#base)?.join('/');
    if (path === '__heartbeat__') return { status: 'Ok' };
    if (path !== '1.0/sync/1.5' || url.pathname.endsWith('/'))
      throw failure(404, 'error', 'url', 'Unsupported application');
    if (request.method !== 'GET') throw failure(405, 'error', 'method', 'Method not allowed');
    const claim = await this.#claimOf(request);
    const seen = await this.#seenFrom(claim);
    return this.#credentials(claim, seen, url.searchParams.get('duration'));
  }

  async #claimOf(request: Request): Promise<Claim> {
    const { scheme, value } = authorization(request);
    if (scheme === 'browserid') return this.#browserIdClaim(request, value);
    if (scheme === 'bearer') return this.#bearerClaim(request, value);
    throw unproved('error', scheme === '' ? 'Unauthorized' : 'Unsupported');
  }

  #browserIdClaim(request: Request, assertion: string): Claim {
    const identity = asserted(assertion, this.#options, this.#base, this.#options.nowMs());
    if (identity === 'expired') throw refusal('invalid-timestamp', 'Authorization', identity);
    if (typeof identity === 'string')
      throw refusal('invalid-credentials', 'Authorization', identity);
    const state = request.headers.get('x-client-state') ?? '';
    return { ...identity, fingerprint: fingerprintOf(state) };
  }

  async #bearerClaim(request: Request, token: string): Promise<Claim> {
    const known = await shown(token, this.#options);
    if (known === 'unavailable') throw overload();
    if (known === null || !isForSync(known, this.#options.nowMs()))
      throw unproved('invalid-credentials', 'Unauthorized');
    const { claims, uid } = known;
    const keyId = request.headers.get('x-keyid');
    if (keyId === null) throw refusal('invalid-key-id', 'X-KeyID', 'Missing X-KeyID header');
    const [, keysChangedAt, fingerprint = ''] = /^(\d{1,15})-([\w-]{22})$/.exec(keyId) ?? [];
    if (keysChangedAt === undefined) throw unproved('invalid-credentials', 'Unauthorized');
    const state = request.headers.get('x-client-state');
    if (state !== null && fingerprintOf(state) !== fingerprint)
      throw refusal('invalid-client-state', 'X-Client-State', 'Is not that of X-KeyID');
    return {
      uid,
      generation: Number(claims['fxa-generation'] ?? 0),
      keysChangedAtMs: Number(keysChangedAt),
      fingerprint,
    };
  }

  /** What is known of the account from now on. Errors: HttpError 401, 403. */
  async #seenFrom(claim: Claim): Promise<Seen> {
    const { places } = this.#options;
    const seen = await places.seen(claim.uid);
    const isNoNews =
      claim.generation === seen?.generation &&
      claim.keysChangedAtMs === seen.keysChangedAtMs &&
      claim.fingerprint === seen.fingerprint;
    return isNoNews ? seen : places.admit(claim.uid, (...known) => this.#admit(claim, ...known));
  }

  async #admit(claim: Claim, seen: Seen | null, places: Places): Promise<Seen> {
    const { generation, keysChangedAtMs, fingerprint } = claim;
    const proved = { generation, keysChangedAtMs, fingerprint };
    if (seen !== null) checkOrder(claim, seen);
    if (seen !== null && fingerprint === seen.fingerprint)
      return { ...proved, uid: seen.uid, oldFingerprints: seen.oldFingerprints };
    const { allowNewUsers = true } = this.#options;
    const uid = await places.of(fingerprint, allowNewUsers);
    if (uid === null) throw failure(403, 'new-users-disabled', 'body', 'New users are disabled');
    const oldFingerprints = seen === null ? [] : [...seen.oldFingerprints, seen.fingerprint];
    return { ...proved, uid, oldFingerprints };
  }

  #credentials(claim: Claim, { uid }: Seen, askedDuration: string | null): unknown {
    const { nodeUrl, secret, nowMs, random, durationSeconds = DURATION_SECONDS } = this.#options;
    const asked = /^\d{1,9}$/.test(askedDuration ?? '') ? Number(askedDuration) : 0;
    const duration = asked > 0 ? Math.min(asked, durationSeconds) : durationSeconds;
    const { id, key } = issueStorageToken(secret, {
      node: nodeUrl,
      uid,
      expiresMs: nowMs() + duration * 1000,
      salt: Buffer.from(random(3)).toString('hex'),
    });
    const hashedUid = createHmac('sha256', 'kitsync metrics').update(claim.uid).digest('hex');
    return {
      id,
      key,
      uid,
      api_endpoint: `${nodeUrl}/1.5/${uid}`,
      duration,
      hashed_fxa_uid: hashedUid.slice(0, 32),
      hashalg: 'sha256',
      node_type: 'mysql',
    };
  }
}

/** Nothing of an account goes back: not its generation, its key time, or its client state. */
function checkOrder(claim: Claim, seen: Seen): void {
  if (claim.generation < seen.generation)
    throw refusal('invalid-generation', 'Authorization', 'An older password');
  const isKeyOlder = claim.keysChangedAtMs < seen.keysChangedAtMs;
  const isKeyNewer = claim.keysChangedAtMs > seen.keysChangedAtMs;
  if (isKeyOlder || (isKeyNewer && claim.keysChangedAtMs > claim.generation))
    throw refusal('invalid-keysChangedAt', 'X-KeyID', 'Does not follow the last one');
  if (claim.fingerprint === seen.fingerprint) return;
  const isStale = claim.fingerprint === '' || seen.oldFingerprints.includes(claim.fingerprint);
  const isOfOldPassword = claim.generation === seen.generation;
  if (isStale || isOfOldPassword || !isKeyNewer)
    throw refusal('invalid-client-state', 'X-Client-State', 'Does not follow the last one');
}

function fingerprintOf(clientState: string): string {
  if (!/^([0-9a-f]{32})?$/.test(clientState))
    throw refusal('invalid-client-state', 'X-Client-State', 'Is not 32 hex digits');
  return Buffer.from(clientState, 'hex').toString('base64url');
}

function refusal(status: Status, name: string, description: string): HttpError {
  return failure(401, status, name, description, { 'WWW-Authenticate': 'Bearer' });
}

/** A request that proves nobody; the reference server names no header then. */
function unproved(status: 'error' | 'invalid-credentials', description: string): HttpError {
  const errors = [{ location: 'body', name: '', description }];
  return new HttpError(401, { status, errors }, { 'WWW-Authenticate': 'Bearer' });
}

function failure(
  code: number,
  status: string,
  name: string,
  description: string,
  headers: Record<string, string> = {},
): HttpError {
  const errors = [{ location: code === 401 ? 'header' : 'body', name, description }];
  return new HttpError(code, { status, errors }, headers);
}

function overload(retrySeconds = OVERLOAD_RETRY_SECONDS): HttpError {
  const headers = { 'Retry-After': String(retrySeconds) };
  return failure(503, 'error', '', 'Service unavailable', headers);
}
