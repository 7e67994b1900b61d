// One user of an OWA server that is under test, and entries of documents.

import { expect } from 'vitest';
import type { OwaOptions } from '../../emulator/servers/owa/owa.ts';
import { type OwaUser, type OwaWorld, signIn } from '../../emulator/servers/owa/testing.ts';

/** A server with nothing in it, and one user. */
export type StartOwa = (options: Partial<OwaOptions>) => Promise<OwaWorld>;

interface Asking {
  readonly world: OwaWorld;
  readonly user: OwaUser;
}

export async function begin(start: StartOwa, options: Partial<OwaOptions> = {}): Promise<Asking> {
  const world = await start(options);
  return { world, user: await signIn(world) };
}

/** With a document. */
export async function filled(
  start: StartOwa,
  document: Record<string, unknown>,
  options: Partial<OwaOptions> = {},
): Promise<Asking> {
  const asking = await begin(start, options);
  const { status } = await asking.user.ask('POST', document);
  expect(status).toBe(204);
  return asking;
}

/** A live app. */
export function app(last_modified: number, more: object = {}) {
  return { last_modified, manifest: { name: 'App' }, ...more };
}

export function tombstone(last_modified: number) {
  return { last_modified, deleted: true };
}

/** In seconds, as two headers have it. */
export function timesOf({ headers }: { readonly headers: Headers }) {
  return {
    now: headers.get('x-timestamp'),
    modified: headers.get('x-last-modified'),
  };
}
