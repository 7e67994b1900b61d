import { afterEach, expect, it, test } from 'vitest';
import { REMOTE, runningSync } from '../../../test/support/running-sync.ts';
import type { Notes } from './notes.ts';
import { quarantine } from './quarantine.ts';
import type { MarkPage } from './stored.ts';

let close = (): void => undefined;
afterEach(() => close());

const mark = (collection: string, id: string, code = 'badMac') => ({
  ...{ collection, id, code, modifiedMs: Date.UTC(2016, 5, 15, 12) },
});

/** Pages by service and collection, each behind the last id of the one before. */
async function aside(pages: { [place: string]: MarkPage[] }, notes: Partial<Notes> = {}) {
  const asked: string[] = [];
  const sync = await runningSync(
    {
      marks: async (collection, after, remote) => {
        asked.push(`${remote} ${collection}${after === null ? '' : ` ${after}`}`);
        const all = pages[`${remote} ${collection}`] ?? [];
        const at = after === null ? 0 : all.findIndex(({ next }) => next === after) + 1;
        return all[at] ?? { marks: [], next: null };
      },
    },
    notes,
  );
  close = sync.close;
  const show = async (more = {}) => (await sync.run(quarantine, more)).out;
  return { asked, show };
}

it('shows each record in a row, with the reason in words, page by page', async () => {
  const { asked, show } = await aside({
    'first history': [
      { marks: [mark('history', 'a'), mark('history', 'b', 'tooLarge')], next: 'b' },
      { marks: [mark('history', 'c\u001b', 'unheard-of')], next: null },
    ],
  });
  expect((await show({ words: ['history'] })).split('\n')).toEqual([
    'history\ta\tbadMac\t2016-06-15\tit does not prove itself under the key of the account: ' +
      'changed, or sealed with another key',
    'history\tb\ttooLarge\t2016-06-15\tit is larger than any browser writes',
    'history\tc\\u001b\tunheard-of\t2016-06-15\tit could not be used',
    '',
  ]);
  expect(asked).toEqual(['first history', 'first history b']);
});

it('shows them as JSON, one a line', async () => {
  const page = { marks: [mark('forms', 'a', 'badUtf8')], next: null };
  const { show } = await aside({ 'first forms': [page] });
  expect(JSON.parse(await show({ json: true, words: ['forms'] }))).toEqual({
    ...mark('forms', 'a', 'badUtf8'),
    why: 'its text is not UTF-8',
  });
});

it('looks at all collections of each service, the list of devices too', async () => {
  const remotes = { work: { remote: REMOTE, collections: ['notes', 'forms'] } };
  const { asked, show } = await aside({}, { remotes });
  expect(await show()).toBe('');
  expect(asked).toEqual(expect.arrayContaining(['first history', 'first clients']));
  expect(asked).not.toContain('first forms');
  expect(asked.slice(-3)).toEqual(['work notes', 'work forms', 'work clients']);
  asked.length = 0;
  await show({ remote: 'work', words: ['clients', 'forms'] });
  expect(asked).toEqual(['work forms', 'work clients']);
});

test.each(['badIv', 'badBase64', 'badPadding', 'badPayload'])(
  'says of %s that another program has written it',
  async (code) => {
    const { show } = await aside({
      'first tabs': [{ marks: [mark('tabs', 'a', code)], next: null }],
    });
    expect(await show({ words: ['tabs'] })).toContain('it is not as records are sealed');
  },
);

it('refuses a collection and a service that are not there, before it asks', async () => {
  const { asked, show } = await aside({});
  await expect(show({ words: ['recipes'] })).rejects.toThrow('there is no collection "recipes"');
  await expect(show({ remote: 'work' })).rejects.toThrow('the folder has no service "work"');
  expect(asked).toEqual([]);
});
