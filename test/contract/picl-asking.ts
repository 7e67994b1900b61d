// One user of a PiCL server that is under test, and what answers say in short.

import { expect } from 'vitest';
import type { PiclOptions } from '../../emulator/servers/picl/picl.ts';
import { Pen, type PiclWorld, signIn } from '../../emulator/servers/picl/testing.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import type { StorageClient } from '../../emulator/servers/testing.ts';

interface PiclServed {
  readonly world: PiclWorld;
  readonly storage: ServerStorage;
}

/** A server with nothing in it, and one user. */
export type StartPicl = (options: Partial<PiclOptions>) => Promise<PiclServed>;

export const NAME = 'history';
export const FIRST = { 'If-None-Match': '*' };

interface Asking {
  readonly served: PiclServed;
  readonly ask: StorageClient;
  readonly pen: Pen;
  /** Appends what the pen has written since. */
  post(...changes: ReturnType<Pen['write']>[]): ReturnType<StorageClient>;
}

export async function begin(start: StartPicl, options: Partial<PiclOptions> = {}): Promise<Asking> {
  const served = await start(options);
  const user = await signIn(served.world);
  const ask = user.at(NAME);
  const pen = new Pen();
  let tag: string | null = null;
  const post: Asking['post'] = async (...list) => {
    const headers: Record<string, string> = tag === null ? FIRST : { 'If-Match': tag };
    const answer = await ask('POST', 'records', { headers, body: { changes: list } });
    tag = answer.headers.get('etag');
    return answer;
  };
  return { served, ask, pen, post };
}

/** With records of these keys. */
export async function filled(
  start: StartPicl,
  keys: readonly string[],
  options?: Partial<PiclOptions>,
) {
  const asking = await begin(start, options);
  const { pen, post } = asking;
  const answer = await post(...keys.map((key) => pen.write(key, `of-${key}`)));
  expect(answer.status).toBe(204);
  return asking;
}

export const keysOf = ({ json }: { json: { records: object } }) => Object.keys(json.records);
export const numbersOf = ({ json }: { json: { changes: { seqnum: number }[] } }) =>
  json.changes.map(({ seqnum }) => seqnum);

/** The keys of a list of records as they stand in its text. */
export const orderOf = ({ text }: { text: string }) =>
  Array.from(text.matchAll(/"([\w-]+)":\{"payload"/g), ([, key = '']) => key);
