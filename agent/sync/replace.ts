// A collection whose records are replaced all at once: a whole listing is staged beside what there
// is, met with it record by record as any listing is, and one commit puts it in its place. Until
// then apps see what was there, with their own changes; a cut leaves the one or the other. An
// upload, a repair or a new reset in between ends a stage, and the next pass begins another one.

import { type Body, type Collection, mayWrite } from '../collections/collection.ts';
import { hasSameMembers } from '../collections/members.ts';
import { SyncError } from '../errors.ts';
import { QUARANTINE_MAX } from '../limits.ts';
import type { Codec, Incoming } from '../remotes/remote.ts';
import { eachPage } from '../store/pages.ts';
import { type Entry, type Mirror, NO_ENTRY, visible } from '../store/record.ts';
import { updateState } from '../store/rewrite.ts';
import type { SetsCollection } from '../store/sets.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import { openFirstSet, openTwoSets, type Stage, type TwoSets } from '../store/two-sets.ts';
import type { Vault } from '../store/vault.ts';
import { type Received, receive } from './merge.ts';
import type { AtomicCollection, CollectionPass } from './pass-context.ts';
import { changeOf, tellThing } from './pull.ts';
import { GONE } from './requeue.ts';

/**
 * The collection, with records that are replaced all at once. Throws an Error for one that keeps
 * its newest records only: it never holds a whole.
 */
export function atomic(collection: Collection): AtomicCollection & SetsCollection {
  if (collection.evictable) throw new Error(`never whole: ${collection.name}`);
  return { ...collection, openSets: openTwoSets, replace };
}

/**
 * The collection, in a build that does not replace it at once any more, for devices that another
 * one has run on which did. A build that says neither refuses what those have stored
 * (`clientTooOld`).
 */
export function wasAtomic(collection: Collection): SetsCollection {
  return { ...collection, openSets: openFirstSet };
}

/** What a stage holds of a record that the listing says is deleted; apps see nothing of it. */
const GRAVE: Body = { deleted: true };
const GRAVE_TEXT = '{"deleted":true}';

function isGrave(body: Body): boolean {
  return body.deleted === true && Object.keys(body).length === 1;
}

/** The stage, and the pass that fills it. */
interface Staging {
  readonly live: CollectionPass;
  readonly sets: TwoSets<CollectionStore>;
  /** What the stage lies on. */
  readonly under: Stage;
  readonly stage: CollectionStore;
}

async function replace(
  pass: CollectionPass,
  pull: Parameters<AtomicCollection['replace']>[1],
): Promise<void> {
  const { store, platform } = pass;
  const sets = setsOf(store);
  await sweep(store, platform.clock.pause);
  const under = sets.other(() => checkStage(store, sets));
  const kind = stageOf(store.collection, () => beginAgain(pass, sets));
  const stage = await sets.beside(under, kind, (own) => short(own, under));
  if (stage.state.staging === undefined) {
    const { epoch, position, origin, gone, seq } = store.state;
    sets.beginStage(epoch);
    await updateState(stage, () => ({
      ...{ staging: 'timed', resetting: true },
      ...{ epoch, position, origin, gone, seq },
    }));
  }
  const staging = { live: pass, sets, under, stage };
  const codec = comparing(pass.offer.codec, staging);
  const emit: CollectionPass['emit'] = (event) => {
    if (event.kind !== 'record') pass.emit(event);
  };
  try {
    const staged = { ...pass, store: stage, offer: { ...pass.offer, codec }, emit };
    await pull(staged, () => finish(staging));
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'storageFull') throw error;
    sets.dropStage();
    await sweep(store, platform.clock.pause);
    const { name: collection } = store.collection;
    const why = `${collection}: no room for all records anew beside those that there are`;
    throw new SyncError('storageFull', why, { collection });
  }
}

/** The listing has to begin anew in the middle: the next pass does that. Errors: `conflict`. */
async function beginAgain(
  { store }: CollectionPass,
  sets: TwoSets<CollectionStore>,
): Promise<void> {
  sets.dropStage();
  await updateState(store, ({ epoch }) => ({ epoch: epoch + 1 }));
  throw changed(store);
}

/** Removes what is no stage, or none any more. */
async function sweep(store: CollectionStore, pause: () => Promise<void>): Promise<void> {
  const sets = setsOf(store);
  const { resetting, epoch } = store.state;
  if (resetting && sets.stagedEpoch === epoch) return;
  await sets.sweep(() => checkOpen(store), pause);
}

/** `atomic` is what gives a collection its sets. */
function setsOf({ storage }: CollectionStore): TwoSets<CollectionStore> {
  return storage as TwoSets<CollectionStore>;
}

/** Errors: why it is closed; what a pass that was given up still does is void. */
function checkOpen({ closed }: CollectionStore): void {
  if (closed !== null) throw closed;
}

/** Errors: `conflict` when the live records were changed, and why the live store is closed. */
function checkStage(store: CollectionStore, sets: TwoSets<CollectionStore>): void {
  checkOpen(store);
  if (sets.stagedEpoch === store.state.epoch) return;
  throw changed(store);
}

function changed({ collection: { name: collection } }: CollectionStore): SyncError {
  const why = `${collection}: changed while it was replaced`;
  return new SyncError('conflict', why, { collection });
}

/** A kind of collection that holds graves, and is one of the two sets. */
function stageOf(
  kind: Collection,
  replace: AtomicCollection['replace'],
): AtomicCollection & SetsCollection {
  return {
    ...kind,
    replace,
    // No storage of a build without sets.
    openSets: async (storage) => ({ ...storage }),
    check: (body) => (isGrave(body) ? null : kind.check(body)),
    isEmpty: (body) => isGrave(body) || kind.isEmpty(body),
    index: (body, knownMs) => (isGrave(body) ? [] : kind.index(body, knownMs)),
  };
}

/** Nothing is sealed that is stored already. */
function short(vault: Vault, { same }: Stage): Vault {
  return {
    ...vault,
    seal: async (key, head, text) =>
      same.has(key) ? new Uint8Array(0) : vault.seal(key, head, text),
  };
}

/** Notes which records are as they were, and keeps what a deletion says of itself. */
function comparing(codec: Codec, { live, stage, under: { same } }: Staging): Codec {
  const { store } = live;
  return {
    ...codec,
    async open(envelopes) {
      const heads = envelopes.map(({ id, version, modifiedMs }) => ({ id, version, modifiedMs }));
      same.clear();
      const opened = await codec.open(envelopes);
      const isUntimed = heads.some(({ modifiedMs }) => modifiedMs === null);
      if (isUntimed && stage.state.staging === 'timed') {
        await updateState(stage, () => ({ staging: 'untimed' }));
      }
      for (const [at, { id, version, modifiedMs }] of heads.entries()) {
        const incoming = opened[at];
        const [{ mirror, local } = NO_ENTRY] = await store.load([id]);
        if (incoming?.kind === 'tombstone' && (mirror ?? local) !== null) {
          opened[at] = { kind: 'live', body: GRAVE, text: GRAVE_TEXT };
        } else if (
          mirror !== null &&
          mirror.version === version &&
          (modifiedMs ?? mirror.modifiedMs) === mirror.modifiedMs &&
          isText(incoming, mirror.text || JSON.stringify(mirror.body))
        ) {
          same.add(store.keys.record(id));
        }
      }
      return opened;
    },
  };
}

function isText(incoming: Incoming | undefined, text: string): boolean {
  return incoming?.kind === 'live' && incoming.text === text;
}

/** The listing is whole: it meets what the device has, and takes its place. */
async function finish(staging: Staging): Promise<void> {
  const { live, sets, stage } = staging;
  const { store, platform } = live;
  const seqBefore = store.state.seq;
  await eachOf(store, (ids) => meetEach(staging, ids, -1));
  await store.lock.run(async () => {
    // What apps have changed meanwhile, however much.
    await eachPage(store, true, (ids) => meetEach(staging, ids, seqBefore));
    const { held, pending, quarantined, unknownForm, unknownFrom, ...rest } = stage.state;
    const transaction = store.begin();
    transaction.update({
      ...{ held, pending, quarantined, unknownForm, unknownFrom },
      ...{ position: rest.position, seq: Math.max(rest.seq, store.state.seq) },
      ...{ resetting: false, gone: undefined, damaged: undefined, risks: undefined },
    });
    await sets.flip(() => transaction.commit());
  });
  await tell(staging);
  await sweep(store, platform.clock.pause);
}

/** Records that both sides had agreed on, then those that only this side has: each once. */
async function eachOf(
  store: CollectionStore,
  take: (ids: readonly string[]) => Promise<void>,
): Promise<void> {
  await eachPage(store, false, take);
  await eachPage(store, true, async (ids) => {
    const entries = await store.load(ids);
    await take(ids.filter((_, at) => (entries[at] ?? NO_ENTRY).mirror === null));
  });
}

/**
 * Puts into the stage what becomes of these records, if apps have changed them after that change;
 * -1: of all.
 */
async function meetEach(
  staging: Staging,
  ids: readonly string[],
  seqBefore: number,
): Promise<void> {
  const { live, stage } = staging;
  let transaction = stage.begin();
  let seq = Math.max(stage.state.seq, live.store.state.seq);
  for (const id of ids) {
    const [was = NO_ENTRY] = await live.store.load([id]);
    if ((was.local?.seq ?? 0) <= seqBefore) continue;
    const [staged = NO_ENTRY] = await stage.load([id]);
    const { fork, ...after } = met(staging, id, was, staged, seq + 1);
    if (was.local !== null) live.report.merged++;
    if (fork !== undefined) {
      const random = (count: number): Uint8Array => bytesOf(`${id} ${staged.mirror?.text}`, count);
      const platform = { ...live.platform, entropy: { random } };
      const fresh = { store: stage, platform };
      (await import('./conflict.ts')).keepFork(fresh, transaction, fork, seq + 1);
    }
    if (fork !== undefined || after.local?.seq === seq + 1) transaction.update({ seq: ++seq });
    set(transaction, id, staged, after);
    if (!transaction.isFull) continue;
    await transaction.commit();
    transaction = stage.begin();
  }
  if (transaction.size > 0) await transaction.commit();
}

function set(transaction: Transaction, id: string, before: Entry, after: Entry): void {
  if (after.mirror !== before.mirror || after.local !== before.local) {
    transaction.set(id, before, after);
  }
}

/** What becomes of a record: the stage's word on it meets what the device has. */
function met(
  { live, stage, under }: Staging,
  id: string,
  was: Entry,
  staged: Entry,
  seq: number,
): Received {
  const { store, platform, notes, clientId } = live;
  const { quarantined, mirror } = staged;
  const { epoch, gone, staging } = stage.state;
  const deviceNowMs = platform.clock.nowMs();
  const isTimed = staging === 'timed';
  const clockMs = notes.serverNowMs;
  const times = { serverNowMs: isTimed ? clockMs || deviceNowMs : null, deviceNowMs, clockMs };
  if (mirror === null || quarantined) {
    const isUnsure = quarantined || stage.state.quarantined >= QUARANTINE_MAX;
    if (was.mirror === null || isUnsure) {
      // The server has a version that this device cannot read: what was there stays in sight.
      if (was.mirror !== null) under.same.add(store.keys.record(id));
      return { ...staged, mirror: was.mirror, local: was.local };
    }
    if (!mayWrite(store.collection, id, clientId)) return NO_ENTRY;
    if (gone) {
      const none = { serverNowMs: null, deviceNowMs };
      return receive(store.collection, was, GONE, 0, none, seq);
    }
    const { body } = was.mirror;
    const local = was.local ?? { body, changedAtMs: deviceNowMs, seq, tries: 0 };
    return { mirror: null, local, quarantined: false };
  }
  const { version, modifiedMs, body, text } = mirror;
  const said = isGrave(body) ? { body: null, text: '' } : { body, text };
  const arrival = { ...said, version, modifiedMs: isTimed ? modifiedMs : null };
  const after = receive(store.collection, toldApart(was, mirror), arrival, epoch, times, seq);
  const isSame = after.mirror?.version === version && after.mirror.text === text;
  return isSame ? { ...after, mirror } : after;
}

/**
 * Some protocols' versions are times, which two contents may have: where nothing was changed here,
 * what was agreed on is another version than what the listing says.
 */
function toldApart(was: Entry, { version, text, body }: Mirror): Entry {
  const { mirror, local } = was;
  if (mirror === null || local !== null || mirror.version !== version) return was;
  const isSame = (mirror.text || JSON.stringify(mirror.body)) === (text || JSON.stringify(body));
  return isSame ? was : { ...was, mirror: { ...mirror, version: '' } };
}

/** Bytes that are the same whenever the text is: a record that is met twice makes one fork. */
function bytesOf(text: string, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let hash = 0x811c9dc5;
  for (let at = 0; at < count; at++) {
    for (let n = 0; n < text.length; n++) {
      hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
    }
    bytes[at] = hash >>> 24;
  }
  return bytes;
}

/** What apps are told, when they can see it. */
async function tell({ live, sets }: Staging): Promise<void> {
  const { store } = live;
  const dead = sets.other(() => checkStage(store, sets));
  const old = await sets.beside(dead, stageOf(store.collection, replace), (own) => own);
  const tellOf = async (id: string, was: Entry, now: Entry): Promise<void> => {
    const [before, after] = [visible(was), visible(now)];
    if (before === null ? after === null : after !== null && hasSameMembers(before, after)) return;
    live.emit(changeOf(live, id, before, after));
    if (live.observes(store.collection.name)) await tellThing(live, id, before);
  };
  const tellPage = async (ids: readonly string[], isOld: boolean): Promise<void> => {
    for (const id of ids) {
      const [now = NO_ENTRY] = await store.load([id]);
      if (isOld && (now.mirror ?? now.local) !== null) continue;
      const [was = NO_ENTRY] = await old.load([id]);
      await tellOf(id, was, now);
    }
  };
  await eachOf(store, (ids) => tellPage(ids, false));
  await eachOf(old, (ids) => tellPage(ids, true));
}
