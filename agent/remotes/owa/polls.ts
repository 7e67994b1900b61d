// Whether a pass that nobody has asked for asks the server: less often the longer there was no
// news, no more often than the server wants, and where no other device has the account, after a
// month without news, not at all. What a person asks for, what has changed here, and the first pass
// of a boot always go out.

import type { Header } from '../../../platform/ports.ts';
import { WAIT_MS_MAX } from '../../limits.ts';
import { decimalHeader } from '../../wire/headers.ts';
import type { RemoteOptions } from '../remote.ts';
import { ALONE_DAYS, POLL_GROWTH, POLL_MS_FIRST, POLL_MS_LAST } from './limits.ts';
import type { ServerClock } from './server-clock.ts';

export interface Polls {
  /** `hasWork`: something is to be sent, or was not read to its end. */
  isDue(hasWork: boolean): boolean;
  /** The login has told how many devices the account has; 0: it has not. */
  counted(clients: number): void;
  /** The server was asked, and had news or none. */
  heard(hasNews: boolean, headers: readonly Header[]): void;
}

interface Poll {
  readonly atMs: number;
  /** Until the next one, as this device would have it, and as it is. */
  readonly ownMs: number;
  readonly everyMs: number;
}

export function openPolls(
  { cache, memory, platform, task }: RemoteOptions,
  server: Pick<ServerClock, 'nowMs'>,
): Polls {
  const { clock } = platform;
  const last = (): Poll | undefined => cache.get(POLL) as Poll | undefined;
  /** Days are counted, so that news are written down once a day. */
  const today = (): number => Math.floor(server.nowMs() / DAY_MS);
  const isAlone = (): boolean =>
    memory.clients === 1 && today() - (memory.newsDay ?? today()) >= ALONE_DAYS;
  return {
    isDue(hasWork) {
      const poll = last();
      if (task !== 'due' || poll === undefined || hasWork) return true;
      if (isAlone()) return false;
      const ageMs = clock.nowMs() - poll.atMs;
      // After a clock that went back nothing is known of it.
      return ageMs < 0 || ageMs >= poll.everyMs;
    },
    counted(clients) {
      if (clients > 0) memory.clients = clients;
    },
    heard(hasNews, headers) {
      if (hasNews || memory.newsDay === undefined) memory.newsDay = today();
      const { ownMs: before } = last() ?? { ownMs: POLL_MS_FIRST / POLL_GROWTH };
      const ownMs = hasNews ? POLL_MS_FIRST : Math.min(before * POLL_GROWTH, POLL_MS_LAST);
      const wanted = Math.max(...WANTED.map((name) => decimalHeader(headers, name) ?? 0));
      const everyMs = Math.max(ownMs, Math.min(wanted * 1_000, WAIT_MS_MAX));
      cache.set(POLL, { atMs: clock.nowMs(), ownMs, everyMs });
    },
  };
}

const POLL = 'asked';
const DAY_MS = 24 * 3_600_000;
/** Seconds until a server wants to be asked again. */
const WANTED = ['x-sync-poll', 'x-sync-poll-time'];
