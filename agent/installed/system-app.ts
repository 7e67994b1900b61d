// An app as the system is given it, out of its entry, and what of an entry the system says
// otherwise. Pure.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import type { SystemApp } from '../../platform/ports.ts';
import { canonicalJson } from '../collections/canonical-json.ts';
import type { Body } from '../collections/collection.ts';
import { withReceipts } from '../collections/installed-receipts.ts';

/** Null: there is no manifest to install. */
export function systemApp(entry: Body): SystemApp | null {
  const { manifest, manifest_url, install_data, install_origin, install_time } = entry;
  const read = typeof manifest === 'string' ? jsonOf(manifest) : manifest;
  if (!isObject(read) || Array.isArray(read)) return null;
  return {
    manifest: read,
    ...(typeof manifest_url === 'string' && { manifest_url }),
    ...(install_data != null && { install_data }),
    ...(typeof install_origin === 'string' && { install_origin }),
    ...(isTime(install_time) && { install_time }),
  };
}

/**
 * The same text for the same app, whatever order its members have; when it was installed is not
 * part of it. Two numbers of 32 bits: enough to see that something has changed, and cheap.
 */
export function fingerprint({ install_time, ...app }: SystemApp): string {
  const text = canonicalJson(app);
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995) + at;
  }
  return `${(a >>> 0).toString(36)}.${(b >>> 0).toString(36)}.${text.length}`;
}

/**
 * The members of an entry that the system says otherwise, as `put` takes them: what it does not say
 * stays, and so does each receipt.
 */
export function editOf(origin: string, app: SystemApp, entry: Body | null): Body {
  const said: Body = { ...app };
  const isAll = entry === null || said.install_data === undefined;
  const merged = isAll ? said : withReceipts(said, entry);
  const before = new Map(Object.entries(entry ?? {}));
  const changed = Object.entries(merged).filter(
    ([name, value]) => canonicalJson(value) !== canonicalJson(before.get(name)),
  );
  return { ...Object.fromEntries(changed), id: origin };
}

export function timeOf({ install_time }: SystemApp): number {
  return isTime(install_time) ? install_time : 0;
}

function isTime(time: unknown): time is number {
  return typeof time === 'number' && time >= 0 && time < Infinity;
}
