// A record of this protocol is an app's name and its entry, readable by the server; nobody proves
// anything. What is deleted is an entry, too, which says so: no record is ever gone.

import { bodyOf } from '../body-of.ts';
import type { Codec } from '../remote.ts';
import type { ServerClock } from './server-clock.ts';

interface Options {
  /** Of memory that a body may take. */
  readonly bodyBytesMax: number;
  pause(): Promise<void>;
}

export function documentCodec(
  { bodyBytesMax, pause }: Options,
  { aheadMs, tell }: Pick<ServerClock, 'aheadMs' | 'tell'>,
): Codec {
  return {
    async open(envelopes) {
      tell();
      const opened = [];
      for (const { payload } of envelopes.splice(0)) {
        const text = payload ?? '';
        const body = await bodyOf(text, pause, bodyBytesMax);
        opened.push(
          typeof body === 'string'
            ? { kind: 'malformed' as const, code: body, proven: true }
            : { kind: 'live' as const, body, text },
        );
        await pause();
      }
      return opened;
    },
    async seal({ id, body, base, changedAtMs }) {
      // An entry has its time from its collection, or has none: then it is carried as it is.
      const last_modified = Math.max(
        (changedAtMs + aheadMs()) / 1_000,
        Number.parseFloat(base ?? '') + STEP_SECONDS || 0,
      );
      const { id: name, entry } = body ?? { id, entry: { last_modified, deleted: true } };
      return { id, payload: JSON.stringify({ id: name, entry }), base, beside: {} };
    },
  };
}

/** By so much an edit is later than what it was made from. */
const STEP_SECONDS = 0.001;
