// What proves the rules of the contract of remotes about answers that are lost, power that goes at
// any commit, and a server that begins anew.

import type { Mutation } from './suite.ts';

const KINTO = 'agent/remotes/kinto';
const PICL = 'agent/remotes/picl';
const OWA = 'agent/remotes/owa';
const ONES = 'test/support/made-up';

const TWICE = 'nothing is lost, nothing is written twice';

/** Answers that never come, and power that goes. */
export const BREAKING: readonly Mutation[] = [
  {
    rule: `mends itself after any lost answer: ${TWICE}`,
    file: 'agent/collections/members.ts',
    from: "return { mirror, local: hasSameMembers(merged, theirs) ? 'none' : merged };",
    to: 'return { mirror, local: merged };',
  },
  {
    rule: `mends itself after any lost answer: ${TWICE}`,
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, true);',
    to: '',
  },
  ...[
    `goes on after a cut before any commit: ${TWICE}`,
    `goes on after a cut after any commit: ${TWICE}`,
    'begins again after a cut before any commit of the first sync',
    'begins again after a cut after any commit of the first sync',
  ].map((rule) => ({
    rule,
    file: 'agent/store/store.ts',
    from: 'await ported(storage.commit(changes));',
    to: 'for (const some of [changes.slice(-1), changes]) await ported(storage.commit(some));',
    // Of Open Web Apps nothing comes down then.
    beside: 'merges what both sides have changed, member by member',
  })),
  // Where the line above ends a pass by an error, the rule has not judged.
  ...['before', 'after'].map((when) => ({
    rule: `goes on after a cut ${when} any commit: ${TWICE}`,
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, true);',
    to: '',
  })),
  {
    rule: 'reads on from page to page while others write, and after a link that broke',
    file: 'agent/sync/pull.ts',
    from: 'if (!page.hasNext()) return atEnd(pass);',
    to: 'if (read.isEmpty || at !== null) return atEnd(pass);',
  },
  {
    rule: 'has on its storage what it must know again, before a byte of it leaves',
    file: 'agent/sync/acknowledge.ts',
    from: 'if (plan != null) await updateState(',
    to: 'if (plan != null) void updateState(',
  },
  ...['false', 'true'].map((isCut) => ({
    rule: `knows what it has sent though the answer was lost (and the power cut: ${isCut})`,
    file: `${ONES}/log-wire.ts`,
    from: 'const isOwn = plan.includes(changeid);',
    to: 'const isOwn = false;',
  })),
  ...[false, true].map((isCut) => ({
    rule: `knows what it has sent though the answer was lost (and the power cut: ${isCut})`,
    file: `${PICL}/pages.ts`,
    from: 'const isOwn = plan.includes(changeid);',
    to: 'const isOwn = false;',
  })),
];

/** The server's collection is another one, or remembers less. */
export const ANEW: readonly Mutation[] = [
  {
    rule: 'reads a collection that was begun anew, and gives what it lacks',
    file: 'agent/sync/requeue.ts',
    from: 'if (!store.state.resetting) return;',
    to: 'if (store.state.resetting) return;',
  },
  {
    rule: 'reads a collection that was begun anew, and gives what it lacks',
    file: 'agent/sync/push.ts',
    from: 'await gather(pass, sending, false);',
    to: '',
  },
  {
    rule: 'leaves nothing behind when its user signs out, and begins again afterwards',
    file: 'agent/sessions.ts',
    from: 'await removeRange(platform, ',
    to: 'if (current !== null) await removeRange(platform, ',
  },
  {
    rule: 'takes a deletion that the server has forgotten for one',
    file: `${ONES}/log-remote.ts`,
    from: "return { restart: '', whole: 'gone' };",
    to: "return { restart: '', whole: 'ours' };",
  },
  {
    rule: 'takes a deletion that the server has forgotten for one',
    file: `${PICL}/refetch.ts`,
    from: "? 'ours' : 'gone';",
    to: "? ('ours' as const) : 'ours';",
  },
  {
    rule: 'gets on with a server that asks for a pause with every answer, which it has',
    file: 'agent/sync/pass.ts',
    from: 'if (waitMs === 0 || pass.isFirst) return;',
    to: 'if (waitMs === 0) return;',
  },
  {
    rule: 'takes a deletion that the server has forgotten for one',
    file: `${KINTO}/plain/remote.ts`,
    from: "? 'ours' : 'gone';",
    to: "? ('ours' as const) : 'ours';",
  },
  {
    rule: 'gives again what another client has left out',
    file: `${OWA}/pages.ts`,
    from: 'if (await lacks(store, ids)) return restart;',
    to: '',
  },
  {
    rule: 'gives again what another client has left out',
    file: `${ONES}/document-remote.ts`,
    from: '!store.state.resetting && lacks(store, ids);',
    to: 'false;',
  },
];
