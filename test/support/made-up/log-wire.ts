// The made-up protocol of logs on the wire: who asks, where a log is, its head, and the next links
// of its chain.

import { SyncError } from '../../../agent/errors.ts';
import type { Listed, RemoteOptions } from '../../../agent/remotes/remote.ts';
import type { SyncKey } from '../../../platform/ports.ts';
import { createAsk, odd, type Reply } from './client.ts';
import { type Change, changeIdOf } from './log-change.ts';
import { sign } from './seal.ts';

/** A payload opens as this change of this record only. */
export const about = (seqnum: number | string, key: string): string => `${seqnum} ${key}`;

interface Session {
  readonly id: string;
  readonly collections: Readonly<Record<string, string>>;
}

export interface LogWire {
  readonly ask: ReturnType<typeof createAsk>;
  urlOf(collection: string): Promise<string>;
  /** What is said of a log; one that was deleted is where a new login says. */
  about(collection: string): Promise<Reply>;
}

export function openWire(options: RemoteOptions): LogWire {
  const { cache, clientId, config, platform } = options;
  const stranger = createAsk(options, async () => []);
  const login = async (fresh: boolean): Promise<Session> => {
    const kept = fresh ? undefined : cache.get('session');
    if (kept !== undefined) return kept as Session;
    const assertion = await platform.identity.assertion(config.remote.audience, fresh);
    const { serverUrl } = config.remote;
    const reply = await stranger('POST', serverUrl, {}, { assertion, device: clientId });
    if (reply.status !== 200) throw odd(reply, 'login');
    cache.set('session', reply.json);
    return reply.json;
  };
  const ask = createAsk(options, async (fresh) => [
    ['Authorization', `Session ${(await login(fresh)).id}`],
  ]);
  const urlOf = async (name: string): Promise<string> =>
    (await login(false)).collections[name] ?? config.remote.serverUrl;
  return {
    ask,
    urlOf,
    async about(name) {
      let reply = await ask('GET', await urlOf(name));
      if (reply.status === 404) {
        await login(true);
        reply = await ask('GET', await urlOf(name));
      }
      if (reply.status !== 200) throw odd(reply, name);
      return reply;
    },
  };
}

/** An entity tag as the number and the id of a change. */
export function headOf(etag: string | null): string {
  return (etag ?? '').replace('-', ' ');
}

/** Changes as they are listed; `plan`: the ids of those that were sent, and not answered. */
export function listedOf(changes: readonly Change[], plan: string): Listed[] {
  return changes.map(({ key, seqnum, payload, changeid }) => {
    const isOwn = plan.includes(changeid);
    const envelope = { id: key, version: `${seqnum}`, modifiedMs: null, payload, isOwn };
    return { ok: true, envelope, chars: payload?.length ?? 100 };
  });
}

/** The head behind each change. Errors: `badResponse` for what is not the chain's next link. */
export function linked(
  key: SyncKey,
  from: number,
  before: string,
  changes: readonly Change[],
): string[] {
  let changeid = before;
  return changes.map((change, at) => {
    changeid = changeIdOf(changeid, change);
    const isNext = change.seqnum === from + at + 1 && change.changeid === changeid;
    if (isNext && change.signature === sign(key, changeid)) return `${change.seqnum} ${changeid}`;
    throw new SyncError('badResponse', `change ${change.seqnum} does not continue the log`);
  });
}
