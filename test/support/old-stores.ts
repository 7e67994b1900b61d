// The stores of earlier layouts (test/fixtures/stores-layout-*), as what a device boots from. Reads
// them and makes folders and flash images of them; what becomes of them is the tests' business.

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { FileImage, FlashImage } from '../../emulator/device/flash-image.ts';
import type { Edit } from '../../emulator/options.ts';
import type { Protocol } from '../../emulator/remote.ts';
import type { KintoDump } from '../../emulator/servers/kinto/store.ts';
import { readAccount, type SeedAccount } from '../../emulator/servers/store-file.ts';

export interface OldStore {
  readonly name: string;
  readonly layout: number;
  readonly platform: 'vm' | 'node';
  readonly kind: 'first-cut' | 'edited' | 'half-sent' | 'batch-open' | 'paused';
  readonly protocol: Exclude<Protocol, 'kinto' | 'picl' | 'owa'>;
  /** The store holds a sign-in: its firmware was built with one. */
  readonly signIn?: boolean;
  readonly email: string;
  readonly nowMs: number;
  /** Hex; of the VM. */
  readonly deviceKey?: string;
  readonly files: { readonly [name: string]: OldFile };
  /** On Node. */
  readonly credentials?: { readonly [member: string]: unknown };
  /** Of the servers; made-up ones, if it is left out. */
  readonly origin?: string;
  /** What is synced: history and passwords, if it is left out. */
  readonly collections?: readonly string[];
  /** Local changes that are not on the server. */
  readonly edits: readonly Edit[];
  /** Those that are, and the device does not know it. */
  readonly sent?: readonly Edit[];
  readonly status: OldStatus;
  /** Null where the agent was disabled. */
  readonly held: { readonly [collection: string]: readonly HeldRecord[] } | null;
  readonly account: { readonly kB: string; readonly store: unknown };
}

/** A folder of Node whose user is on a Kinto. */
export interface OldKintoStore
  extends Pick<OldStore, 'name' | 'layout' | 'nowMs' | 'files' | 'edits' | 'status'> {
  readonly origin: string;
  readonly credentials: {
    readonly name: string;
    readonly password: string;
    readonly kB: string;
  };
  readonly collections: readonly string[];
  readonly sent: readonly Edit[];
  readonly held: NonNullable<OldStore['held']>;
  /** What the server held. */
  readonly server: KintoDump;
}

type OldFile =
  | { readonly sizeBytes: number; readonly pages: { readonly [index: string]: string } }
  | { readonly mode: number; readonly base64: string };

export interface OldStatus {
  readonly state: string;
  readonly account: string | null;
  readonly collections: {
    readonly [name: string]: {
      readonly held: number;
      readonly pending: number;
      readonly quarantined: number;
    };
  };
}

/** What apps see of a record: of a page or a login, the members that it cannot do without. */
export interface HeldRecord {
  readonly id: string;
  readonly [member: string]: unknown;
}

const FOLDERS = [1, 2, 3].map(
  (layout) => new URL(`../fixtures/stores-layout-${layout}/`, import.meta.url),
);

/** All of them, the oldest layout first, or those whose name has `part` in it. */
export function oldStores(part = ''): OldStore[] {
  return fixtures(part).filter(({ protocol }) => protocol !== 'kinto');
}

export function oldKintoStores(): OldKintoStore[] {
  return fixtures('kinto-');
}

function fixtures(part: string) {
  return FOLDERS.flatMap((folder, at) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.json.br') && file.includes(part))
      .sort()
      .map((file) => {
        const text = brotliDecompressSync(readFileSync(new URL(file, folder))).toString();
        const layout = at + 1;
        const name = `${file.slice(0, -'.json.br'.length)} of layout ${layout}`;
        return { ...JSON.parse(text), name, layout };
      }),
  );
}

/** The servers as they were, again at every call. */
export function accountOf(store: OldStore): SeedAccount {
  return readAccount(structuredClone(store.account));
}

export function imageOf(store: OldStore): FlashImage {
  return new Map(Object.entries(store.files).map(([name, file]) => [name, fileImage(file)]));
}

function fileImage(file: OldFile): FileImage {
  if (!('pages' in file)) throw new Error('not a file of the VM');
  const pages: { bytes: Uint8Array; wear: number }[] = [];
  for (const [index, base64] of Object.entries(file.pages)) {
    pages[Number(index)] = { bytes: new Uint8Array(Buffer.from(base64, 'base64')), wear: 1 };
  }
  return { exists: true, sizeBytes: file.sizeBytes, pages };
}

/** Writes the folder that `--data` names. */
export function writeFolder(store: Pick<OldStore, 'files'>, directory: string): void {
  mkdirSync(directory, { mode: 0o700 });
  for (const [name, file] of Object.entries(store.files)) {
    if (!('base64' in file)) throw new Error('not a file of Node');
    const path = join(directory, name);
    writeFileSync(path, Buffer.from(file.base64, 'base64'));
    chmodSync(path, file.mode);
  }
}
