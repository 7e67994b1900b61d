// The made-up protocol of logs as a remote: a change is sealed for its number, continues the chain
// of all changes before it, and is refused with all of its upload where somebody was faster. What
// comes is believed only as the next links of the chain.

import { SyncError } from '../../../agent/errors.ts';
import { forgetNames, namedBy } from '../../../agent/remotes/named.ts';
import type {
  Offer,
  Outgoing,
  Page,
  Position,
  Remote,
  RemoteDriver,
  RemoteOptions,
  Upload,
} from '../../../agent/remotes/remote.ts';
import { clientState } from '../../../crypto/keys.ts';
import { keyFrom, NO_ACCOUNT, odd, pageOf } from './client.ts';
import { type Change, changeIdOf } from './log-change.ts';
import { about, headOf, type LogWire, linked, listedOf, openWire } from './log-wire.ts';
import { opener, provenBy, seal, sign } from './seal.ts';

export const logRemote: RemoteDriver = {
  protocol: 'log',
  keyName: clientState,
  account: async (kept) => ({ ...NO_ACCOUNT, forget: () => forgetNames(kept) }),
  named: namedBy({ charsMax: 2_048, isLegal: (id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id) }),
  open: openLog,
};

/** Changes of a POST. */
const POST_MAX = 4;

function openLog(options: RemoteOptions): Remote {
  const wire = openWire(options);
  return {
    async begin(wanted) {
      const key = keyFrom(options);
      const offers: Offer[] = [];
      for (const one of wanted) {
        const { collection, state } = one.store;
        const reply = await wire.about(collection.name);
        offers.push({
          ...one,
          origin: await wire.urlOf(collection.name),
          moved: headOf(reply.header('etag')) !== state.position,
          codec: {
            open: provenBy(
              collection,
              opener(key, ({ id, version }) => about(version, id)),
            ),
            // The upload knows the number, and seals.
            seal: async ({ id, body, base }) => {
              return { id, payload: body && JSON.stringify(body), base, beside: {} };
            },
          },
        });
      }
      return offers;
    },

    async changes({ collection, state: { plan = '' } }, at) {
      const url = await wire.urlOf(collection.name);
      const [seqnum = '', before = '', start = ''] = at.split(' ');
      // The records come by their names; what changes meanwhile is in the log behind the first
      // page.
      if (before === '' || start !== '') return records(wire, url, at, plan);
      const reply = await wire.ask('GET', `${url}/changes?since=${Number(seqnum) + 1}`);
      if (reply.status === 416) return { restart: '', whole: 'gone' };
      if (reply.status !== 200) throw odd(reply, 'changes');
      const { changes, next } = reply.json;
      if (changes.length === 0) return null;
      const heads = linked(keyFrom(options), Number(seqnum), before, changes);
      return pageOf(listedOf(changes, plan), {
        end: heads.at(-1) ?? at,
        hasNext: next !== undefined,
        behind: ({ version }) => heads[Number(version) - Number(seqnum) - 1] ?? at,
      });
    },

    async fetch() {
      throw new SyncError('badResponse', 'a log refuses no record by itself');
    },

    upload: async ({ collection }, { position }) =>
      openUpload(options, wire, await wire.urlOf(collection.name), position),
  };
}

/** A page of all records as they are now. */
async function records({ ask }: LogWire, url: string, at: Position, plan: string): Promise<Page> {
  const [seqnum = '', before = '', start = ''] = at.split(' ');
  const reply = await ask('GET', `${url}/records${start === '' ? '' : `?start=${start}`}`);
  if (reply.status !== 200) throw odd(reply, 'records');
  const head = start === '' ? headOf(reply.header('etag')) : `${seqnum} ${before}`;
  const all: Change[] = Object.values(reply.json.records);
  const { next } = reply.json;
  return pageOf(listedOf(all, plan), {
    end: next === undefined ? head : `${head} ${next}`,
    // The log follows.
    hasNext: all.length > 0,
    behind: ({ id }) => `${head} ${id}`,
  });
}

function openUpload(
  options: RemoteOptions,
  { ask }: LogWire,
  url: string,
  position: Position,
): Upload {
  const key = keyFrom(options);
  let [seqnum = '0', changeid = ''] = position.split(' ');
  const continued = (outgoing: readonly Outgoing[]): Change[] => {
    let before = changeid;
    return outgoing.map(({ id, payload }, at) => {
      const next = { key: id, seqnum: Number(seqnum) + at + 1 };
      const sealed = payload && seal(key, about(next.seqnum, id), payload);
      before = changeIdOf(before, { ...next, payload: sealed });
      return { ...next, payload: sealed, changeid: before, signature: sign(key, before) };
    });
  };
  return {
    addMax: POST_MAX,
    addCharsMax: 100_000,
    plan: async (outgoing) => JSON.stringify(continued(outgoing).map((one) => one.changeid)),
    async add(outgoing) {
      const changes = continued(outgoing);
      const match = { 'if-match': `${seqnum}-${changeid}` };
      const reply = await ask('POST', `${url}/records`, match, { changes });
      if (reply.status === 403) return outgoing.map(() => ({ kind: 'readOnly' }));
      if (reply.status === 412) return outgoing.map(() => ({ kind: 'moved' }));
      if (reply.status !== 204) throw odd(reply, 'upload');
      [seqnum = '', changeid = ''] = headOf(reply.header('etag')).split(' ');
      return changes.map((change) => {
        return { kind: 'stored', version: `${change.seqnum}`, modifiedMs: null };
      });
    },
    commit: async () => ({ kind: 'none' }),
  };
}
