// The program for kinto.js that docs/kinto-encryption.md gives to be copied, as a reader has it:
// out of the page, with kinto.js around it.

import type { Collection } from 'kinto';
import { textOf } from '../docs/markdown.ts';
import { KintoInMemory } from './kinto-js.ts';

export const PAGE = 'docs/kinto-encryption.md';

interface PageRecord {
  readonly id: string;
  readonly last_modified?: number;
  readonly _status?: 'created' | 'updated' | 'deleted' | 'synced';
  readonly body?: { readonly [member: string]: unknown };
  readonly deleted?: true;
  readonly refused?: string;
}

interface Transformer {
  encode(record: PageRecord): Promise<{ readonly id: string; readonly payload?: string }>;
  decode(record: {
    readonly id: string;
    readonly last_modified?: number;
    readonly payload?: string;
    readonly deleted?: boolean;
  }): Promise<PageRecord>;
}

type Options = NonNullable<Parameters<KintoInMemory<PageRecord>['collection']>[1]>;

interface Encrypted {
  readonly bucket: string;
  wireId(id: string): Promise<string>;
  putPacked(collection: Records, id: string, body: object | null, nowMs: number): Promise<unknown>;
  syncPacked(collection: Records): ReturnType<Records['sync']>;
  bodiesInPacks(collection: Records): Promise<NonNullable<PageRecord['body']>[]>;
  readonly options: Options & { readonly remoteTransformers: [Transformer] };
}

type Records = Collection<PageRecord>;
type OnDamage = (id: string, why: string) => void;
interface Program {
  encryptedCollection(kB: string, name: string, onDamage?: OnDamage): Promise<Encrypted>;
}

/** The first block of JavaScript in the page. */
export async function programOfPage(): Promise<Program> {
  const [, source = ''] = /^```js\n([\s\S]*?)^```$/m.exec(textOf(PAGE)) ?? [];
  const url = `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
  return (await import(/* @vite-ignore */ url)) as Program;
}

interface User {
  /** Without the version. */
  readonly url: string;
  readonly name: string;
  readonly password: string;
}

/** A collection of kinto.js that has nothing yet. */
export async function pageClient({ url, name, password }: User, kB: string, collection: string) {
  const damages: [id: string, why: string][] = [];
  const { encryptedCollection } = await programOfPage();
  const encrypted = await encryptedCollection(kB, collection, (...told) => void damages.push(told));
  const basic = Buffer.from(`${name}:${password}`).toString('base64');
  const kinto = new KintoInMemory<PageRecord>({
    ...{ remote: `${url}/v1`, bucket: encrypted.bucket },
    headers: { Authorization: `Basic ${basic}` },
  });
  const records: Records = kinto.collection(collection, encrypted.options);
  const { options: _, ...rest } = encrypted;
  return { ...rest, records, damages };
}
