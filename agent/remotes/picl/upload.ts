// Local changes on their way to a log: each is sealed for its number and hangs on the one before
// it, all under the condition that nothing came in between. What is sent is remembered before a
// byte leaves, by its ids: so a lost answer is resolved by finding them in the log.

import { jsonOf } from '../../../crypto/engine.ts';
import { heapOf } from '../../config.ts';
import { member } from '../../wire/document.ts';
import type { Answer } from '../../wire/http.ts';
import type { Held, Outgoing, PushResult, RemoteOptions, Upload } from '../remote.ts';
import { EPOCH_KEY } from './epoch.ts';
import { POST_CHANGES_MAX, POST_CHARS_MAX, SEALED_SHARE } from './limits.ts';
import type { Log } from './log.ts';
import { mintedChanges } from './mint.ts';
import { versionOf } from './pages.ts';
import { advanced, type Place, placeOf } from './place.ts';
import type { Change } from './scheme.ts';
import { unexpected } from './statuses.ts';
import { isEmptyLog, isSameHead } from './tag.ts';

/** `epochText`: what goes before all else; null: nothing. */
export function openUpload(
  { config, memory }: RemoteOptions,
  log: Log,
  { position }: Held,
  epochText: string | null,
): Upload {
  const heap = heapOf(config);
  const pen: Pen = { start: placeOf(position), place: placeOf(position), memory };
  let epoch = epochText;
  let planned: { readonly records: readonly Outgoing[]; readonly changes: Change[] } | null = null;

  const minted = async (records: readonly Outgoing[]): Promise<Change[]> => {
    const { head } = pen.place;
    const first = isEmptyLog(head) ? (memory.firstSeqnum ?? 1) : head.seqnum + 1;
    const own = epoch === null ? [] : [{ id: EPOCH_KEY, payload: epoch }];
    return mintedChanges(log, head.changeid, first, [...own, ...records]);
  };

  return {
    addMax: Math.min(heap.pushRecordsMax, memory.postMax ?? POST_CHANGES_MAX - 1),
    addCharsMax: Math.floor(SEALED_SHARE * Math.min(heap.pushCharsMax, POST_CHARS_MAX)),
    async plan(records) {
      planned = { records, changes: await minted(records) };
      return planned.changes.map(({ changeid }) => changeid).join(' ');
    },
    async add(records) {
      let changes = planned?.records === records ? planned.changes : await minted(records);
      planned = null;
      const results: PushResult[] = [];
      const extra = changes.length - records.length;
      let size = changes.length;
      while (changes.length > 0) {
        const group = changes.slice(0, size);
        const kind = await post(log, pen, group);
        if (kind === 'tooMuch' && group.length > 1) {
          size = Math.ceil(group.length / 2);
          memory.postMax = size;
          continue;
        }
        for (const change of group) results.push(resultOf(kind, change));
        if (kind !== 'stored') break;
        epoch = null;
        changes = changes.slice(group.length);
      }
      // What comes behind a change that was not taken hangs on it: it goes up another time.
      const rest: PushResult = { kind: results.some(isUnsure) ? 'failed' : 'moved' };
      return records.map((_, at) => results[at + extra] ?? rest);
    },
    commit: async () => ({ kind: 'none' }),
  };
}

/** How far an upload has come. */
interface Pen {
  readonly start: Place;
  place: Place;
  readonly memory: RemoteOptions['memory'];
}

/** One POST: all of the changes are taken, or none. */
async function post(
  log: Log,
  pen: Pen,
  changes: readonly Change[],
): Promise<PushResult['kind'] | 'tooMuch'> {
  const { memory, start } = pen;
  const { head } = pen.place;
  const body = JSON.stringify({ changes: changes.map(asSent) });
  const answer = await postTo(log, memory, body, isEmptyLog(head) ? null : head);
  const { status } = answer;
  if (status === 200 || status === 201 || status === 204) {
    answer.cancel();
    const last = changes[changes.length - 1];
    const tag = log.tagOf(answer);
    // Another head than ours: the log will tell what became of it.
    if (last === undefined || (tag !== null && !isSameHead(tag, last))) return 'failed';
    pen.place = advanced(pen.place, changes);
    log.hasGrown = true;
    log.written = { from: log.written?.from ?? start.head, to: pen.place };
    return 'stored';
  }
  if (status === 412 && isEmptyLog(head) && (await isBadChain(answer))) {
    // Some servers count from zero.
    memory.firstSeqnum = 1 - (memory.firstSeqnum ?? 1);
  }
  answer.cancel();
  if (status === 413) return 'tooMuch';
  if (status === 403 || status === 405) return 'readOnly';
  if (status === 404) throw unexpected(answer, log.name);
  return status === 412 || status === 400 ? 'moved' : 'failed';
}

const isUnsure = ({ kind }: PushResult): boolean => kind === 'failed';

function resultOf(kind: PushResult['kind'] | 'tooMuch', change: Change): PushResult {
  if (kind === 'tooMuch') return { kind: 'refused', code: 'tooLarge' };
  if (kind === 'stored') return { kind, version: versionOf(change), modifiedMs: null };
  return { kind: kind as 'moved' | 'failed' | 'readOnly' };
}

function asSent({ key, payload, seqnum, changeid, signature }: Change): object {
  return { key, payload, seqnum, changeid, signature };
}

/** To the records, or, where a server takes none there, to the changes. */
async function postTo(
  log: Log,
  memory: RemoteOptions['memory'],
  body: string,
  match: Parameters<Log['post']>[2],
): Promise<Answer> {
  const path = memory.postsChanges === 1 ? '/changes' : '/records';
  const answer = await log.post(path, body, match);
  if (path === '/changes' || (answer.status !== 404 && answer.status !== 405)) return answer;
  answer.cancel();
  const other = await log.post('/changes', body, match);
  if (other.status < 300 || other.status === 412) memory.postsChanges = 1;
  return other;
}

async function isBadChain(answer: Answer): Promise<boolean> {
  return member(jsonOf((await answer.read()) ?? ''), 'error') === 'bad-chain';
}
