// Another client of a user's records on a Kinto, in the published form: it seals and opens with
// node:crypto, and nothing of the agent is in it.

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

const hmacOf = (key: Uint8Array | string, text: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(text).digest();
const hkdf = (key: Uint8Array, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', info, bytes));

/** The published form: docs/kinto-encryption.md. */
export function otherClient(kB: string, collection: string) {
  const sync = hkdf(Buffer.from(kB, 'hex'), 'identity.mozilla.com/picl/v1/oldsync', 64);
  const root = hkdf(sync, 'kitsync/v1/kinto/root', 32);
  const keys = hkdf(root, `kitsync/v1/kinto/records/${collection}`, 80);
  const [encKey, macKey] = [keys.subarray(0, 32), keys.subarray(32, 64)];
  const epochId = `epoch-${keys.subarray(64).toString('hex')}`;
  const secret = hmacOf(sync.subarray(32), 'kitsync/v1/ids');
  const idKey = hmacOf(secret, `kitsync/v1/ids/${collection}`);
  let sealed = 0;
  const wireId = (id: string): string => `h-${hmacOf(idKey, id).toString('base64url')}`;
  const seal = (text: string): string => {
    const iv = createHmac('sha256', 'iv').update(`${sealed++}`).digest().subarray(0, 16);
    const cipher = createCipheriv('aes-256-cbc', encKey, iv);
    const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const ciphertext = bytes.toString('base64');
    const hmac = hmacOf(macKey, ciphertext).toString('hex');
    return JSON.stringify({ ciphertext, IV: iv.toString('base64'), hmac });
  };
  return {
    bucket: `kitsync-${hkdf(root, 'kitsync/v1/kinto/bucket', 16).toString('hex')}`,
    ...{ wireId, seal, epochId },
    /** What the records of the collection belong to, to be stored under `epochId`. */
    sealedEpoch: (epoch: string): string => seal(JSON.stringify({ id: epochId, epoch })),
    /** A body in the place of the record with this own id; null: a tombstone. */
    sealed: (id: string, body: object | null): string =>
      seal(wireId(id) + JSON.stringify(body ?? { deleted: true })),
    open(payload: string): string | null {
      const { ciphertext = '', IV = '', hmac = '' } = JSON.parse(payload || '{}');
      if (hmacOf(macKey, ciphertext).toString('hex') !== hmac) return null;
      const decipher = createDecipheriv('aes-256-cbc', encKey, Buffer.from(IV, 'base64'));
      const bytes = [decipher.update(ciphertext, 'base64'), decipher.final()];
      return Buffer.concat(bytes).toString('utf8');
    },
    /** The JSON of a cleartext of `open`; null: of another record than that with this wire id. */
    inside: (id: string, cleartext: string | null): string | null =>
      cleartext?.startsWith(id) ? cleartext.slice(id.length) : null,
  };
}
