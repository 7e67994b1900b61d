// The made-up protocol of one document on the wire: who asks, where the document is, and all of it.

import { SyncError } from '../../../agent/errors.ts';
import type { RemoteOptions } from '../../../agent/remotes/remote.ts';
import { streamedBody } from '../../../agent/wire/body.ts';
import { createAsk, odd, type Reply } from './client.ts';

interface Session {
  readonly resource: string;
  readonly auth: string;
}

/** The document as it came, and when. */
export interface Whole {
  readonly members: ReadonlyMap<string, unknown>;
  /** Of its last change, as the server wrote it. */
  readonly at: string;
  readonly serverNowMs: number;
}

export interface DocumentWire {
  /** Where the user's document is. */
  resource(): Promise<string>;
  /** Null: it is as it was. */
  read(since: string): Promise<Whole | null>;
  /** Sends all of it, a member at a time: it may be long. */
  write(members: ReadonlyMap<string, unknown>): Promise<Reply>;
}

export function openWire(options: RemoteOptions): DocumentWire {
  const { cache, config, platform } = options;
  const { audience, serverUrl } = config.remote;
  const stranger = createAsk(options, async () => []);
  const verify = async (fresh: boolean): Promise<Session> => {
    const kept = fresh ? undefined : cache.get('session');
    if (kept !== undefined) return kept as Session;
    const assertion = encodeURIComponent(await platform.identity.assertion(audience, fresh));
    const form = `assertion=${assertion}&audience=${encodeURIComponent(audience)}`;
    const { json } = await stranger('POST', `${serverUrl}/verify`, {}, form);
    if (json.status !== 'okay') throw new SyncError('unauthorized', `verify: ${json.reason}`);
    cache.set('session', json);
    return json;
  };
  const ask = createAsk(options, async (fresh) => [['Authorization', (await verify(fresh)).auth]]);

  /** Null: it is as it was. */
  const read = async (since: string, isAgain = false): Promise<Whole | null> => {
    const { resource } = await verify(false);
    const headers = since === '' ? {} : { 'x-if-modified-since': since };
    const reply = await ask('GET', resource, headers);
    // Whoever proves again who they are may be sent elsewhere.
    if (reply.status === 404 && !isAgain) return read('', true);
    if (reply.status === 204) return null;
    if (reply.status !== 200) throw odd(reply, 'document');
    return {
      members: new Map(Object.entries(reply.json)),
      at: reply.header('x-last-modified') ?? '',
      serverNowMs: Number(reply.header('x-timestamp')) * 1_000,
    };
  };
  return {
    resource: async () => (await verify(false)).resource,
    read: (since) => read(since),
    write: async (members) => {
      const body = streamedBody(options.abort, () => {
        const parts = written(members);
        return async () => parts.next().value;
      });
      return ask('POST', (await verify(false)).resource, {}, body);
    },
  };
}

function* written(members: ReadonlyMap<string, unknown>): Generator<string, null> {
  let before = '{';
  for (const [id, member] of members) {
    yield `${before}${JSON.stringify(id)}:${JSON.stringify(member)}`;
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
  return null;
}
