// Whether a request is signed by who holds a pass: Hawk, with the body's hash where there is one,
// by a clock that is right within a minute, and once. What was asked is remembered by each process
// for itself: changes that come again in another one do not follow its head. Where nobody has
// signed them, the storage remembers, for all.

import { createHash } from 'node:crypto';
import { hasHash, hasMac, readHawk, timeMac } from '../hawk.ts';
import { authorization } from '../http.ts';
import type { StorageSecret } from '../storage-token.ts';
import type { SignedHead } from './once.ts';
import { type Holder, openPass } from './pass.ts';
import { refusal } from './refusals.ts';

export interface AccessOptions {
  readonly secret: StorageSecret;
  nowMs(): number;
  /** Refuses bodies that nobody has signed. */
  readonly requirePayloadHash?: boolean;
}

/** Who asks. */
interface Asker extends Holder {
  /** Of a request whose body could be anybody's; null: there is none, or it is signed. */
  readonly unsigned: SignedHead | null;
}

const WINDOW_MS = 60_000;
/** So long ago a request was signed that no process takes, be its clock a minute off itself. */
export const FORGOTTEN_AFTER_MS = 2 * WINDOW_MS;
const NO_BODY: readonly string[] = ['GET', 'HEAD'];

export class Access {
  readonly #options: AccessOptions;
  /** Of each signature: when it is too old anyhow. */
  readonly #seen = new Map<string, number>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Errors: HttpError 401. */
  askerOf(request: Request, url: URL, body: Uint8Array): Asker {
    const { scheme, value } = authorization(request);
    const attributes = readHawk(scheme === 'hawk' ? value : '');
    const id = attributes.get('id') ?? '';
    const pass = openPass(this.#options.secret, id);
    if (pass === null) throw unauthorized('Unknown credentials');
    const contentType = request.headers.get('content-type') ?? '';
    const signed = { method: request.method, url, contentType, body };
    const [ts = '', nonce = ''] = [attributes.get('ts'), attributes.get('nonce')];
    if (nonce === '' || !hasMac(signed, attributes, pass.key)) throw unauthorized('Bad mac');
    const isUnsigned = !attributes.has('hash') && !NO_BODY.includes(request.method);
    if (isUnsigned && this.#options.requirePayloadHash === true)
      throw unauthorized('Missing required payload hash');
    if (!hasHash(signed, attributes)) throw unauthorized('Bad payload hash');
    const nowMs = this.#options.nowMs();
    if (!(Math.abs(Number(ts) * 1000 - nowMs) <= WINDOW_MS)) throw stale(pass.key, nowMs);
    if (!(pass.holder.expiresMs > nowMs)) throw unauthorized('Expired credentials');
    const name = shortOf(`${id} ${ts} ${nonce}`);
    if (!this.#isFirst(name, nowMs)) throw wasTaken();
    const unsigned = isUnsigned ? { seconds: Math.floor(Number(ts)), name } : null;
    return { ...pass.holder, unsigned };
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
    this.#seen.set(request, nowMs + FORGOTTEN_AFTER_MS);
    return true;
  }
}

/** However long a nonce is. */
function shortOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Of a request that came before. */
export function wasTaken() {
  return unauthorized('Invalid nonce');
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
