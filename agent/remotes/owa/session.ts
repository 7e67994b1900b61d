// Who asks: the login of this boot, and every request to the place that it has told. Who is refused
// logs in once more in a pass. Another place, or another user, is another document: nothing of
// this one is told there, or taken from there.

import { encodeHex } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { encodeUtf8 } from '../../../crypto/utf8.ts';
import { SyncError } from '../../errors.ts';
import { header } from '../../wire/headers.ts';
import { type Answer, createHttp, type Exchange } from '../../wire/http.ts';
import type { RemoteOptions } from '../remote.ts';
import type { OwaAccount } from './account.ts';
import type { ServerClock } from './server-clock.ts';
import { ending, NOTED } from './statuses.ts';
import { HEADER_VALUE, type Verified, verify } from './verify.ts';

interface Login extends Verified {
  /** Names the document, and tells nothing of it. */
  readonly origin: string;
}

export interface Session {
  /** The login of this boot, or a new one. Errors: those of the login, `accountChanged`. */
  login(): Promise<Login>;
  /**
   * A request to the document. Errors: `unauthorized` when a new login is refused as well,
   * `storageReset` when it has told another place, `unavailable`, `overQuota`; those of the login
   * and of HTTP.
   */
  send(exchange: Omit<Exchange, 'url'>): Promise<Answer>;
}

export function openSession(
  asked: RemoteOptions<OwaAccount>,
  { network }: Pick<ServerClock, 'network'>,
): Session {
  const options = { ...asked, platform: { ...asked.platform, network } };
  const { account, cache, notes } = options;
  const known = (): Login | undefined => cache.get(LOGIN) as Login | undefined;
  const login = async (isFresh: boolean): Promise<Login> => {
    const before = known();
    if (before !== undefined && !isFresh) return before;
    cache.delete(LOGIN);
    const verified = await verify(options, isFresh);
    await account.confirm(verified.email);
    const made = { ...verified, origin: named(`${verified.resource} ${verified.email}`) };
    cache.set(LOGIN, made);
    return made;
  };
  const http = createHttp({
    ...options,
    noted: NOTED,
    async authorize(isRefused) {
      const before = known();
      if (isRefused && cache.get(RENEWED) === notes) {
        cache.delete(LOGIN);
        throw new SyncError('unauthorized', 'owa: a new login is refused, too', { status: 401 });
      }
      const { auth, origin } = await login(isRefused);
      if (isRefused) cache.set(RENEWED, notes);
      if (isRefused && before !== undefined && origin !== before.origin) {
        throw new SyncError('storageReset', 'owa: the document is at another place now');
      }
      return [['Authorization', auth]];
    },
    judge(answered) {
      const { status, headers } = answered;
      if (status === 401) cache.delete(LOGIN);
      // Some renew it before it is over.
      const auth = header(headers, 'x-authorization-update') ?? '';
      const current = known();
      if (status < 300 && current && HEADER_VALUE.test(auth))
        cache.set(LOGIN, { ...current, auth });
      return ending(answered);
    },
  });
  return {
    login: () => login(false),
    async send(exchange) {
      const { resource } = await login(false);
      return http.send({ ...exchange, url: resource });
    },
  };
}

const LOGIN = 'login';
/** What the notes of the pass stand under that has logged in anew. */
const RENEWED = 'renewed';

/** The same for the same text, and nothing of it. */
function named(text: string): string {
  return encodeHex(sha256(encodeUtf8(`kitsync/v1/owa/${text}`))).slice(0, 24);
}
