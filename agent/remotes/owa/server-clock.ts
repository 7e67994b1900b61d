// What time it is to the server, as far as its answers tell: an answer was made in the middle
// between asking and hearing. An entry's time goes by it, so that a device whose clock is wrong, or
// that has booted in 1970, writes the times that others do.

import type { Header, Network } from '../../../platform/ports.ts';
import { STAMP_MS_MAX } from '../../limits.ts';
import { dateHeaderMs, headerMs } from '../../wire/headers.ts';
import type { RemoteOptions } from '../remote.ts';

export interface ServerClock {
  /** The port, listened to. */
  readonly network: Network;
  /** By so much the server's clock is ahead. */
  aheadMs(): number;
  /** The server's time now. */
  nowMs(): number;
  /** Says it to who merges, and who writes. */
  tell(): void;
}

export function openClock({ platform, cache, notes }: RemoteOptions): ServerClock {
  const { clock, network } = platform;
  const known = (): number | undefined => cache.get(AHEAD) as number | undefined;
  const hear = (askedMs: number, headers: readonly Header[]): void => {
    const saidMs = headerMs(headers, 'x-timestamp') ?? dateHeaderMs(headers);
    if (saidMs === null || saidMs > STAMP_MS_MAX) return;
    const heardMs = clock.nowMs();
    const tripMs = heardMs - askedMs;
    const aheadMs = saidMs - (askedMs + heardMs) / 2;
    // Of a clock that was set meanwhile nothing follows.
    const isSharp = tripMs >= 0 && tripMs < TRIP_MS_MAX;
    const isBetterThanNone = known() === undefined && Math.abs(aheadMs) > Math.abs(tripMs);
    if (!isSharp && !isBetterThanNone) return;
    cache.set(AHEAD, Math.abs(aheadMs) > AHEAD_MS_MIN ? Math.round(aheadMs) : 0);
  };
  const aheadMs = (): number => known() ?? 0;
  const nowMs = (): number => clock.nowMs() + aheadMs();
  return {
    network: {
      async request(request) {
        const askedMs = clock.nowMs();
        const response = await network.request(request);
        hear(askedMs, response.headers);
        return response;
      },
    },
    aheadMs,
    nowMs,
    tell() {
      notes.serverNowMs = nowMs();
    },
  };
}

const AHEAD = 'ahead';
/** What takes longer says nothing of the time; a difference of less is none. */
const TRIP_MS_MAX = 30_000;
const AHEAD_MS_MIN = 1_000;
