import { describe, expect, test } from 'vitest';
import { inTheEnd, mergeOf } from '../../test/support/merging.ts';
import { PROTOCOLS, sameUser } from '../../test/support/same-user.ts';
import type { Body } from './collection.ts';
import { readingList } from './reading-list.ts';

const NOW_MS = 1_795_323_276_914;
const ID = 'abcdefghijkl';
const URL_A = 'https://example.com/a';
const article = (more: Body = {}): Body => ({
  ...{ id: ID, url: URL_A, title: 'A', added_by: 'Phone', added_on: 1_000 },
  ...more,
});

const merge = mergeOf(readingList);

describe('a merge of an article', () => {
  const base = article();

  test('takes each member from the side that changed it', () => {
    const theirs = article({ title: 'B', unread: false, marked_read_on: 5 });
    const merged = inTheEnd(merge(article({ favorite: true, later: [1] }), base, theirs), theirs);
    expect(merged).toMatchObject({ ...theirs, favorite: true, later: [1] });
  });

  test.each([1, -1])('keeps the further position, whoever was later: %i', (younger) => {
    const theirs = article({ read_position: 40 });
    for (const read_position of [7, 70]) {
      const merged = inTheEnd(merge(article({ read_position }), base, theirs, younger), theirs);
      expect(merged.read_position).toBe(Math.max(40, read_position));
    }
  });

  test('keeps the first time that it was added, and who marked it as read first', () => {
    const read = (marked_read_on: number, marked_read_by: string): Body =>
      article({ unread: false, marked_read_on, marked_read_by, added_on: marked_read_on });
    const theirs = read(50, 'TV');
    for (const younger of [1, -1]) {
      const first = inTheEnd(merge(read(20, 'Phone'), null, theirs, younger), theirs);
      expect(first).toMatchObject({ marked_read_on: 20, marked_read_by: 'Phone', added_on: 20 });
      const second = inTheEnd(merge(read(90, 'Phone'), null, theirs, younger), theirs);
      expect(second).toMatchObject({ marked_read_on: 50, marked_read_by: 'TV', added_on: 50 });
    }
  });

  test.each<[string, Body, Body]>([
    ['the title', { title: 'mine' }, { title: 'theirs' }],
    ['archived', { archived: false }, { archived: true }],
    ['unread', { unread: true }, { unread: false, marked_read_on: 7, marked_read_by: 'TV' }],
  ])('keeps the later change of %s', (_, mine, theirs) => {
    const before = article({ title: 'old', archived: null, unread: null });
    const [ours, others] = [article({ ...before, ...mine }), article({ ...before, ...theirs })];
    expect(inTheEnd(merge(ours, before, others, 1), others)).toMatchObject(mine);
    expect(inTheEnd(merge(ours, before, others, -1), others)).toMatchObject(theirs);
  });

  test('leaves no mark of a reader on what is unread in the end', () => {
    const marks = { marked_read_on: 5, marked_read_by: 'TV' };
    const before = article({ unread: false, ...marks });
    const mine = article({ unread: true, marked_read_on: null, marked_read_by: null });
    const theirs = article({ unread: false, marked_read_on: 6, marked_read_by: 'TV' });
    expect(inTheEnd(merge(mine, before, theirs, -1), theirs)).toMatchObject({
      ...{ unread: true, marked_read_on: null, marked_read_by: null },
    });
  });

  test('lets what somebody has said win over what nobody has, where it was added twice', () => {
    const theirs = article({ favorite: true, read_position: 9 });
    const mine = article({ favorite: false, archived: true, unread: true, read_position: 0 });
    for (const younger of [1, -1]) {
      expect(inTheEnd(merge(mine, null, theirs, younger), theirs)).toMatchObject({
        ...{ favorite: true, archived: true, read_position: 9 },
      });
    }
  });

  test('goes by the later one where it was deleted, and sends nothing that is there', () => {
    const changed = article({ favorite: true });
    expect(merge(changed, base, null, 1)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(changed, base, null, -1)).toEqual({ mirror: null, local: 'none' });
    expect(merge(null, base, changed, -1)).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(changed, base, { ...changed }, 1)).toEqual({ mirror: 'asIs', local: 'none' });
  });
});

describe('a local edit of an article', () => {
  const edited = (input: Body, existing: Body | null = null): Body | string => {
    const result = readingList.prepare(input, existing, ID, NOW_MS);
    return result.ok ? { ...result.body } : result.complaint;
  };

  test('makes one of an address, as the form has it', () => {
    const body = edited({ url: ` ${URL_A} `, title: ' A ' }) as Body;
    expect(body).toMatchObject({
      ...{ id: ID, url: URL_A, title: 'A', added_on: NOW_MS, added_by: 'Kitsync' },
    });
    expect(readingList.view(ID, body)).toEqual({
      ...{ guid: ID, url: URL_A, resolved_url: URL_A, title: 'A', resolved_title: 'A' },
      ...{ excerpt: '', unread: true, favorite: false, archived: false, is_article: true },
      ...{ added_on: NOW_MS, added_by: 'Kitsync', marked_read_by: null, marked_read_on: null },
      ...{ word_count: null, read_position: 0 },
    });
  });

  test('says who has read it, never less far, and forgets that with the mark', () => {
    const read = edited({ unread: false, read_position: 42 }, article()) as Body;
    const marks = { marked_read_by: 'Kitsync', marked_read_on: NOW_MS };
    expect(read).toMatchObject({ unread: false, read_position: 42, ...marks });
    expect(edited({ read_position: 7 }, read)).toMatchObject({ read_position: 42 });
    const again = { unread: false, marked_read_by: 'TV', marked_read_on: 5 };
    expect(edited(again, read)).toMatchObject(marks);
    expect(edited({ unread: true }, read)).toMatchObject({
      ...{ unread: true, read_position: 0, marked_read_by: null, marked_read_on: null },
    });
  });

  test.each<[Body, string]>([
    [{}, 'url: not a text'],
    [{ url: 'example' }, 'url: not an address'],
    [{ url: 'https://a b' }, 'url: not an address'],
    [{ url: `https://${'a'.repeat(2_041)}` }, 'url: 2049 characters, it may have 2048'],
    [{ url: URL_A, resolved_url: 7 }, 'resolved_url: not a text'],
    [{ url: URL_A, title: 'x'.repeat(1_025) }, 'title: 1025 characters, it may have 1024'],
    [{ url: URL_A, unread: 'false' }, 'unread: neither true nor false'],
    [{ url: URL_A, archived: null }, 'archived: neither true nor false'],
    [{ url: URL_A, read_position: -1 }, 'read_position: not a count'],
    [{ url: URL_A, read_position: 1.5 }, 'read_position: not a count'],
    [{ url: URL_A, added_by: 7 }, 'added_by: not a text'],
    [{ url: URL_A, word_count: 'many' }, 'word_count: not a count'],
  ])('is refused with the member and the limit: %#', (input, complaint) => {
    expect(edited(input)).toBe(complaint);
  });

  test('is judged by what it changes, and never makes another article of it', () => {
    const odd = article({ url: 'odd', unread: 'maybe', title: 'x'.repeat(2_000) });
    expect(edited({ favorite: true }, odd)).toEqual({ ...odd, favorite: true });
    expect(edited({ url: 'https://b.example' }, odd)).toBe('url: not that of this article');
  });
});

describe.each(PROTOCOLS)('two devices over %s', (protocol) => {
  test('that add one page apart, one by a short address of it, have one article', async () => {
    const user = sameUser(protocol, { collections: [readingList] });
    const [a, b] = [await user.signedIn(), await user.signedIn()];
    const id = await a.agent.put('reading-list', { url: 'https://s.example/1', title: 'A' });
    await a.agent.put('reading-list', { id, resolved_url: URL_A, read_position: 12 });
    await b.agent.put('reading-list', { url: URL_A, favorite: true });
    await user.sync(a, b, a);
    for (const { agent } of [a, b]) {
      const { records } = await agent.list('reading-list', { prefix: URL_A, limit: 10 });
      expect(records).toMatchObject([{ title: 'A', favorite: true, read_position: 12 }]);
    }
    await a.agent.put('reading-list', { url: URL_A, read_position: 90 });
    await b.agent.put('reading-list', { url: URL_A, read_position: 50, archived: true });
    await user.sync(a, b, a);
    const { records } = await a.agent.list('reading-list', { limit: 10 });
    expect(records).toMatchObject([{ read_position: 90, archived: true, title: 'A' }]);
    await b.agent.delete('reading-list', `${records[0]?.guid}`);
    await user.sync(b, a);
    expect((await a.agent.list('reading-list', { limit: 10 })).records).toEqual([]);
  });
});
