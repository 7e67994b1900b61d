// Changes of a collection with packs on their way up. Each goes into the first pack of its way that
// has its record, or has room, as that pack is on the server; the pack is written under the stamp
// that it had. Who was faster has its own word on its own records: a change that meets another one
// of the same record is a conflict, and any other one is made again in the new pack.

import { isTooLong } from '../../../wire/record-size.ts';
import type { Held, Outgoing, PushResult, Upload } from '../../remote.ts';
import { spoiltPlaceOf, spoiltVersion } from './codec.ts';
import { PACKS_AT_ONCE, RACES_MAX } from './limits.ts';
import {
  ALONE,
  isOlder,
  LEVELS,
  levelOf,
  packIdOf,
  packIdsBelow,
  placeOfVersion,
  versionOf,
} from './pack.ts';
import { type Placed, place } from './place.ts';
import { salvaged } from './salvage.ts';
import type { ShelfPack } from './shelf.ts';
import { NO_TEXT } from './texts.ts';
import type { PackTools } from './tools.ts';

/** A change that has no result yet; `at`: its place among them. */
interface Item {
  record: Outgoing;
  readonly at: number;
  /** Of the pack where it is looked for. */
  level: number;
  races: number;
}

interface Work {
  readonly tools: PackTools;
  /** Takes records as they are on the wire: packs, and what lies alone. */
  readonly wire: Upload;
  readonly held: Held;
  readonly met: () => boolean;
  readonly results: PushResult[];
  waiting: Item[];
  readonly leaving: Item[];
  /** Packs that were changed in memory, by their ids. */
  readonly dirty: Map<string, Dirty>;
}

/** `met`: see `Doubts`; false: a change that meets an older version is to be merged with it. */
export function packedUpload(
  tools: PackTools,
  wire: Upload,
  held: Held,
  met: () => boolean = () => false,
): Upload {
  return {
    addMax: wire.addMax,
    addCharsMax: wire.addCharsMax,
    async add(records) {
      const results: PushResult[] = records.map(() => ({ kind: 'failed' }));
      const lists = { waiting: [], leaving: [], dirty: new Map() };
      const work: Work = { tools, wire, held, met, results, ...lists };
      for (const [at, record] of records.entries()) {
        const place = placeOfVersion(record.base) ?? spoiltPlaceOf(record.base);
        const level = place?.level ?? (record.base === null ? levelOfNew(tools, record.id) : 0);
        const item = { record, at, level, races: 0 };
        const isAlone = record.base !== null && place === null;
        (isAlone ? work.leaving : work.waiting).push(item);
      }
      while (work.waiting.length > 0 || work.dirty.size > 0) await nextRound(work);
      if (work.leaving.length > 0) await sendAlone(work);
      return results;
    },
    commit: () => wire.commit(),
  };
}

/** Where a record is looked for that no pack has which this device has filled. */
function levelOfNew({ shelf }: PackTools, id: string): number {
  let level = 0;
  while (level < LEVELS - 1 && shelf.isFilled(packIdOf(id, level))) level++;
  return level;
}

/**
 * A step down the tree, of as many packs as may be in memory at once. What is changed is sent when
 * nothing else can be done before.
 */
async function nextRound(work: Work): Promise<void> {
  const { tools, dirty } = work;
  const groups = nextGroups(work);
  if (groups.size === 0) {
    const all = [...dirty.values()];
    dirty.clear();
    return send(work, all);
  }
  const packs = await tools.shelf.load([...groups.keys()].filter((id) => !dirty.has(id)));
  if (packs === null) return giveUp(work, [...groups.values()].flat());
  for (const pack of [...packs, ...[...dirty.values()].map((one) => one.pack)]) {
    const items = groups.get(pack.id);
    if (items === undefined) continue;
    const isSalvaged = await salvage(work, pack, items);
    const placed = placeAll(work, pack, items);
    // Those that waited for it were in it, be it full.
    if (isSalvaged && pack.pack) pack.pack.isFull ||= isSalvaged === 'full';
    const before = dirty.get(pack.id);
    const isDirty = isSalvaged || placed.some(([, { hasChanged }]) => hasChanged);
    if (before) before.placed.push(...placed);
    else if (isDirty) dirty.set(pack.id, { pack, placed });
    else follow(work, placed);
    await tools.pause();
  }
}

/** Takes from what waits, by the pack where each goes on. */
function nextGroups(work: Work): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  const later: Item[] = [];
  let room = PACKS_AT_ONCE - work.dirty.size;
  for (const item of work.waiting) {
    const id = packIdOf(item.record.id, item.level);
    const group = groups.get(id);
    if (group !== undefined) group.push(item);
    else if (work.dirty.has(id) || room-- > 0) groups.set(id, [item]);
    else later.push(item);
  }
  work.waiting = later;
  return groups;
}

/** The server answers no batch: nobody may write. */
function giveUp(work: Work, taken: readonly Item[]): void {
  const { results, waiting, dirty } = work;
  const changed = [...dirty.values()].flatMap(({ placed }) => placed.map(([item]) => item));
  for (const { at } of [...taken, ...waiting, ...changed]) results[at] = { kind: 'readOnly' };
  work.waiting = [];
  dirty.clear();
}

type PlacedItem = readonly [item: Item, placed: Placed];

interface Dirty {
  readonly pack: ShelfPack;
  readonly placed: PlacedItem[];
}

/** Makes a pack anew that does not open, where a change is to replace it. False: none is. */
async function salvage(
  { tools, held }: Work,
  known: ShelfPack,
  items: readonly Item[],
): Promise<'full' | 'open' | false> {
  const level = levelOf(known.id) ?? 0;
  const spoilt = spoiltVersion(level, known.stamp ?? '');
  const waiting = items.filter(({ record }) => record.base === spoilt);
  if (known.pack !== null || waiting.length === 0) return false;
  const { pack, isFull } = await salvaged(known.id, level, held, tools.outgoing);
  known.pack = pack;
  for (const item of waiting) item.record = { ...item.record, base: null };
  return isFull ? 'full' : 'open';
}

function placeAll({ tools }: Work, known: ShelfPack, items: readonly Item[]): PlacedItem[] {
  const { id: packId, stamp, pack } = known;
  const level = levelOf(packId) ?? 0;
  return items.map((item): PlacedItem => {
    const { record } = item;
    if (pack !== null) return [item, place(pack, level, record, tools.stamp)];
    const version = spoiltVersion(level, stamp ?? '');
    const envelope = { id: record.id, version, modifiedMs: null, payload: '' };
    const theirs = { kind: 'found', envelope, serverNowMs: null } as const;
    return [item, { kind: 'conflict', theirs, hasChanged: false }];
  });
}

/** Where changes go from a pack that is on the server as they have found or left it. */
function follow(work: Work, placed: readonly PlacedItem[]): void {
  const { tools, results, waiting, leaving } = work;
  for (const [item, result] of placed) {
    const { at, level, record } = item;
    if (result.kind === 'deeper') waiting.push({ ...item, level: level + 1 });
    else if (result.kind === 'alone') leaving.push({ ...item, record: { ...record, base: null } });
    else if (result.kind === 'conflict') {
      const { theirs } = result;
      const serverNowMs = tools.serverNowMs();
      const told = theirs?.kind === 'found' ? { ...theirs, serverNowMs } : theirs;
      const version = theirs?.kind === 'found' ? theirs.envelope.version : null;
      const isOld = version !== null && record.base !== null && isOlder(version, record.base);
      const isLost = isOld && work.met();
      results[at] = isLost
        ? { kind: 'moved' }
        : { kind: 'conflict', ...(told && { theirs: told }) };
    } else {
      const { writtenMs } = result.entry;
      const version = versionOf(level, result.entry);
      results[at] = { kind: 'stored', version, modifiedMs: writtenMs };
    }
  }
}

async function send(work: Work, dirty: readonly Dirty[]): Promise<void> {
  const { tools, wire, results } = work;
  const answers = await wire.add(
    await sealedPacks(
      tools,
      dirty.map(({ pack }) => pack),
    ),
    false,
  );
  for (const [index, { pack, placed }] of dirty.entries()) {
    const answer = answers[index] ?? { kind: 'failed' };
    if (answer.kind === 'stored') {
      tools.shelf.stored(pack, answer.version);
      const isFilled = placed.some(([, { kind, hasChanged }]) => kind === 'deeper' && hasChanged);
      if (isFilled) tools.shelf.expectNone(packIdsBelow(pack.id));
      follow(work, placed);
      continue;
    }
    // What is in memory was never on the server.
    tools.shelf.drop(pack.id);
    if (answer.kind === 'conflict' && answer.theirs?.kind === 'found') {
      await tools.shelf.put(answer.theirs.envelope);
    }
    for (const [item] of placed) {
      const isAgain = answer.kind === 'conflict' && ++item.races < RACES_MAX;
      if (isAgain) work.waiting.push(item);
      else results[item.at] = answer.kind === 'conflict' ? { kind: 'failed' } : answer;
    }
  }
}

async function sealedPacks({ seal }: PackTools, packs: readonly ShelfPack[]): Promise<Outgoing[]> {
  const whole = packs.flatMap(({ id, pack, stamp }) => (pack ? [{ id, pack, stamp }] : []));
  const payloads = await seal.seal(whole.map(({ id, pack }) => [id, pack]));
  return whole.map(({ id, stamp }, at) => ({
    ...{ id, base: stamp, beside: {} },
    payload: payloads[at] ?? '',
  }));
}

async function sendAlone({ tools, wire, results, leaving }: Work): Promise<void> {
  const sealed: { readonly item: Item; readonly outgoing: Outgoing }[] = [];
  for (const item of leaving) {
    const outgoing = await tools.sealAlone(item.record);
    if (!isTooLong(outgoing.payload ?? '', tools.config)) sealed.push({ item, outgoing });
    else results[item.at] = { kind: 'refused', code: 'tooLarge' };
  }
  const answers = await wire.add(
    sealed.map(({ outgoing }) => outgoing),
    false,
  );
  const left: Item[] = [];
  for (const [index, { item }] of sealed.entries()) {
    const answer = answers[index] ?? { kind: 'failed' };
    results[item.at] = answer;
    if (answer.kind === 'stored' && item.record.base === null) left.push(item);
  }
  for (const item of left) await clear(tools, wire, item);
}

/** What was in a pack lies alone now: the pack need not have it. A failure harms nobody. */
async function clear({ shelf, seal }: PackTools, wire: Upload, { record, level }: Item) {
  const packId = packIdOf(record.id, level);
  const [known] = (await shelf.load([packId])) ?? [];
  const entry = known?.pack?.entries.get(record.id);
  if (!known?.pack || entry?.kind !== ALONE || entry.text === '') return;
  known.pack.entries.set(record.id, { ...entry, ...NO_TEXT });
  const [payload = ''] = await seal.seal([[packId, known.pack]]);
  const outgoing = { id: packId, payload, base: known.stamp, beside: {} };
  const [answer] = await wire.add([outgoing], false);
  if (answer?.kind === 'stored') shelf.stored(known, answer.version);
  else shelf.drop(packId);
}
