// Whether a request is signed by who holds a pass: Hawk, with the body's hash where there is one,
// by a clock that is right within a minute, and once. What was asked is remembered by each process
// for itself; a change that comes again in another one is refused by its own condition.

import { createHash } from 'node:crypto';
import { hasHash, hasMac, readHawk, timeMac } from '../hawk.ts';
import { authorization } from '../http.ts';
import type { StorageSecret } from '../storage-token.ts';
import { type Holder, openPass } from './pass.ts';
import { refusal } from './refusals.ts';

export interface AccessOptions {
  readonly secret: StorageSecret;
  nowMs(): number;
  /** Refuses bodies that nobody has signed. */
  readonly requirePayloadHash?: boolean;
}

const WINDOW_MS = 60_000;
const NO_BODY: readonly string[] = ['GET', 'HEAD'];

export class Access {
  readonly #options: AccessOptions;
  /** Of each signature: when it is too old anyhow. */
  readonly #seen = new Map<string, number>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Who asks. Errors: HttpError 401. */
  holderOf(request: Request, url: URL, body: Uint8Array): Holder {
    const { scheme, value } = authorization(request);
    const attributes = readHawk(scheme === 'hawk' ? value : '');
    const id = attributes.get('id') ?? '';
    const pass = openPass(this.#options.secret, id);
    if (pass === null) throw unauthorized('Unknown credentials');
    const contentType = request.headers.get('content-type') ?? '';
    const signed = { method: request.method, url, contentType, body };
    const [ts = '', nonce = ''] = [attributes.get('ts'), attributes.get('nonce')];
    if (nonce === '' || !hasMac(signed, attributes, pass.key)) throw unauthorized('Bad mac');
    const needsHash =
      this.#options.requirePayloadHash === true && !NO_BODY.includes(request.method);
    if (needsHash && !attributes.has('hash')) throw unauthorized('Missing required payload hash');
    if (!hasHash(signed, attributes)) throw unauthorized('Bad payload hash');
    const nowMs = this.#options.nowMs();
    if (!(Math.abs(Number(ts) * 1000 - nowMs) <= WINDOW_MS)) throw stale(pass.key, nowMs);
    if (!(pass.holder.expiresMs > nowMs)) throw unauthorized('Expired credentials');
    if (!this.#isFirst(shortOf(`${id} ${ts} ${nonce}`), nowMs)) throw unauthorized('Invalid nonce');
    return pass.holder;
  }

  /** How many requests it remembers. */
  get remembered(): number {
    return this.#seen.size;
  }

  #isFirst(request: string, nowMs: number): boolean {
    for (const [known, untilMs] of this.#seen) {
      if (untilMs >= nowMs) break;
      this.#seen.delete(known);
    }
    if (this.#seen.has(request)) return false;
    this.#seen.set(request, nowMs + 2 * WINDOW_MS);
    return true;
  }
}

/** However long a nonce is. */
function shortOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function unauthorized(error: string) {
  return refusal('unauthorized', {}, { 'WWW-Authenticate': `Hawk error="${error}"` });
}

/** Tells the holder of the key the time. */
function stale(key: string, nowMs: number) {
  const ts = String(Math.floor(nowMs / 1000));
  const proved = `Hawk ts="${ts}", tsm="${timeMac(ts, key)}", error="Stale timestamp"`;
  return refusal('unauthorized', {}, { 'WWW-Authenticate': proved });
}
