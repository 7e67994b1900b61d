// The made-up protocol of one document on the wire: who asks, where the document is, and the
// document itself, which is taken apart as it comes and sent as it is made. Nobody holds it whole.

import { SyncError } from '../../../agent/errors.ts';
import { JSON_DEPTH_MAX } from '../../../agent/limits.ts';
import type { RemoteOptions } from '../../../agent/remotes/remote.ts';
import { type Give, streamedBody, written } from '../../../agent/wire/body.ts';
import { header } from '../../../agent/wire/headers.ts';
import type { Answer } from '../../../agent/wire/http.ts';
import { createMembers, type MemberPart } from '../../../agent/wire/members.ts';
import { createAsk, createHttpFor, odd } from './client.ts';

interface Session {
  readonly resource: string;
  readonly auth: string;
}

/** The document while it comes. */
export interface Reading {
  /** Of its last change, as the server wrote it. */
  readonly at: string;
  readonly serverNowMs: number;
  /** Appends what the next piece has; false at the end. */
  next(out: MemberPart[]): Promise<boolean>;
  cancel(): void;
}

export interface DocumentWire {
  /** Where the user's document is. */
  resource(): Promise<string>;
  /** Null: it is as it was. */
  read(since: string): Promise<Reading | null>;
  /** Sends all of it; `write` is called for each time that it is sent. */
  send(write: (give: Give) => Promise<void>): Promise<Answer>;
}

const NAME_CHARS_MAX = 4_096;

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
  const http = createHttpFor(options, async (fresh) => [
    ['Authorization', (await verify(fresh)).auth],
  ]);

  const read = async (since: string, isAgain = false): Promise<Reading | null> => {
    const { resource } = await verify(false);
    const headers = since === '' ? [] : [['x-if-modified-since', since] as const];
    const answer = await http.send({ method: 'GET', url: resource, headers });
    if (answer.status === 200) return readingOf(answer);
    answer.cancel();
    // Whoever proves again who they are may be sent elsewhere.
    if (answer.status === 404 && !isAgain) return read('', true);
    if (answer.status === 204) return null;
    throw odd(answer, 'document');
  };
  return {
    resource: async () => (await verify(false)).resource,
    read: (since) => read(since),
    async send(write) {
      const body = streamedBody(options.abort, () => written(write));
      const url = (await verify(false)).resource;
      const answer = await http.send({ method: 'POST', url, body });
      answer.cancel();
      return answer;
    },
  };
}

function readingOf(answer: Answer): Reading {
  const members = createMembers(NAME_CHARS_MAX, JSON_DEPTH_MAX);
  return {
    at: header(answer.headers, 'x-last-modified') ?? '',
    serverNowMs: Number(header(answer.headers, 'x-timestamp')) * 1_000,
    async next(out) {
      const piece = await answer.read();
      if (piece === null) members.end();
      else members.push(piece, out);
      return piece !== null;
    },
    cancel: () => answer.cancel(),
  };
}
