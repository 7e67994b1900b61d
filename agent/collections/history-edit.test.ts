// Pages as apps edit them.

import { describe, expect, test } from 'vitest';
import { link, NOW_MS, page, US } from '../../test/support/pages.ts';
import type { Body } from './collection.ts';
import { history } from './history.ts';

describe('an edit by an app', () => {
  const prepare = (input: object, existing: Body | null = null, nowMs = NOW_MS) =>
    history.prepare(input as Body, existing, 'newnewnewnew', nowMs);
  const complaint = (input: object, existing: Body | null = null, nowMs = NOW_MS) => {
    const result = prepare(input, existing, nowMs);
    return result.ok ? null : result.complaint;
  };

  test('may use the names that apps see or those of the record', () => {
    const body = page([link(US)], { id: 'newnewnewnew' });
    const { id, ...rest } = body;
    expect(prepare(rest)).toEqual({ ok: true, id: 'newnewnewnew', body });
    expect(prepare({ url: body.histUri, title: 'A', visits: [link(US)] })).toMatchObject({ body });
    const shown = history.view('guidguidguid', body);
    const again = prepare(shown);
    expect(again).toMatchObject({ ok: true, id: 'guidguidguid' });
    expect(again.ok && history.view(again.id, again.body)).toEqual(shown);
    expect(again.ok && Object.keys(again.body)).not.toContain('url');
  });

  test('adds visits to those of the page and keeps what it does not mention', () => {
    const existing = page([link(US), 'odd'], { id: 'here', later: 1 });
    expect(
      prepare({ url: existing.histUri, visits: [link(US + 5_000)], new: 2 }, existing),
    ).toEqual({
      ok: true,
      id: 'here',
      body: page([link(US + 5_000), link(US), 'odd'], { id: 'here', later: 1, new: 2 }),
    });
    expect(prepare({ title: 'B' }, existing)).toMatchObject({ body: { title: 'B' } });
    expect(prepare({ title: null }, existing)).toMatchObject({ body: { title: '' } });
  });

  test('without a visit is one visit now, if there is none and the time is known', () => {
    const visits = [link(NOW_MS * 1_000)];
    expect(prepare({ url: 'http://x/' })).toMatchObject({ body: { title: '', visits } });
    expect(prepare({ title: 'B' }, page([]))).toMatchObject({ body: { visits } });
    expect(prepare({ title: 'B' }, page([link(5)]))).toMatchObject({ body: { visits: [link(5)] } });
    expect(complaint({ url: 'http://x/' }, null, 86_400_000)).toContain('visits');
  });

  test('is cut in its title as Firefox does, not through a character', () => {
    const url = 'http://x/';
    expect(prepare({ url, title: 'y'.repeat(5_000) })).toMatchObject({
      body: { title: 'y'.repeat(4_096) },
    });
    const title = `${'y'.repeat(4_095)}\u{1f600}`;
    expect(prepare({ url, title })).toMatchObject({ body: { title: 'y'.repeat(4_095) } });
  });

  test('cannot make a tombstone', () => {
    const result = prepare({ url: 'http://x/', deleted: true });
    expect(result.ok && Object.keys(result.body)).not.toContain('deleted');
  });

  const url = 'http://x/';
  test.each([
    ['url', {}],
    ['url', { url: 'x' }],
    ['url', { url: 7 }],
    ['title', { url, title: 7 }],
    ['visits', { url, visits: 'all' }],
    ['visits: more than 1000', { url, visits: Array(1_001).fill(link(US)) }],
    ['visits[1]', { url, visits: [link(US), { date: NOW_MS, type: 1 }] }],
    ['visits[0]', { url, visits: [{ date: '2026', type: 1 }] }],
    ['visits[0]', { url, visits: [null] }],
    ['visits[0].type', { url, visits: [{ date: US, type: 10 }] }],
    ['id', { url, id: 'x' }],
    ['id', { url, guid: 7 }],
  ])('is refused with the name of the bad field: %s', (field, input) => {
    expect(complaint(input)).toContain(field);
  });

  test('cannot turn a page into another one', () => {
    expect(complaint({ url }, page([link(US)]))).toContain('url');
  });
});
