// What proves the rules of the contract of remotes. A rule runs on every remote: where what it asks
// for is the core's, one line turns it red on all of them; where it is each remote's own, each has
// a line here.

import { ANEW, BREAKING } from './remote-cuts.ts';
import type { Mutation, Suite } from './suite.ts';

const DOWN = 'brings down what another client has made';
const UP = 'brings up what the device has made, the first record of all';
const KINTO = 'agent/remotes/kinto';
const PICL = 'agent/remotes/picl';
const OWA = 'agent/remotes/owa';
const ONES = 'test/support/made-up';

/** What one side has made reaches the other. */
const EXCHANGING: readonly Mutation[] = [
  {
    rule: DOWN,
    file: 'agent/sync/pull.ts',
    from: 'for (const listed of batch.splice(0)) {',
    to: 'for (const listed of batch.splice(0).slice(1)) {',
    beside: UP,
  },
  {
    rule: UP,
    file: 'agent/sync/push.ts',
    from: 'if (sending.jobs.length > 0) await send(pass, sending, true);',
    to: '',
  },
  ...[
    ['agent/remotes/sync/offers.ts', 'moved: hasMoved(name),'],
    [
      `${KINTO}/kinto.ts`,
      'moved: refusal !== null || hasMoved(stand, placeOf(state.position), options.notes),',
    ],
    [`${KINTO}/plain/remote.ts`, 'moved: refusal !== null || isMoved || miscounted.has(name),'],
    [`${ONES}/records-remote.ts`, 'moved: there !== undefined && there.etag !== state.position,'],
    [`${ONES}/log-remote.ts`, "moved: headOf(reply.header('etag')) !== state.position,"],
  ].map(([file = '', from = '']) => ({
    rule: 'knows its own records again: the next pass asks one thing, and writes nothing',
    ...{ file, from, to: 'moved: true,' },
  })),
  {
    rule: 'knows its own records again: the next pass asks one thing, and writes nothing',
    file: `${ONES}/document-remote.ts`,
    from: 'moved: asked !== null,',
    to: 'moved: true,',
  },
  {
    rule: 'knows its own records again: the next pass asks one thing, and writes nothing',
    file: `${PICL}/looks.ts`,
    from: 'return { origin, moved: isNew, refusal: null };',
    to: 'return { origin, moved: true, refusal: null };',
  },
  {
    rule: 'knows its own records again: the next pass asks one thing, and writes nothing',
    file: `${OWA}/owa.ts`,
    from: 'moved: asked !== null };',
    to: 'moved: asked !== undefined };',
  },
  {
    rule: 'goes on where it was after a reboot',
    file: 'agent/store/store.ts',
    from: 'let state = inForm(collection, stateOf(stored));',
    to: "let state = { ...inForm(collection, stateOf(stored)), origin: '-' };",
  },
  {
    rule: 'goes on where it was after a reboot',
    file: 'agent/store/store.ts',
    from: 'let state = inForm(collection, stateOf(stored));',
    to: "let state = { ...inForm(collection, stateOf(stored)), position: '' };",
  },
  {
    rule: 'deletes on the other side what one side deletes',
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, true);',
    to: '',
  },
  {
    rule: 'serves two devices, of which neither knows the other',
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, false);',
    to: '',
  },
  ...[
    ['agent/remotes/sync/codec.ts', "const [payload = ''] = await crypto.seal(bundle(), [text]);"],
    [`${ONES}/records-remote.ts`, 'const payload = body && seal(key, id, JSON.stringify(body));'],
  ].map(([file = '', from = '']) => ({
    rule: 'sends nothing of a record that can be read',
    ...{ file, from, to: 'const payload = JSON.stringify(body);' },
  })),
  {
    rule: 'sends nothing of a record that can be read',
    file: `${KINTO}/codec.ts`,
    from: "const [payload = ''] = await crypto.seal(bundle, [wireId + json]);",
    to: 'const payload = wireId + json;',
  },
  {
    rule: 'sends nothing of a record that can be read',
    file: `${KINTO}/packs/seal.ts`,
    from: `crypto.seal(
        bundle,
        packs.map(`,
    to: `Promise.all(
        packs.map(`,
  },
  {
    rule: 'sends nothing of a record that can be read',
    file: `${ONES}/log-remote.ts`,
    from: 'const sealed = payload && seal(key, about(next.seqnum, id), payload);',
    to: 'const sealed = payload;',
  },
  {
    rule: 'sends nothing of a record that can be read',
    file: `${PICL}/mint.ts`,
    from: 'payload: text === null ? null : (sealed.shift() ?? null) };',
    to: 'payload: text };',
  },
];

/** Both sides have changed the same record. */
const MEETING: readonly Mutation[] = [
  {
    rule: 'merges what both sides have changed, member by member',
    file: 'agent/collections/members.ts',
    from: 'return { ...theirs, ...Object.fromEntries(edits) };',
    to: 'return { ...theirs, ...mine };',
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: 'agent/remotes/sync/syncto.ts',
    from: "record.base === null ? { 'If-None-Match': '*' } :",
    to: "record.base !== '' ? {} :",
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: 'agent/remotes/sync/sync15-upload.ts',
    from: 'unmodifiedSince(batch.seenMs),',
    to: '',
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: `${KINTO}/upload.ts`,
    from: "base === null ? { 'If-None-Match': '*' } : ",
    to: "base !== '' ? {} : ",
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: `${ONES}/records-remote.ts`,
    from: "theirs: existing === null ? { kind: 'missing' } : fetchedOf(existing),",
    to: "theirs: { kind: 'missing' },",
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: `${ONES}/log-remote.ts`,
    from: "({ kind: 'moved' })",
    to: "({ kind: 'stored', version: '0', modifiedMs: null })",
  },
  {
    rule: 'never writes over a version that it has not seen',
    file: 'agent/sync/pull.ts',
    from: 'agreed !== version ||',
    to: 'agreed === undefined ||',
  },
  {
    rule: 'ends with both sides alike where the device deletes what another client changes',
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, true);',
    to: '',
  },
  {
    rule: 'ends with both sides alike where another client deletes what the device changes',
    file: 'agent/sync/pull.ts',
    from: "const code = isGone ? null : (incoming?.code ?? 'badPayload');",
    to: "const code = isGone ? 'badPayload' : (incoming?.code ?? 'badPayload');",
  },
  {
    rule: 'ends with both sides alike where another client deletes what the device changes',
    file: 'agent/sync/merge.ts',
    from: 'return { ...entry(mirror, null), ',
    to: 'return { ...entry(mirror ?? before.mirror, null), ',
  },
  // Where the log alone has an order, the change stands: it goes up behind the deletion.
  {
    rule: 'ends with both sides alike where another client deletes what the device changes',
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, false);',
    to: '',
  },
  {
    rule: 'keeps what an app changes while its record is on the way',
    file: 'agent/sync/acknowledge.ts',
    from: 'const isEdited = now.local.seq !== sent.seq;',
    to: 'const isEdited = false;',
  },
  ...['before the device looks', 'when it is about to write'].flatMap((when) => [
    {
      rule: `keeps its edit though no answer says the time, and theirs came ${when}`,
      file: 'agent/sync/merge.ts',
      from: 'Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) - 1;',
      to: 'Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) + 1;',
    },
  ]),
  {
    rule: 'keeps its edit though no answer says the time, and theirs came before the device looks',
    file: 'agent/collections/members.ts',
    from: 'return localAgeMs < Math.max(',
    to: 'return localAgeMs > Math.max(',
  },
  {
    rule: 'goes by the time of an edit and not of sending: theirs after ours',
    file: 'agent/collections/members.ts',
    from: 'const localAgeMs = Math.max(0, input.deviceNowMs - input.local.changedAtMs);',
    to: 'const localAgeMs = 0;',
  },
  ...['theirs after ours', 'ours after theirs'].map((what) => ({
    rule: `goes by the time of an edit and not of sending: ${what}`,
    file: 'agent/sync/merge.ts',
    from: 'Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) - 1;',
    to: 'Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) + 1;',
  })),
  ...[
    'goes by the time of an edit and not of sending: ours after theirs',
    'keeps the edit that was made last, whichever was sent last',
  ].map((rule) => ({
    rule,
    file: 'agent/collections/members.ts',
    from: 'return localAgeMs < Math.max(',
    to: 'return localAgeMs > Math.max(',
  })),
];

/** The server has something that cannot be used, or will not take, give or say anything. */
const REFUSING: readonly Mutation[] = [
  {
    rule: 'sets aside what does not open, leaves it where it is, and goes on',
    file: 'agent/sync/pull.ts',
    from: 'if (code !== null) setAside(id, before, code, modifiedMs);',
    to: 'if (code !== null) report.quarantined++;',
  },
  {
    rule: 'sets aside what does not open, leaves it where it is, and goes on',
    file: 'agent/sync/pull.ts',
    from: 'for (const [id, code] of spoilt) setAside(',
    to: 'for (const [id, code] of [...spoilt].slice(1)) setAside(',
  },
  {
    rule: 'asks nothing for as long as the server wants, over a reboot, too',
    file: 'agent/schedule/backoff.ts',
    from: 'return byUser ? server : Math.max(',
    to: 'return byUser ? 0 : Math.max(',
  },
  {
    rule: 'loses nothing to a server that is down',
    file: 'agent/remotes/sync/statuses.ts',
    from: 'status >= 500 ? ',
    to: 'status >= 600 ? ',
  },
  {
    rule: 'loses nothing to a server that is down',
    file: 'agent/remotes/sync/syncto.ts',
    from: "if (responses === null) throw new SyncError('unavailable',",
    to: "if (responses === null) throw new SyncError('badResponse',",
  },
  {
    rule: 'loses nothing to a server that is down',
    file: `${KINTO}/http.ts`,
    from: "throw new SyncError('unavailable', ",
    to: "throw new SyncError('badResponse', ",
  },
  {
    rule: 'loses nothing to a server that is down',
    file: `${PICL}/statuses.ts`,
    from: "'unavailable'",
    to: "'badResponse'",
  },
  {
    rule: 'loses nothing to a server that is down',
    file: `${OWA}/statuses.ts`,
    from: "refusalOf(answered, 'unavailable', 'owa')",
    to: "refusalOf(answered, 'badResponse', 'owa')",
  },
  {
    rule: 'loses nothing to a server that is down',
    file: `${ONES}/client.ts`,
    from: "answer.status === 503 ? 'unavailable' :",
    to: "answer.status === 503 ? 'badResponse' :",
  },
  {
    rule: 'proves again who it is when it is asked to',
    file: 'agent/wire/http.ts',
    from: 'if (answered.status === 401) {',
    to: 'if (answered.status === 498) {',
  },
  {
    rule: 'reads where it may not write, says so, and writes when it may',
    file: 'agent/sync/acknowledge.ts',
    from: 'transaction.update({ readOnlyAtMs: Math.max(1, platform.clock.nowMs()) });',
    to: '',
  },
];

export const REMOTE: Suite = {
  name: 'remotes',
  files: ['test/contract/remote'],
  under: 'the contract of remotes: ',
  beside: DOWN,
  mutations: [...EXCHANGING, ...MEETING, ...REFUSING, ...BREAKING, ...ANEW],
};
