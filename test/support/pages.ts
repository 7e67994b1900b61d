// Page records by their visits.

import type { Body } from '../../agent/collections/collection.ts';

export const NOW_MS = 1_795_323_276_914;
export const US = NOW_MS * 1_000;

export interface Visit {
  readonly date: number;
  readonly type: number;
}

export function page(visits: readonly unknown[], more: object = {}): Body {
  return { id: 'dxLy8nA6xTu-', histUri: 'https://example.com/a', title: 'A', visits, ...more };
}

export function link(date: number): Visit {
  return { date, type: 1 };
}
