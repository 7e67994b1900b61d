// A collection whose small records are sealed together. To the agent each of them is a record with
// a version of its own; that several lie in one record of the server is known in this folder alone.

import type { BsoCrypto } from '../../../../crypto/bso.ts';
import type { Collection } from '../../../collections/collection.ts';
import { STAMP_MS_MAX } from '../../../limits.ts';
import type { CollectionStore } from '../../../store/store.ts';
import type { Codec, Envelope, Fetched, Held, Page, RemoteOptions, Upload } from '../../remote.ts';
import { sealedCodec, sealedText } from '../codec.ts';
import type { Kinto } from '../http.ts';
import type { KintoKeys } from '../keys.ts';
import { packedCodec, spoiltVersion } from './codec.ts';
import { PAYLOAD_CHARS_MAX } from './limits.ts';
import { createOwnPacks } from './own.ts';
import { ALONE, isOlder, LEVELS, packIdOf, saltOf, versionOf } from './pack.ts';
import { packedPage } from './page.ts';
import { packSeal } from './seal.ts';
import { openShelf } from './shelf.ts';
import type { PackTools } from './tools.ts';
import { packedUpload } from './upload.ts';

export interface Packs {
  readonly codec: Codec;
  /** The records in a page of packs. */
  page(store: CollectionStore, page: Page): Page;
  readonly isOlder: typeof isOlder;
  /** One record as it is now. Errors: those of the batch and of the crypto. */
  fetch(id: string): Promise<Fetched>;
  /** `wire` sends what lies on the server as it is; `met`: see `Doubts`. */
  upload(wire: Upload, held: Held, met: () => boolean): Upload;
}

interface PacksOptions {
  readonly options: RemoteOptions;
  readonly server: Kinto;
  readonly keys: KintoKeys;
  readonly crypto: BsoCrypto;
  readonly collection: Collection;
  /** One record of the server. */
  fetchWire(id: string): Promise<Fetched>;
}

export function openPacks(given: PacksOptions): Packs {
  const { options, server, keys, crypto, collection, fetchWire } = given;
  const { platform, config, notes } = options;
  const bundle = keys.bundleFor(collection.name);
  const pause = (): Promise<void> => platform.clock.pause();
  const seal = packSeal(crypto, bundle, PAYLOAD_CHARS_MAX);
  const own = createOwnPacks();
  const serverNowMs = (): number | null => notes.serverNowMs || null;
  const tools = (): PackTools => ({
    ...{ seal, config, pause, serverNowMs },
    shelf: openShelf(server, collection.name, seal, own),
    outgoing: (id, body) => collection.outgoing(id, body),
    stamp(before) {
      const nowMs = Math.floor(serverNowMs() ?? platform.clock.nowMs());
      const laterMs = Math.max(nowMs, (before?.writtenMs ?? -1) + 1, 0);
      return {
        writtenMs: Math.min(laterMs, STAMP_MS_MAX),
        salt: saltOf(platform.entropy.random(3)),
      };
    },
    async sealAlone(record) {
      const json = record.payload || '{"deleted":true}';
      return { ...record, payload: await sealedText(crypto, bundle, record.id, json) };
    },
  });
  return {
    codec: packedCodec(collection, sealedCodec({ collection, crypto, bundle, pause }), pause),
    isOlder,
    page: (store, page) => packedPage(page, { store, seal, own, fetchAlone: fetchWire }),
    upload: (wire, held, met) => packedUpload(tools(), wire, held, met),
    fetch: (id) => fetchPacked(id, { seal, fetchWire, serverNowMs }),
  };
}

async function fetchPacked(
  id: string,
  {
    seal,
    fetchWire,
    serverNowMs,
  }: Pick<PackTools, 'seal' | 'serverNowMs'> & Pick<PacksOptions, 'fetchWire'>,
): Promise<Fetched> {
  const found = (version: string, modifiedMs: number | null, payload: string): Fetched => {
    const envelope: Envelope = { id, version, modifiedMs, payload };
    return { kind: 'found', envelope, serverNowMs: serverNowMs() };
  };
  for (let level = 0; level < LEVELS; level++) {
    const packId = packIdOf(id, level);
    const there = await fetchWire(packId);
    if (there.kind === 'missing' || there.envelope.payload === null) break;
    const pack = await seal.open(packId, there.envelope.payload);
    if (pack === null) return found(spoiltVersion(level, there.envelope.version), null, '');
    const entry = pack.entries.get(id);
    if (entry !== undefined) {
      const alone = entry.kind === ALONE ? await fetchWire(id) : null;
      if (alone !== null && (alone.kind === 'found' || entry.text === '')) return alone;
      return found(versionOf(level, entry), entry.writtenMs, entry.text);
    }
    if (!pack.isFull) break;
  }
  return { kind: 'missing' };
}
