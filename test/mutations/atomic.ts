// What proves the rules of records that are replaced at once. They run on every remote, and are
// the core's alone.

import type { Suite } from './suite.ts';

const AT_ONCE = 'shows apps what there was or what there is now, whenever they look';
const DURING = 'keeps what apps change before, during and after it';

export const ATOMIC: Suite = {
  name: 'replaced at once',
  files: ['test/contract/atomic.test.ts'],
  under: 'the contract of remotes, records replaced at once: ',
  beside: AT_ONCE,
  mutations: [
    {
      rule: AT_ONCE,
      file: 'agent/sync/pull.ts',
      from: 'isAtomic(collection) && store.state.resetting',
      to: 'isAtomic(collection) && store.state.seq < 0',
      beside: DURING,
    },
    ...['before', 'after'].map((when) => ({
      rule: `shows the one or the other after a cut ${when} any commit, and goes on`,
      file: 'agent/store/two-sets.ts',
      from: 'await storage.commit([...sets.placed(other, changes), [cursorOf(live), null]]);',
      to: `await storage.commit([[cursorOf(live), null]]);
        await storage.commit(sets.placed(other, changes));`,
    })),
    // A document finds its place again where a cursor is gone.
    ...['before', 'after'].map((when) => ({
      rule: `shows the one or the other after a cut ${when} any commit, and goes on`,
      file: 'agent/sync/pull.ts',
      from: 'isAtomic(collection) && store.state.resetting',
      to: 'isAtomic(collection) && store.state.seq < 0',
      beside: DURING,
    })),
    {
      rule: 'keeps what apps change at any moment of it, the last one too',
      file: 'agent/sync/replace.ts',
      from: 'await eachPage(store, true, (ids) => meetEach(staging, ids, seqBefore));',
      to: '',
    },
    {
      rule: DURING,
      file: 'agent/sync/replace.ts',
      from: 'await eachPage(store, true, async (ids) => {',
      to: 'await eachPage(store, true, async (ids) => { if (ids.length > 0) return;',
    },
  ],
};
