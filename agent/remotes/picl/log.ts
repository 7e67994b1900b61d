// One collection on the server, for a pass: its log's scheme and seal, what is asked of it, and how
// much of it fits into one answer. A page is in memory as a whole, for nothing of it is given on
// before all of it is verified: so it is asked for in pieces of the size of a commit. Of a payload
// that is too long for the device the hash is in memory, and nothing else.

import { jsonOf } from '../../../crypto/engine.ts';
import type { TextCrypto } from '../../../crypto/texts.ts';
import { heapOf } from '../../config.ts';
import { SyncError } from '../../errors.ts';
import { JSON_DEPTH_MAX } from '../../limits.ts';
import { notA, parseInTurns } from '../../wire/document.ts';
import type { Answer } from '../../wire/http.ts';
import { deviceId } from '../device-id.ts';
import type { RemoteOptions } from '../remote.ts';
import type { PiclKeys } from './keys.ts';
import { CHANGE_CHARS, PAGE_CHANGES_MAX, PAGE_FILL, PAYLOAD_CHARS_MAX } from './limits.ts';
import { pageText } from './page-text.ts';
import type { Place } from './place.ts';
import { type ChainScheme, chainV1, opaqueChain, type Unread } from './scheme.ts';
import type { SealOptions } from './seal.ts';
import type { Session } from './session.ts';
import { unexpected } from './statuses.ts';
import { type Head, NO_CHANGES, type Tag, tagIn, tagText } from './tag.ts';

/** What a device is told of a PiCL storage besides what all remotes need. */
interface PiclConfig {
  /**
   * `opaque`: other clients make ids in a way of their own, which are believed. Left out: `v1`.
   */
  readonly chain?: 'v1' | 'opaque';
  /** The device writes to an opaque log, too. */
  readonly opaquePush?: boolean;
  /** What becomes of a server that was restored to an older state. Left out: `repair`. */
  readonly onRollback?: 'repair' | 'halt';
}

export interface Log {
  readonly name: string;
  readonly scheme: ChainScheme;
  readonly sealing: SealOptions;
  readonly config: PiclConfig;
  /** How the server writes its tags. */
  isQuoted: boolean;
  /** What of the log this pass has written itself: from which head, and to which place. */
  written: { readonly from: Head; readonly to: Place } | null;
  /** Something of it was written in this pass. */
  hasGrown: boolean;
  /** The head that the pass began with. */
  heard: Head;
  /** Looks for its place anew. */
  renew(): Promise<void>;
  get(path: string, match?: Head, condition?: 'If-Match' | 'If-None-Match'): Promise<Answer>;
  post(path: string, body: string, match: Head | null): Promise<Answer>;
  tagOf(answer: Answer): Tag | null;
  /**
   * The JSON of a page that `path` asks for with a limit, or an answer of another status. `min`:
   * what a page must hold to lead on. Errors: `tooLarge`, those of reading.
   */
  page(path: string, min: number, match?: Head): Promise<ReadPage>;
}

interface ReadPage {
  readonly answer: Answer;
  readonly json: unknown;
  /** Payloads that are not in it: see `pageText`. */
  readonly unread: readonly Unread[];
}

export function openLog(
  options: RemoteOptions,
  session: Session,
  crypto: TextCrypto,
  keys: PiclKeys,
  name: string,
): Log {
  const config = options.config.remote as PiclConfig;
  const heap = heapOf(options.config);
  const v1 = chainV1(crypto, keys.signKey(name));
  const payloadCharsMax = Math.min(options.config.recordCharsMax, PAYLOAD_CHARS_MAX);
  let limit = Math.min(heap.batchRecordsMax, PAGE_CHANGES_MAX);
  const conditionOn = (match: Head | undefined, name: string): [string, string][] =>
    match ? [[name, tagText(match, log.isQuoted)]] : [];
  const log: Log = {
    ...{ name, config, isQuoted: false, written: null, hasGrown: false, heard: NO_CHANGES },
    scheme: config.chain === 'opaque' ? opaqueChain(v1) : v1,
    sealing: {
      ...{ crypto, entropy: options.platform.entropy },
      ...{ key: keys.sealKey(name), collection: name, author: deviceId(options, 'picl') },
    },
    renew: () => session.renew(),
    get: (path, match, condition = 'If-Match') =>
      session.send({
        ...{ method: 'GET', collection: name, path },
        headers: conditionOn(match, condition),
      }),
    post: (path, body, match) =>
      session.send({
        ...{ method: 'POST', collection: name, path, body },
        headers: match ? conditionOn(match, 'If-Match') : [['If-None-Match', '*']],
      }),
    tagOf(answer) {
      const tag = tagIn(answer.headers);
      if (tag !== null) log.isQuoted = tag.isQuoted;
      return tag;
    },
    async page(path, min, match) {
      for (;;) {
        const asked = Math.max(limit, min);
        const answer = await log.get(`${path}limit=${asked}`, match);
        if (answer.status !== 200) return { answer, json: null, unread: [] };
        const charsMax = asked <= min ? min * (payloadCharsMax + CHANGE_CHARS) : heap.batchCharsMax;
        const read = await pageText(answer, charsMax, payloadCharsMax);
        if (read !== null) {
          const { text, chars, unread } = read;
          const json =
            text.length > heap.batchCharsMax
              ? await parseInTurns(text, answer.pause)
              : parsed(text, asked);
          limit = nextLimit(heap.batchCharsMax, chars, asked);
          await answer.pause();
          return { answer, json, unread };
        }
        if (asked <= min) {
          const what = `${name}: a page of ${min} has more than ${charsMax} characters`;
          throw new SyncError('tooLarge', what, { collection: name });
        }
        limit = Math.floor(asked / 2);
      }
    },
  };
  return log;
}

/** Errors: those of the status, for whoever has no use for it. */
export function only200(answer: Answer, what: string): Answer {
  if (answer.status === 200) return answer;
  throw unexpected(answer, what);
}

/** As many as fill a page, by the ones of this page, which had so many characters. */
function nextLimit(charsMax: number, chars: number, asked: number): number {
  const fitting = Math.floor((PAGE_FILL * charsMax * asked) / chars);
  return Math.min(Math.max(fitting, 1), PAGE_CHANGES_MAX, 2 * asked);
}

/** What nests no deeper than so many changes could is the engine's to read, in one go. */
function parsed(text: string, changes: number): unknown {
  const bracketsMax = 2 * changes + JSON_DEPTH_MAX;
  const isModest = ['{', '['].every(
    (mark) => text.split(mark, bracketsMax + 2).length <= bracketsMax,
  );
  const json = isModest ? jsonOf(text) : undefined;
  if (json === undefined) throw notA('a page of changes', text);
  return json;
}
