// Another client of a user's records on a PiCL storage, in the published form (docs/picl.md): it
// seals, signs and opens with node:crypto, and nothing of the agent is in it.

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';

/** A change as it goes over the wire; payload null: the record is deleted. */
export interface LogChange {
  readonly key: string;
  readonly payload: string | null;
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
}

/** The id before the first change. */
export const FIRST_ID = Buffer.alloc(32).toString('base64url');

/** The id of a change behind `previous`. */
export function changeIdOf(
  previous: string,
  { seqnum, key, payload }: Pick<LogChange, 'seqnum' | 'key' | 'payload'>,
): string {
  const tag = payload === null ? 'D' : `S:${hashOf(payload)}`;
  return hashOf(['picl-change-v1', seqnum, previous, key, tag, ''].join('\n'));
}

/** `kB`: of the user, 64 hexadecimal digits. */
export function otherClient(kB: string, collection: string) {
  const sync = hkdf(Buffer.from(kB, 'hex'), 'identity.mozilla.com/picl/v1/oldsync', 64);
  const secret = hmacOf(sync.subarray(32), 'kitsync/v1/ids');
  const idKey = hmacOf(secret, `kitsync/v1/ids/${collection}`);
  return {
    ...logWriter(hkdf(sync, 'picl/queuesync/v1/root', 32), collection),
    wireId: (id: string): string => `h-${hmacOf(idKey, id).toString('base64url')}`,
  };
}

/** `root`: 32 bytes that the user's devices share. */
export function logWriter(root: Uint8Array, collection: string) {
  const derive = (use: string): Buffer => hkdf(root, `picl/queuesync/v1/${use}/${collection}`, 32);
  const [signKey, sealKey] = [derive('sign'), derive('encrypt')];
  let sealed = 0;
  const aadOf = (seqnum: number, key: string): Buffer =>
    Buffer.from(`picl-payload-v1\n${collection}\n${key}\n${seqnum}\n`);
  const sign = (changeid: string): string => hmacOf(signKey, changeid).toString('base64url');
  const seal = (seqnum: number, key: string, text: string): string => {
    const iv = hmacOf('iv', `${collection} ${seqnum} ${key} ${sealed++}`).subarray(0, 12);
    const cipher = createCipheriv('aes-256-gcm', sealKey, iv).setAAD(aadOf(seqnum, key));
    const bytes = [cipher.update(text, 'utf8'), cipher.final()];
    return Buffer.concat([Buffer.of(1), iv, ...bytes, cipher.getAuthTag()]).toString('base64url');
  };
  return {
    ...{ sign, seal },
    /** The change behind `before`; text null: a deletion. */
    change(before: Pick<LogChange, 'seqnum' | 'changeid'>, key: string, text: string | null) {
      const seqnum = before.seqnum + 1;
      const payload = text === null ? null : seal(seqnum, key, text);
      const changeid = changeIdOf(before.changeid, { seqnum, key, payload });
      return { key, payload, seqnum, changeid, signature: sign(changeid) } satisfies LogChange;
    },
    /** The record, without who wrote it; null: it is not of this place. */
    open({ seqnum, key, payload }: Pick<LogChange, 'seqnum' | 'key' | 'payload'>): string | null {
      const bytes = Buffer.from(payload ?? '', 'base64url');
      if (bytes.length < 29 || bytes[0] !== 1) return null;
      const decipher = createDecipheriv('aes-256-gcm', sealKey, bytes.subarray(1, 13));
      decipher.setAAD(aadOf(seqnum, key)).setAuthTag(bytes.subarray(-16));
      try {
        const text = [decipher.update(bytes.subarray(13, -16)), decipher.final()];
        return Buffer.concat(text).toString('utf8').replace(AUTHOR, '');
      } catch {
        return null;
      }
    },
  };
}

const AUTHOR = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n/;

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function hmacOf(key: Uint8Array | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function hkdf(key: Uint8Array, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', info, bytes));
}
