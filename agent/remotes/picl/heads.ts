// What devices tell each other of the logs that they have verified: each has one record in the
// collection `meta`, with its heads. A server that shows two devices two logs is found out as soon
// as one of them reads what the other has seen.
// It travels with another upload and at most once a day, so that an idle device writes nothing and
// no two devices wake each other.

import { isObject, jsonOf } from '../../../crypto/engine.ts';
import type { Storage } from '../../../platform/ports.ts';
import { ported } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import type { CollectionStore } from '../../store/store.ts';
import { jsonStored, storedObject } from '../../store/stored.ts';
import { member, readDocument } from '../../wire/document.ts';
import { HEADS_MS, HEADS_PAGES_MAX } from './limits.ts';
import { type Log, only200 } from './log.ts';
import { mintedChanges } from './mint.ts';
import { type Place, placeOf, wasHead } from './place.ts';
import { type ListedChange, metadataIn, recordsIn } from './read.ts';
import { openPayloads } from './seal.ts';
import { type Head, isEmptyLog } from './tag.ts';
import { violation } from './violation.ts';

/** Where heads are told. It is no collection of apps. */
export const META = 'meta';

/** What is kept of it on this device. */
interface HeadsMemory {
  /** Device time when heads were exchanged last; 0: never. */
  readonly atMs: number;
  /** The highest number that the log of heads was seen with. */
  readonly seqnum: number;
}

const NEVER: HeadsMemory = { atMs: 0, seqnum: 0 };

/** `key`: of the storage. Errors of both: the storage's. */
export function headsMemory(storage: Storage, key: string) {
  return {
    async read(): Promise<HeadsMemory> {
      const [stored = null] = await ported(storage.get([key]));
      // What cannot be read is what was never written: the next exchange is early.
      return (stored === null ? null : storedObject(NEVER, stored)) ?? NEVER;
    },
    write: (memory: HeadsMemory): Promise<void> =>
      ported(storage.commit([[key, jsonStored(memory)]])),
  };
}

/** Whether heads are to be exchanged. A clock that went back is no reason to wait. */
export function isDue({ atMs }: HeadsMemory, nowMs: number): boolean {
  return Math.abs(nowMs - atMs) >= HEADS_MS;
}

/** A head that another device has verified, of the log of this epoch. */
interface ToldHead extends Head {
  readonly collection: string;
  readonly epoch: number;
}

/**
 * Reads what others have seen, and tells what this device has. The first log of `stores` of which
 * another device has verified a different one is named with its head; null: none is. Errors:
 * `badResponse` with a violation of the log of heads; those of the status and of HTTP.
 */
export async function exchangeHeads(
  log: Log,
  device: string,
  stores: readonly CollectionStore[],
  memory: HeadsMemory,
): Promise<{ readonly seqnum: number; readonly fork: ToldHead | null }> {
  const answer = only200(await log.get(''), META);
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const { seqnum, changeid, signature } = metadataIn(jsonOf(text));
  const head = { seqnum, changeid: changeid ?? '' };
  if (seqnum < memory.seqnum) {
    throw violation('rolledBack', `heads end before change ${memory.seqnum}`, META);
  }
  const isForged =
    !isEmptyLog(head) &&
    (await log.scheme.verifySignatures([{ ...head, signature: signature ?? '' }])) >= 0;
  if (isForged) throw violation('badSignature', 'nobody with the key made its head', META);
  const places = new Map(stores.map(({ collection, state }) => [collection.name, state.position]));
  const fork = isEmptyLog(head) ? null : await forkToldOf(log, head, keyOf(device), places);
  const own = fork === null ? await tell(log, device, head, places) : head;
  return { seqnum: own.seqnum, fork };
}

const PREFIX = 'heads_';

function keyOf(device: string): string {
  return PREFIX + device;
}

/**
 * The first head of another device that is of another log; null: there is none, or what devices
 * tell is being written. A user has some devices, and no thousands: who is behind is not heard.
 */
async function forkToldOf(
  log: Log,
  of: Head,
  ownKey: string,
  places: ReadonlyMap<string, string>,
): Promise<ToldHead | null> {
  let start = PREFIX;
  for (let pages = 0; pages < HEADS_PAGES_MAX && start.startsWith(PREFIX); pages++) {
    const query = `/records?start=${start}&`;
    const { answer, json, unread } = await log.page(query, pages === 0 ? 1 : 2, of);
    if (answer.status === 412) {
      answer.cancel();
      return null;
    }
    only200(answer, META);
    const { records, next } = recordsIn(json, unread);
    const others = records.filter(({ key }) => key.startsWith(PREFIX) && key !== ownKey);
    if ((await log.scheme.verifySignatures(others)) >= 0) {
      throw violation('badSignature', 'nobody with the key has made a record', META);
    }
    const opened = await openPayloads(log.sealing, others.flatMap(placed));
    const told = opened.flatMap((one) => (one.ok ? headsIn(jsonOf(one.text)) : []));
    const fork = told.find((one) => isOther(places.get(one.collection), one));
    if (fork !== undefined) return fork;
    if (next === null) return null;
    if (next <= start) throw violation('badShape', 'next leads nowhere', META);
    start = next;
  }
  return null;
}

function placed({ key, seqnum, payload }: ListedChange) {
  return typeof payload === 'string' ? [{ key, seqnum, payload }] : [];
}

function headsIn(json: unknown): ToldHead[] {
  const heads = member(json, 'heads');
  if (!isObject(heads)) return [];
  return Object.keys(heads).flatMap((collection): ToldHead[] => {
    const said = member(heads, collection);
    const [seqnum, changeid, epoch = 0] = Array.isArray(said) ? said : [];
    const isHead = Number.isSafeInteger(seqnum) && typeof changeid === 'string';
    return isHead && Number.isSafeInteger(epoch) ? [{ collection, seqnum, changeid, epoch }] : [];
  });
}

/** This device knows the log at that number, and it is another one. */
function isOther(position: string | undefined, told: ToldHead): boolean {
  const place = placeOf(position ?? '');
  const isComparable = told.epoch === place.epoch && told.seqnum <= place.floor.seqnum;
  return isComparable && !isEmptyLog(place.floor) && wasHead(place, told) === false;
}

/** The head of the log of heads afterwards. Who is overtaken tells it another day. */
async function tell(
  log: Log,
  device: string,
  head: Head,
  places: ReadonlyMap<string, string>,
): Promise<Head> {
  const heads = [...places].flatMap(([name, position]): [string, unknown][] => {
    const { floor, epoch, verdict }: Place = placeOf(position);
    const isTold = !isEmptyLog(floor) && verdict === null;
    return isTold ? [[name, [floor.seqnum, floor.changeid, epoch]]] : [];
  });
  const id = keyOf(device);
  const payload = JSON.stringify({ id, heads: Object.fromEntries(heads) });
  const first = isEmptyLog(head) ? 1 : head.seqnum + 1;
  const changes = await mintedChanges(log, head.changeid, first, [{ id, payload }]);
  const body = JSON.stringify({ changes });
  const answer = await log.post('/records', body, isEmptyLog(head) ? null : head);
  answer.cancel();
  return answer.status < 300 ? (changes[0] ?? head) : head;
}
