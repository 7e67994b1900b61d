// The user's storage node: finds it through the token server, signs every request for it, and
// notices when the user was moved to another one. Credentials live in the cache of this sign-in and
// nowhere else. The server's clock counts: the device's own may be wrong by years.
// Sources: Tokenserver API 1.0, Hawk (github.com/mozilla/hawk).

import { type HawkCredentials, hawkHeader, hawkKey } from '../../../crypto/hawk.ts';
import type { Header } from '../../../platform/ports.ts';
import { SyncError } from '../../errors.ts';
import { type Answer, createHttp, type Exchange, refusalOf } from '../../wire/http.ts';
import { ending, NOTED } from './statuses.ts';
import type { StorageOptions } from './storage.ts';
import { requestStorageToken, type StorageToken } from './token-server.ts';

export interface StorageNode {
  /** Where the user's data is: the same as long as the user is not moved. */
  endpoint(): Promise<string>;
  /**
   * `url` of the exchange is a path under the endpoint.
   * Errors: `storageReset` when the user was moved since `endpoint` was told, `unavailable` when
   * new credentials are refused too, or the request is (a proxy may), those of the token server.
   */
  send(exchange: Exchange): Promise<Answer>;
}

/** The token with its key made ready for signing. */
interface Credentials extends HawkCredentials, Omit<StorageToken, 'key'> {}

const CACHE_NAME = 'storageToken';
const NONCE_BYTES = 6;
/** New credentials that are refused as well are no case for a quick repetition. */
const REFUSED_WAIT_MS = 15 * 60_000;

export function openNode(options: StorageOptions): StorageNode {
  const { abort, cache, notes, platform } = options;
  const { clock, crypto, entropy } = platform;
  let endpoint: string | null = null;

  const token = async (renewed: boolean): Promise<Credentials> => {
    let known = cache.get(CACHE_NAME) as Credentials | undefined;
    if (known === undefined || renewed) {
      // What was learned of the node goes with the credentials for it: the next ones may be for
      // another.
      cache.clear();
      const received = await requestStorageToken(options);
      known = { ...received, key: hawkKey(received.key, crypto) };
      cache.set(CACHE_NAME, known);
    }
    const moved = endpoint !== null && endpoint !== known.endpoint;
    endpoint = known.endpoint;
    if (moved) throw new SyncError('storageReset', 'the account was moved to another server');
    return known;
  };

  const http = createHttp({
    platform,
    notes,
    abort,
    noted: NOTED,
    async authorize(fresh, { method, url }) {
      // What is sent has asked for the token before.
      const known = fresh ? await token(true) : (cache.get(CACHE_NAME) as Credentials);
      const { id, key, aheadMs } = known;
      const timeSeconds = Math.floor((clock.nowMs() + aheadMs) / 1000);
      const nonce = entropy.random(NONCE_BYTES).join('');
      const signed = await hawkHeader({ id, key }, { method, url, timeSeconds, nonce });
      return [['Authorization', signed]];
    },
    judge(answered) {
      const { status } = answered;
      if (status === 401) notes.waitMs = Math.max(notes.waitMs, REFUSED_WAIT_MS);
      else if (status !== 403) return ending(answered);
      // The token server has taken the sign-in: there is nothing that the user could do.
      return refusalOf(answered, 'unavailable', 'storage');
    },
  });

  return {
    endpoint: async () => (await token(false)).endpoint,
    send: async (exchange) =>
      http.send({ ...exchange, url: (await token(false)).endpoint + exchange.url }),
  };
}

/**
 * Percent-encoded as URL parsers print it, which turn `'` into `%27` in queries: the signature is
 * over that.
 */
export function quoted(text: string): string {
  return encodeURIComponent(text).replace(/'/g, '%27');
}

/**
 * The condition that nothing was written since. The server reads seconds; the shortest form is
 * exact.
 */
export function unmodifiedSince(timeMs: number): Header {
  return ['X-If-Unmodified-Since', `${timeMs / 1000}`];
}
