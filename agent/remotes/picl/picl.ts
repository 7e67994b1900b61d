// PiCL's storage (Queue-Sync) as a remote: each collection is a log of changes that hang together,
// signed by whoever has the user's key. What comes is verified before anything of it is applied,
// and what goes up continues the log. The server can hold changes back, and nothing else.
// Source: docs/picl.md.

import { clientState } from '../../../crypto/keys.ts';
import { textCrypto } from '../../../crypto/texts.ts';
import type { SyncKey } from '../../../platform/ports.ts';
import { bodyBytesMax, heapOf } from '../../config.ts';
import { badResponse, SyncError } from '../../errors.ts';
import type { CollectionStore } from '../../store/store.ts';
import { parseInTurns, readDocument } from '../../wire/document.ts';
import { deviceId } from '../device-id.ts';
import { isHashedId } from '../ids.ts';
import { forgetNames, namedBy } from '../named.ts';
import {
  type Fetched,
  type Offer,
  type Page,
  type Position,
  type Remote,
  type RemoteAccount,
  type RemoteDriver,
  type RemoteOptions,
  type Restart,
  type Standing,
  UNHEARD,
  type Upload,
} from '../remote.ts';
import { changesPage } from './changes.ts';
import { logCodec } from './codec.ts';
import { epochText } from './epoch.ts';
import { exchangeHeads, headsMemory, isDue, META } from './heads.ts';
import { type PiclKeys, piclKeys } from './keys.ts';
import { type Log, only200, openLog } from './log.ts';
import { epochIn, lookAt, note, watched } from './looks.ts';
import { envelopeOf } from './pages.ts';
import { type Place, placeOf } from './place.ts';
import { recordIn } from './read.ts';
import { REFETCH, recordsPage, restart } from './refetch.ts';
import { openSession } from './session.ts';
import { isEmptyLog, tagText } from './tag.ts';
import { openUpload } from './upload.ts';
import { violation } from './violation.ts';

interface PiclAccount extends RemoteAccount {
  readonly heads: ReturnType<typeof headsMemory>;
}

export const picl: RemoteDriver<PiclAccount> = {
  protocol: 'picl',
  keyName: clientState,
  account: async (kept) => ({
    standing: (_, { position }) => standingAt(placeOf(position)),
    forget: () => forgetNames(kept),
    heads: headsMemory(kept.platform.storage, `${kept.generation}.m`),
  }),
  named: /* @__PURE__ */ namedBy({ charsMax: 2_048, isLegal: isHashedId }),
  open: openPicl,
};

function standingAt({ floor, verdict }: Place): Standing {
  if (verdict === null) return UNHEARD;
  const { reason, theirs } = verdict;
  const log = { reason, ours: tagText(floor, false), theirs: tagText(theirs, false) };
  return { ...UNHEARD, log };
}

function openPicl(options: RemoteOptions<PiclAccount>): Remote {
  // A farewell has nothing to say: nothing of the device's own is there.
  if (options.owner === null) return nobody();
  const { platform, config } = options;
  const pause = (): Promise<void> => platform.clock.pause();
  const crypto = textCrypto(platform.crypto, pause, heapOf(config).batchCharsMax);
  const keys = keysOf(options.owner.key, options);
  const session = openSession(options, crypto);
  const logs = new Map<string, Log>();
  const logOf = ({ collection: { name } }: CollectionStore): Log => {
    const log = logs.get(name) ?? openLog(options, session, crypto, keys, name);
    logs.set(name, log);
    return log;
  };
  return {
    async begin(wanted) {
      const offers: Offer[] = [];
      for (const one of wanted) {
        const { store, readOnly } = one;
        const log = logOf(store);
        const look = await lookOrWhy(options, session, log, store, !readOnly);
        const { refusal, ...rest } = look;
        const { collection } = store;
        const limits = { bodyBytesMax: bodyBytesMax(config), pause };
        offers.push({
          ...{ ...one, ...rest },
          codec: logCodec({ ...limits, collection, sealing: log.sealing }),
          ...(refusal && { around: () => Promise.reject(refusal) }),
        });
      }
      return offers;
    },

    async rest(wanted) {
      if ([...logs.values()].some(({ hasGrown }) => hasGrown)) {
        const stores = wanted.map(({ store }) => store);
        await gossip(options, session, stores, logOf, () =>
          openLog(options, session, crypto, keys, META),
        );
      }
      return [];
    },

    changes: (store, at) => pageOf(options, logOf(store), store, at),

    fetch: (store, id) => fetchRecord(logOf(store), id, config.recordCharsMax),

    async upload(store, held) {
      const log = logOf(store);
      const { chain, opaquePush = false } = log.config;
      if (chain === 'opaque' && !opaquePush) return refusing();
      const epoch = epochIn(store.state.origin);
      const isTold = placeOf(held.position).epoch >= epoch.epoch;
      return openUpload(options, log, held, isTold ? null : epochText(epoch));
    },
  };
}

/** Errors: `badResponse` with the violation; those of the status and of HTTP. */
function pageOf(
  options: RemoteOptions,
  log: Log,
  store: CollectionStore,
  at: Position,
): Promise<Page | Restart> {
  const place = { ...placeOf(at), verdict: null };
  const { origin, resetting, gone } = store.state;
  const { fromSeq } = epochIn(origin);
  const rewoundTo = resetting && !gone && fromSeq > 0 ? fromSeq : null;
  const refetch = { rewoundTo, nowMs: () => options.platform.clock.nowMs() };
  return watched(options, log, store, async () => {
    const isWhole = place.refetch !== null || (at === '' && rewoundTo !== null);
    if (isWhole) return recordsPage(log, store, place, refetch);
    const page = await changesPage(log, store, place);
    if (!('compacted' in page)) return page;
    const { compacted } = page;
    if (compacted !== null && compacted.seqnum < place.floor.seqnum) {
      throw violation('rolledBack', 'its history ends before what was verified', log.name);
    }
    // Nothing was read of it that could be void.
    if (!isEmptyLog(place.head)) return restart(store, place);
    return recordsPage(log, store, { ...place, refetch: REFETCH }, refetch);
  });
}

/** After an upload: see heads.ts. Errors: those of the exchange, of the storage. */
async function gossip(
  options: RemoteOptions<PiclAccount>,
  session: ReturnType<typeof openSession>,
  stores: readonly CollectionStore[],
  logOf: (store: CollectionStore) => Log,
  openMeta: () => Log,
): Promise<void> {
  const { account, platform } = options;
  const memory = await account.heads.read();
  const nowMs = platform.clock.nowMs();
  if (!isDue(memory, nowMs) || !(await session.has(META))) return;
  const own = deviceId(options, 'picl');
  const { seqnum, fork } = await exchangeHeads(openMeta(), own, stores, memory);
  await account.heads.write({ atMs: nowMs, seqnum });
  const store = stores.find(({ collection }) => collection.name === fork?.collection);
  if (fork === null || store === undefined) return;
  const log = logOf(store);
  log.heard = fork;
  await note(options, log, store, 'fork');
  throw violation('fork', 'another device has verified another log', log.name);
}

/** Made once in a boot: that takes a tenth of a second of a small device. */
function keysOf(key: SyncKey, { cache, keyName }: RemoteOptions): PiclKeys {
  const name = `keys of ${keyName}`;
  const keys = (cache.get(name) as PiclKeys | undefined) ?? piclKeys(key);
  cache.set(name, keys);
  return keys;
}

/** What is wrong with one collection stops no other. */
async function lookOrWhy(
  options: RemoteOptions,
  session: ReturnType<typeof openSession>,
  log: Log,
  store: CollectionStore,
  mayWrite: boolean,
) {
  const { name } = log;
  const { origin } = store.state;
  const isThere = await session.has(name);
  try {
    if (!isThere)
      throw badResponse(`${name}: the server has no place for it`, { collection: name });
    return await watched(options, log, store, () => lookAt(options, log, store, mayWrite));
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'badResponse') throw error;
    return { origin, moved: true, refusal: error };
  }
}

/** One record as it is now: its signature and its seal prove it, the log does not. */
async function fetchRecord(log: Log, id: string, charsMax: number): Promise<Fetched> {
  const answer = await log.get(`/records/${id}`);
  if (answer.status === 404) {
    answer.cancel();
    return { kind: 'missing' };
  }
  only200(answer, id);
  const text = await readDocument(() => answer.read(), charsMax);
  const record = recordIn(await parseInTurns(text, answer.pause), id);
  if ((await log.scheme.verifySignatures([record])) >= 0) {
    throw violation('badSignature', 'nobody with the key has made a record', log.name);
  }
  const envelope = envelopeOf(record, '');
  if (envelope === null) throw badResponse(`${id}: the answer is not that record`);
  return { kind: 'found', envelope, serverNowMs: null };
}

function refusing(): Upload {
  return {
    ...{ addMax: 1, addCharsMax: 1 },
    add: async (records) => records.map(() => ({ kind: 'readOnly' })),
    commit: async () => ({ kind: 'none' }),
  };
}

function nobody(): Remote {
  const refuse = () => Promise.reject(new SyncError('signedOut', 'nobody is signed in'));
  return { begin: refuse, changes: refuse, fetch: refuse, upload: refuse };
}
