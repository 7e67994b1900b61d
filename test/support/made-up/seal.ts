// What the clients of the made-up servers seal with: nothing but what it is about opens it.

import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Collection } from '../../../agent/collections/collection.ts';
import type { Codec, Envelope, Incoming } from '../../../agent/remotes/remote.ts';
import type { SyncKey } from '../../../platform/ports.ts';

/** Text sealed under the user's key, good for nothing but `about`. URL-safe. */
export function seal(key: SyncKey, about: string, text: string): string {
  const iv = createHash('sha256').update(`${about}\n${text}`).digest().subarray(0, 12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(key), iv).setAAD(Buffer.from(about));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** What was sealed, or null for what does not open. */
export function unseal(key: SyncKey, about: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** The user's word on a text that is no secret. */
export function sign(key: SyncKey, text: string): string {
  return createHash('sha256').update(keyOf(key)).update(text).digest('base64url');
}

/** Opens payloads that are about what `about` says. */
export function opener(key: SyncKey, about: (envelope: Envelope) => string): Codec['open'] {
  return async (envelopes) =>
    envelopes.splice(0).map((envelope): Incoming => {
      if (envelope.payload === null) return { kind: 'tombstone' };
      const text = unseal(key, about(envelope), envelope.payload);
      if (text === null) return { kind: 'malformed', code: 'badMac', proven: false };
      return { kind: 'live', body: JSON.parse(text), text };
    });
}

/** What is sealed in a record has to be of the id that it is listed under. */
export function provenBy({ ids }: Collection, open: Codec['open']): Codec['open'] {
  return async (envelopes) => {
    const wireIds = envelopes.map(({ id }) => id);
    const opened = await open(envelopes);
    return opened.map((one, at) =>
      one.kind !== 'live' || ids?.proves(wireIds[at] ?? '', one.body)
        ? one
        : { kind: 'malformed', code: 'idMismatch', proven: true },
    );
  };
}

function keyOf(key: SyncKey): Buffer {
  return createHash('sha256').update(JSON.stringify(key)).digest();
}
