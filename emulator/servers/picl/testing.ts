// For tests: a user of a PiCL storage, whose requests are signed by the `hawk` package, and the
// changes that they make, after the recipe and not by the server's code.

import { createHash } from 'node:crypto';
import { type StorageClient, storageClient, type TestWorld } from '../testing.ts';
import { GENESIS } from './changes.ts';

export const DEVICE = '0d1ce000-0000-4000-8000-000000000001';

/** What a server is asked through. */
export type PiclWorld = Pick<TestWorld, 'fetch' | 'device'> & {
  readonly urls: Pick<TestWorld['urls'], 'picl'>;
  readonly clock: { nowMs: number };
};

export interface PiclUser {
  readonly id: string;
  readonly key: string;
  /** URLs by name. */
  readonly collections: Readonly<Record<string, string>>;
  /** Asks a collection; the path is behind its URL. */
  at(name: string): StorageClient;
}

/** The answer to a login. */
export async function askLogin(
  { fetch, urls, device }: PiclWorld,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  const assertion = await device.assertion(urls.picl, false);
  const sent = { assertion, device: DEVICE, ...body };
  return fetch(new Request(urls.picl, { method: 'POST', headers, body: JSON.stringify(sent) }));
}

export async function signIn(world: PiclWorld, body: object = {}): Promise<PiclUser> {
  const answer = await askLogin(world, body);
  const { id, key, collections } = (await answer.json()) as Omit<PiclUser, 'at'>;
  const nowMs = () => world.clock.nowMs;
  const at = (name: string): StorageClient => {
    const api_endpoint = collections[name] ?? '';
    return storageClient(world, { id, key, api_endpoint }, nowMs);
  };
  return { id, key, collections, at };
}

/** A collection's state, and the changes that a device makes on top of it. */
export class Pen {
  seqnum: number;
  changeid: string;

  constructor(seqnum = 0, changeid = GENESIS) {
    this.seqnum = seqnum;
    this.changeid = changeid;
  }

  get tag(): string {
    return `${this.seqnum}-${this.changeid}`;
  }

  /** The next change, of which the next one follows. */
  write(key: string, payload: string | null) {
    const seqnum = this.seqnum + 1;
    const tag = payload === null ? 'D' : `S:${sha256(payload)}`;
    const lines = ['picl-change-v1', seqnum, this.changeid, key, tag, ''];
    const changeid = sha256(lines.join('\n'));
    [this.seqnum, this.changeid] = [seqnum, changeid];
    return { key, payload, seqnum, changeid, signature: `sig${seqnum}` };
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
